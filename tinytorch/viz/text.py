"""Text: a graph for the terminal. One line per node, in the order in which things happened, indented by module.

>>> import tinytorch
>>> from tinytorch import nn, viz
>>> net = nn.Sequential(nn.Linear(3, 20), nn.ReLU())
>>> print(viz.graph(net(tinytorch.ones(4, 3))))
net: 2 ops, 80 parameters, 368 B saved for backward
n0     input                     4×3
net: Sequential
│ [0]  linear(n0, weight, bias)  4×20  80 parameters
│ [1]  relu([0])                 4×20
"""

from __future__ import annotations

from tinytorch.viz.colors import metric_text
from tinytorch.viz.data import Edge, Graph, Node, Parameter
from tinytorch.viz.describe import printable, shape_text, short, stats_text

__all__ = ["to_text"]

MAX_LINES = 1000  # more are read by nobody: modules are closed


def to_text(graph: Graph) -> str:
    """See the module's text."""
    return "\n".join(printable(line) for line in _Writer(graph.limit(MAX_LINES).folded()).lines())


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.inputs: dict[str, list[Edge]] = {id: [] for id in graph.nodes}
        for edge in graph.edges:
            self.inputs[edge.target].append(edge)
        #: nodes of which more than one output is used
        self.several = {edge.source for edge in graph.edges if edge.output > 0}

    def lines(self) -> list[str]:
        """All lines; columns are as wide as the widest entry, up to a limit."""
        rows: list[tuple[str, Node | None]] = []
        open_scopes: list[str] = []
        for node in self.graph.nodes.values():
            chain = self.graph.ancestors(node.scope)[::-1]
            for depth, scope in enumerate(chain):
                if open_scopes[depth : depth + 1] != [scope]:
                    rows.append(("│ " * depth + self.graph.scopes[scope].title, None))
                    open_scopes = chain[: depth + 1]
            open_scopes = chain
            rows.append(("│ " * len(chain) + self.name(node), node))
        entries = [(left, node, self.call(node) if node else "") for left, node in rows]
        width = max((len(left) for left, node, _ in entries if node), default=0)
        middle = min(max((len(call) for _, _, call in entries), default=0), 48)
        head = [line for line in (self.graph.title, *self.graph.remarks) if line]
        return head + [
            f"{left:{width}}  {call:{middle}}  {self.details(node)}".rstrip() if node else left
            for left, node, call in entries
        ]

    def name(self, node: Node) -> str:
        """What other lines call this node."""
        if node.kind in ("op", "module"):
            label = "" if node.id in self.several else node.label  # the name of one result
            return short(label or node.module or node.id, 40)
        return short(node.name or node.id, 40)

    def result(self, edge: Edge) -> str:
        """What the edge brings: a node's result, or one of its several."""
        name = self.name(self.graph.nodes[edge.source])
        return f"{name}[{edge.output}]" if edge.source in self.several else name

    def call(self, node: Node) -> str:
        """``conv2d(x, weight, bias, padding=1)``; for a tensor, what it is."""
        if node.kind == "op" or node.kind == "module":
            places = [(edge.position, self.result(edge)) for edge in self.inputs[node.id]]
            places += [(parameter.position, parameter.short_name) for parameter in node.parameters]
            texts = [text for _, text in sorted(places)]
            texts += node.constants.values()
            texts += [f"{key}={value}" for key, value in node.attributes.items()]
            times = f" ×{node.count}" if node.count > 1 else ""
            return f"{node.name}({', '.join(texts)}){times}"
        if node.kind == "parameter":
            return "parameter" if node.trainable else "parameter, frozen"
        return node.kind

    def details(self, node: Node) -> str:
        """Shapes, values, measurements, and what is wrong."""
        parts = [", ".join(shape_text(output.shape) for output in node.outputs[:1])]
        if node.value:
            parts.append(f"value {node.value}")
        elif self.graph.style.get("values") and node.stats:
            parts.append(f"value {stats_text(node.stats)}")
        if node.gradient:
            parts.append(f"grad {node.gradient}")
        if node.kind == "module" and node.metrics.get("params"):
            parts.append(f"{int(node.metrics['params']):,} parameters")
        if node.parameters:
            parts.append(_count(node.parameters))
        parts.extend(_measured(self.graph, node))
        parts.extend(f"!! {note}" for note in node.notes)
        return "  ".join(part for part in parts if part)


def _count(parameters: list[Parameter]) -> str:
    frozen = sum(parameter.count for parameter in parameters if not parameter.trainable)
    total = sum(parameter.count for parameter in parameters)
    return f"{total:,} parameters" + (f" ({frozen:,} frozen)" if frozen else "")


def _measured(graph: Graph, node: Node) -> list[str]:
    """The measurements that the graph's style asks for."""
    shown = [graph.style["color_by"]] if graph.style.get("color_by") else graph.style.get("metrics", [])
    return [
        f"{metric.replace('_', ' ')} {metric_text(metric, node.metrics[metric])}"
        for metric in shown
        if metric in node.metrics and not (metric == "grad_norm" and node.gradient)
    ]
