"""What is written in boxes, frames and the title, as graphviz's HTML-like labels. All text is escaped here."""

from __future__ import annotations

import html
import textwrap
from typing import Any

import graphviz

from tinytorch.viz.colors import is_dark, metric_text
from tinytorch.viz.data import Graph, Node, Parameter, Scope
from tinytorch.viz.describe import bytes_text, printable, shape_text, short, stats_text

__all__ = ["cells", "node", "quoted", "scope", "title", "tooltip"]

SYMBOLS = {"add": "+", "sub": "−", "mul": "×", "div": "÷", "pow": "^", "neg": "−", "matmul": "@"}
_METRIC_NAMES = {"flops": "", "params": "parameters ", "grad_norm": "|grad| ", "time": "forward ",
                 "time_backward": "backward "}  # fmt: skip
_GREY, _PALE, _RED = "#5f6b78", "#dfe6ee", "#c00020"


def quoted(text: str) -> Any:
    """A plain label that graphviz takes literally."""
    return graphviz.escape(printable(text))


def escaped(text: str, width: int = 44) -> str:
    """Text for an HTML-like label: one line, without control characters, its middle left out if long."""
    return html.escape(short(text, width), quote=True)


def title(graph: Graph, legend: list[tuple[str, str]]) -> str:
    """The title, remarks below it, and the legend of the colours."""
    lines = []
    if graph.title:
        lines += [f"<B>{escaped(line, 120)}</B>" for line in _wrapped(graph.title.split(", "), 44)]
    remarks = [line for remark in _remarks(graph) for line in textwrap.wrap(printable(remark), 48)[:4]]
    lines += [f'<FONT COLOR="{_GREY}">{escaped(line, 60)}</FONT>' for line in remarks]
    if not legend:
        return f"<{'<BR/>'.join(lines)}<BR/> >" if lines else ""
    cells = "".join(f'<TD BGCOLOR="{color}" WIDTH="60">{_on(color, escaped(text))}</TD>' for color, text in legend)
    name = escaped(str(graph.style["color_by"]).replace("_", " "))
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    scale = (
        '<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="3" COLOR="#b4bfca">'
        f'<TR><TD BORDER="0">{name}</TD>{cells}</TR></TABLE>'
    )
    return f'<<TABLE BORDER="0" CELLPADDING="2">{rows}<TR><TD>{scale}</TD></TR></TABLE>>'


def _remarks(graph: Graph) -> list[str]:
    """The graph's remarks, and what dashed lines are, where there are any."""
    if graph.style.get("view", "forward") == "forward":
        return graph.remarks
    measured = any(edge.grad_norm for edge in graph.edges)
    return [*graph.remarks, "dashed: gradients" + ", wide where they are large" * measured]


def _on(color: str, text: str) -> str:
    return f'<FONT COLOR="white">{text}</FONT>' if is_dark(color) else text


def scope(graph: Graph, scope: Scope) -> str:
    """The heading of a frame."""
    label = _inside(graph, scope.label, scope.parent)
    name = f"<B>{escaped(label)}</B>&#160;" if scope.name and scope.name != scope.kind else ""
    kind = escaped(scope.kind) if name else f"<B>{escaped(label)}</B>"
    count = f"&#160;<B>×{scope.count}</B>" if scope.count > 1 else ""
    heading = f"{name}{kind}{count}"
    # Edges come in at the middle of a frame. So that they do not cross the heading, it gets as much room again.
    room = 12 + 6 * len(f"{label}: {scope.kind}")
    return f'<<TABLE BORDER="0" CELLPADDING="0"><TR><TD>{heading}</TD><TD WIDTH="{room}"></TD></TR></TABLE>>'


def _inside(graph: Graph, name: str, scope: str) -> str:
    """The name of a module or parameter as it is read inside a frame, which says the rest: ``"attention"`` instead of
    ``"blocks.0.attention"``.
    """
    if graph.style.get("frames", True):
        for outer in graph.ancestors(scope):  # the innermost first
            prefix = f"{graph.scopes[outer].name}."
            if name.startswith(prefix):
                return " … ".join(_bracketed(part) for part in name.removeprefix(prefix).split(" … "))
    return name


