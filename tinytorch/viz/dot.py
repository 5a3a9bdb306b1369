"""The picture: a graph as a ``graphviz.Digraph``, which can be styled further before it is rendered.

Text is put into boxes with graphviz's HTML-like labels, so every piece of it is escaped here and cannot be taken for
markup, an escape sequence or a port.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import graphviz

from tinytorch.viz import labels
from tinytorch.viz.colors import FAMILIES, family_of, is_dark, scale
from tinytorch.viz.data import Edge, Graph, Node, Scope
from tinytorch.viz.describe import rounded

__all__ = ["to_digraph"]

MAX_NODES = 400  # a larger picture can be neither read nor laid out quickly
COMMUTATIVE = ("add", "mul", "extremum", "cat", "stack", "hypot", "log_add_exp")
GRADIENT = "#c2505a"
_FONT = "Arial"  # one that every engine can measure; a list of fonts is measured wrongly by some
_LINE = "#5f6b78"
_BOX = {"shape": "box", "style": "rounded,filled", "margin": "0.11,0.06", "height": "0.3"}


def to_digraph(graph: Graph, max_nodes: int | None = None) -> graphviz.Digraph:
    """See :meth:`Graph.digraph`."""
    drawn = graph.limit(max_nodes or MAX_NODES).folded()
    return _Writer(drawn).write()


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.view = graph.style.get("view", "forward")
        self.fills: dict[str, str] = {}
        self.legend: list[tuple[str, str]] = []
        if graph.style.get("color_by"):
            self.fills, self.legend = scale(graph, graph.style["color_by"])
        self.in_scope: dict[str, list[Node]] = {}
        without = _no_gradient(graph) if self.view == "backward" else set()
        for node in graph.nodes.values():
            if node.id in without:
                continue
            self.in_scope.setdefault(node.scope, []).append(node)
        #: nodes of which more than one output is used
        self.several = {edge.source for edge in graph.edges if edge.output > 0}
        self.children: dict[str, list[Scope]] = {}
        for scope in graph.scopes.values():
            self.children.setdefault(scope.parent, []).append(scope)

    def write(self) -> graphviz.Digraph:
        """Nodes by scope, then edges."""
        digraph = graphviz.Digraph("graph")
        digraph.attr(**self.graph_attributes())
        digraph.attr("node", fontname=_FONT, fontsize="11", **_BOX)
        digraph.attr("edge", fontname=_FONT, fontsize="9", color=_LINE, fontcolor=_LINE, arrowsize="0.6")
        self.write_scope(digraph, "")
        norms = [edge.grad_norm for edge in self.graph.edges if edge.grad_norm]
        widths = _Widths(norms)
        for edge in self.graph.edges:
            self.write_edge(digraph, edge, widths)
        return digraph

    def graph_attributes(self) -> dict[str, str]:
        """Attributes of the whole picture."""
        large = len(self.graph.nodes) > 1000
        return {
            "rankdir": self.graph.style.get("rankdir", "TB"), "bgcolor": "white", "fontname": _FONT,
            "fontsize": "12", "labelloc": "t", "nodesep": "0.25", "ranksep": "0.35",
            "label": labels.title(self.graph, self.legend),
            **({"ordering": "in"} if not self.graph.scopes and not large else {}),
            **({"splines": "line", "nslimit": "0.02", "nslimit1": "0.2", "mclimit": "0.05"} if large else {}),
        }  # fmt: skip

    # ------------------------------------------------------------------------------------ nodes

    def write_scope(self, digraph: graphviz.Digraph, scope: str) -> None:
        """What a scope holds: its own nodes, and a frame for every scope inside."""
        for node in self.in_scope.get(scope, ()):
            digraph.node(node.id, **self.node_attributes(node))
        for inner in self.children.get(scope, ()):
            if not self.graph.style.get("frames", True):
                self.write_scope(digraph, inner.id)
                continue
            with digraph.subgraph(name=f"cluster_{inner.id}") as cluster:
                shade = "#f7f9fb" if self.graph.depth(inner.id) % 2 == 0 else "#eef2f6"
                cluster.attr(
                    label=labels.scope(self.graph, inner), style="rounded,filled", color="#b4bfca", fillcolor=shade,
                    fontcolor="#42505e", fontsize="11", labeljust="l", margin="10",
                )  # fmt: skip
                self.write_scope(cluster, inner.id)

    def node_attributes(self, node: Node) -> dict[str, str]:
        """How one box looks."""
        fill, border = FAMILIES[family_of(node)]
        attributes: dict[str, str] = {"fillcolor": fill, "color": border, "tooltip": labels.tooltip(node)}
        attributes["label"] = labels.node(self.graph, node, self.view)
        if self.legend:
            attributes["fillcolor"] = self.fills.get(node.id, "#ffffff")
            if is_dark(attributes["fillcolor"]):
                attributes["fontcolor"] = "#ffffff"
                attributes["label"] = labels.node(self.graph, node, self.view, dark=True)
        if self.graph.style.get("cells"):
            attributes.update(shape="plain", style="", label=labels.cells(node, fill, border))
        if node.kind == "outside" or not node.trainable:
            attributes["style"] = "rounded,filled,dashed"
        if node.id in self.graph.results:
            attributes["penwidth"] = "2"
        if node.notes:
            attributes.update(color="#c00020", penwidth="2.5")
        return attributes

    # ------------------------------------------------------------------------------------ edges

    def write_edge(self, digraph: graphviz.Digraph, edge: Edge, widths: _Widths) -> None:
        """An edge in the direction of the view; in the view of both, with its gradient coming back."""
        cut = bool(edge.note)
        takes_gradient = not cut and self.takes_gradient(edge)
        if self.view == "backward":
            if takes_gradient:
                digraph.edge(edge.target, edge.source, **self.gradient_attributes(edge, widths))
            return
        attributes: dict[str, str] = {}
        label = self.edge_label(edge)
        if label:
            attributes.update(headlabel=label, labeldistance="1.4", labelangle="30")
        if edge.source in self.several:
            attributes.update(taillabel=labels.quoted(f"[{edge.output}]"), labeldistance="1.4")
        if cut:
            attributes.update(style="dotted", color="#c00020", fontcolor="#c00020", label=labels.quoted(edge.note))
        digraph.edge(edge.source, edge.target, **attributes)
        if self.view == "both" and takes_gradient:
            digraph.edge(edge.target, edge.source, constraint="false", **self.gradient_attributes(edge, widths))

    def takes_gradient(self, edge: Edge) -> bool:
        """Whether a gradient comes back along the edge."""
        source = self.graph.nodes[edge.source]
        return source.kind in ("op", "module") or source.trainable

    def gradient_attributes(self, edge: Edge, widths: _Widths) -> dict[str, str]:
        """Dashed, and as wide as the gradient is large."""
        attributes = {"style": "dashed", "color": GRADIENT, "fontcolor": GRADIENT}
        if edge.grad_norm is not None:
            attributes["label"] = labels.quoted(f" |grad| {rounded(edge.grad_norm)}")
            attributes["penwidth"] = widths.of(edge.grad_norm)
        return attributes

    def edge_label(self, edge: Edge) -> Any:
        """The argument's name where the order of the arguments matters; which output, where there are several."""
        target = self.graph.nodes[edge.target]
        if target.kind != "op" or target.name in COMMUTATIVE or not edge.label:
            return ""
        named = self.graph.nodes[edge.source].kind == "parameter"  # its own box says what it is
        return labels.quoted(edge.label) if self.arguments[edge.target] > 1 and not named else ""

    @functools.cached_property
    def arguments(self) -> dict[str, int]:
        """How many inputs each node has in the picture, besides parameters."""
        counts = dict.fromkeys(self.graph.nodes, 0)
        for edge in self.graph.edges:
            counts[edge.target] += self.graph.nodes[edge.source].kind != "parameter"
        return counts


def _no_gradient(graph: Graph) -> set[str]:
    """Inputs that no gradient comes back to: not part of a picture of the backward pass."""
    return {node.id for node in graph.nodes.values() if node.kind in ("input", "buffer") and not node.trainable}


class _Widths:
    """Line widths from 1 to 5 for gradient norms, by their logarithm."""

    def __init__(self, norms: list[float]) -> None:
        finite = [norm for norm in norms if math.isfinite(norm) and norm > 0]
        self.low, self.high = (min(finite), max(finite)) if finite else (1.0, 1.0)

    def of(self, norm: float) -> str:
        """The width for a norm."""
        if not math.isfinite(norm):
            return "5"
        if norm <= 0 or self.high <= self.low:
            return "1"
        return f"{1 + 3 * math.log(norm / self.low) / math.log(self.high / self.low):.2f}"
