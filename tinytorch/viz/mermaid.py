"""Mermaid: a graph as text that GitHub, GitLab and many editors draw as a flow chart."""

from __future__ import annotations

from tinytorch.viz.colors import FAMILIES, family_of
from tinytorch.viz.data import Graph, Node
from tinytorch.viz.describe import shape_text, short

__all__ = ["to_mermaid"]

MAX_NODES = 400


def to_mermaid(graph: Graph) -> str:
    """See :meth:`Graph.mermaid`.

    >>> import tinytorch
    >>> from tinytorch import viz
    >>> a = tinytorch.tensor(2.0, requires_grad=True)
    >>> print(viz.graph(a * 3).mermaid())
    ---
    title: "1 op"
    ---
    flowchart TB
        n0(["<b>a</b><br>value 2.0"])
        n1["<b>mul</b><br>b = 3<br>value 6.0"]
        n0 --> n1
        classDef input fill:#ffffff,stroke:#8a929c,color:#1f2933
        class n0 input
        classDef op fill:#f4f5f7,stroke:#8a929c,color:#1f2933
        class n1 op
    """
    drawn = graph.limit(MAX_NODES).folded()
    title = "; ".join(line for line in (drawn.title, *drawn.remarks) if line)
    lines = ["---", f'title: "{_plain(title, 200)}"', "---"] if title else []
    lines.append(f"flowchart {drawn.style.get('rankdir', 'TB')}")
    lines += _scope_lines(drawn, "", "    ")
    for edge in drawn.edges:
        arrow = f"-. {_plain(edge.note, 40)} .->" if edge.note else "-->"
        lines.append(f"    {edge.source} {arrow} {edge.target}")
    families: dict[str, list[str]] = {}
    for node in drawn.nodes.values():
        families.setdefault("wrong" if node.notes else family_of(node), []).append(node.id)
    for family, ids in families.items():
        fill, border = FAMILIES.get(family, ("#ffe9ea", "#c00020"))
        lines.append(f"    classDef {family} fill:{fill},stroke:{border},color:#1f2933")
        lines.append(f"    class {','.join(ids)} {family}")
    return "\n".join(lines)


def _scope_lines(graph: Graph, scope: str, indent: str) -> list[str]:
    lines = [indent + _box(node) for node in graph.nodes.values() if node.scope == scope]
    for inner in graph.scopes.values():
        if inner.parent == scope:
            lines.append(f'{indent}subgraph {inner.id}["{_plain(inner.title, 60)}"]')
            lines += _scope_lines(graph, inner.id, indent + "    ")
            lines.append(f"{indent}end")
    return lines


def _box(node: Node) -> str:
    name = f"{node.module}: {node.name}" if node.module else node.name or node.kind
    parts = [f"<b>{_plain(name, 60)}</b>" + (f" ×{node.count}" if node.count > 1 else "")]
    parts += [_plain(f"{key}={value}", 44) for key, value in node.attributes.items()]
    parts += [_plain(f"{key} = {value}", 44) for key, value in node.constants.items()]
    if node.value:
        parts.append(_plain(f"value {node.value}", 60))
    elif node.outputs:
        parts.append(shape_text(node.outputs[0].shape))
    parts += [_plain(f"!! {note}", 60) for note in node.notes]
    text = "<br>".join(parts)
    return f'{node.id}["{text}"]' if node.kind in ("op", "module") else f'{node.id}(["{text}"])'


def _plain(text: str, width: int) -> str:
    """Text that Mermaid cannot take for syntax: everything but letters, digits and plain signs as its code."""
    return "".join(c if c.isalnum() or c in " .,:=()+-*/×_–±%" else f"#{ord(c)};" for c in short(text, width))