def _bracketed(name: str) -> str:
    """``"[0]"`` for the layer of that number."""
    number, space, call = name.partition(" ")
    return f"[{number}]{space}{call}" if number.isdigit() else name


def node(graph: Graph, node: Node, view: str, dark: bool = False) -> str:
    """The text of a box: what it is, its options, its parameters, what comes out, what was measured, what is wrong."""
    grey = _PALE if dark else _GREY
    lines = [_heading(graph, node, view, grey)]
    lines += [_small(line, grey) for line in _wrapped(_options(graph, node))]
    lines += [_small(line, grey) for line in _wrapped(_parameters(node))]
    if node.kind == "module" and node.metrics.get("params"):
        lines.append(_small(f"{int(node.metrics['params']):,} parameters", grey))
    if graph.style.get("shapes", True):
        lines.append(_output_line(node))
    spread = graph.style.get("values") and stats_text(node.stats)
    quiet = view == "both" and node.kind == "parameter"  # the edges say it
    if node.value and not quiet:
        lines.append(_small(f"value {node.value}", grey))
    elif spread and not quiet:
        lines.append(_small(spread, grey))
    if node.gradient and not quiet:
        lines.append(_small(f"grad {node.gradient}", grey))
    lines += [_small(text, grey) for text in _measured(graph, node)]
    if graph.style.get("saved"):
        lines += [_small(f"saves {s.name} {shape_text(s.shape)}, {bytes_text(s.nbytes)}", grey) for s in node.saved]
    wrong = [*parameter_notes(node), *node.notes]
    lines += [f'<FONT COLOR="{_RED}"><B>{escaped(note, 60)}</B></FONT>' for note in wrong]
    return f"<{'<BR/>'.join(line for line in lines if line)}>"


def _heading(graph: Graph, node: Node, view: str, grey: str) -> str:
    count = f"&#160;<B>×{node.count}</B>" if node.count > 1 else ""
    if node.kind == "module":
        kind = f"&#160;{escaped(node.name)}" if node.name != node.module else ""
        return f"<B>{escaped(_inside(graph, node.module, node.scope))}</B>{kind}{count}"
    if node.kind == "op":
        backward = view == "backward" or graph.style.get("op_names") == "backward"
        name = node.backward if backward and node.backward else _expression(node) if _is_symbol(node) else node.name
        where = _inside(graph, node.module, node.scope) if node.module else node.label
        return (
            f"<B>{escaped(name)}</B>" + (f'&#160;<FONT COLOR="{grey}">{escaped(where)}</FONT>' if where else "") + count
        )
    name = _inside(graph, node.name, node.scope) or ("input" if node.kind == "outside" else node.kind)
    frozen = "&#160;(frozen)" if node.kind == "parameter" and not node.trainable else ""
    return f"<B>{escaped(name)}</B>{frozen}"


def _is_symbol(node: Node) -> bool:
    return node.name in SYMBOLS and len(node.constants) <= 1


def _expression(node: Node) -> str:
    """``"×"``, or with the constant folded in: ``"× 2"``, ``"1 ÷"``."""
    symbol = SYMBOLS[node.name]
    if not node.constants:
        return symbol
    ((argument, value),) = node.constants.items()
    return f"{value} {symbol}" if argument == "a" else f"{symbol} {value}"


def _options(graph: Graph, node: Node) -> list[str]:
    width = graph.style.get("max_chars", 40)
    options = node.attributes if _is_symbol(node) else {**node.constants, **node.attributes}
    return [f"{name}={short(value, width)}" for name, value in options.items()]


def _wrapped(texts: list[str], width: int = 34) -> list[str]:
    """The texts on as few lines as they need."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(text) < width:
            lines[-1] += f", {text}"
        else:
            lines.append(text)
    return lines


def _parameters(node: Node) -> list[str]:
    texts = []
    for parameter in node.parameters:
        frozen = "" if parameter.trainable else " frozen"
        name = parameter.short_name
        texts.append(f"{name} {shape_text(parameter.shape)}{frozen}{_gradient_of(parameter)}")
    return texts


def parameter_notes(node: Node) -> list[str]:
    """What is wrong with the parameters in a box: ``"weight, bias: never reached"``."""
    names: dict[str, list[str]] = {}
    for parameter in node.parameters:
        for note in parameter.notes:
            names.setdefault(note, []).append(parameter.short_name)
    return [f"{', '.join(of)}: {note}" for note, of in names.items()]


def _gradient_of(parameter: Parameter) -> str:
    if "grad_norm" in parameter.metrics:
        return f"  |grad| {metric_text('grad_norm', parameter.metrics['grad_norm'])}"
    return ""


def _output_line(node: Node) -> str:
    if not node.outputs or (node.value and node.outputs[0].shape == ()):
        return ""
    output = node.outputs[0]
    dtype = "" if output.dtype == "float32" else f" {output.dtype}"
    size = f", {bytes_text(output.nbytes)}" if output.nbytes >= 1e6 else ""
    return f'<FONT POINT-SIZE="10">{escaped(shape_text(output.shape) + dtype + size)}</FONT>'


def _measured(graph: Graph, node: Node) -> list[str]:
    """What was asked for: the metric that colours the picture, or what watch measured."""
    shown = [graph.style["color_by"]] if graph.style.get("color_by") else graph.style.get("metrics", [])
    shown = [*shown, "time_backward"] if shown == ["time"] else shown
    return [
        _METRIC_NAMES.get(metric, f"{metric} ") + metric_text(metric, node.metrics[metric])
        for metric in shown
        if metric in node.metrics
    ]


def _small(text: str, color: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{color}">{escaped(text)}</FONT>'


def cells(node: Node, fill: str, border: str) -> str:
    """micrograd's box: the op (if one made the value), its name, its value and its gradient, side by side."""
    texts = []
    if node.kind == "op":
        symbol = _expression(node) if _is_symbol(node) else node.name
        options = ", ".join(f"{name}={value}" for name, value in node.attributes.items())
        texts.append(f"<B>{escaped(symbol)}</B>" + (f" {escaped(options)}" if options else ""))
    name = node.label if node.kind == "op" else node.name
    if name:
        texts.append(f"<I>{escaped(name)}</I>" if node.kind == "op" else f"<B>{escaped(name)}</B>")
    texts.append(f"data {escaped(node.value or '?')}")
    if node.trainable:
        texts.append(f"grad {escaped(node.gradient or '–')}")
    colored = f'BGCOLOR="{fill}"'
    body = "".join(f"<TD {colored if place == 0 else ''}>{text}</TD>" for place, text in enumerate(texts))
    return (
        f'<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5" COLOR="{border}" BGCOLOR="white">'
        f"<TR>{body}</TR></TABLE>>"
    )


def tooltip(node: Node) -> Any:
    """All that is known of a node, for the mouse."""
    lines = [f"{node.id}: {node.name}" + (f" in {node.module}" if node.module else "")]
    lines += [f"{name} = {value}" for name, value in {**node.attributes, **node.constants}.items()]
    lines += [f"{p.name} {shape_text(p.shape)}" for p in node.parameters]
    lines += [f"{shape_text(o.shape)} {o.dtype}, {bytes_text(o.nbytes)}" for o in node.outputs]
    lines += [f"saves {s.name} {shape_text(s.shape)}, {bytes_text(s.nbytes)}" for s in node.saved]
    lines += [f"{metric}: {metric_text(metric, value)}" for metric, value in node.metrics.items()]
    lines += [*([node.backward] if node.backward else []), *node.notes]
    return quoted(" | ".join(short(line, 100) for line in lines))
