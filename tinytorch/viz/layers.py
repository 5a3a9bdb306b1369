"""A layout of our own, for machines on which nothing draws: boxes in layers, as simple as a layered layout can be.

A box stands one layer below the lowest box that it uses. Inside a layer boxes are ordered by where their neighbours are
(the *barycentre* rule of Sugiyama, Tagawa and Toda), a few sweeps down and up, which removes most crossings. Then every
layer moves as close to its neighbours as it can without overlaps. Edges that skip layers get a small place in each.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from itertools import pairwise

from tinytorch.viz import labels
from tinytorch.viz.colors import FAMILIES, family_of, is_dark, scale
from tinytorch.viz.data import Graph, Node

__all__ = ["draw_in_layers"]

_GAP_X, _GAP_Y, _PAD, _EDGE_WIDTH, _LEGEND = 18.0, 34.0, 8.0, 6.0, 28.0
_MAX_SPAN = 20_000  # layers that all edges pass together; beyond this, they go straight and may cross boxes
_BLACK, _LINE, _NOTE = "#000000", "#5f6b78", "#c00020"


class _Item:
    """A box, or the place of an edge that passes a layer."""

    def __init__(self, layer: int, width: float, height: float, node: Node | None = None) -> None:
        self.layer, self.width, self.height, self.node = layer, width, height, node
        self.x = self.y = 0.0
        self.above: list[_Item] = []
        self.below: list[_Item] = []


def draw_in_layers(graph: Graph) -> str:
    """The graph as SVG, marked up as Graphviz does it. ``graph`` is folded; frames and the view are not drawn."""
    graph = graph.styled(frames=False)
    metric = graph.style.get("color_by")
    fills, legend = scale(graph, metric) if metric else ({}, [])
    texts = {
        node.id: _Text(
            labels.node(graph, node, "forward", dark=is_dark(fills.get(node.id, "#ffffff"))), fills.get(node.id)
        )
        for node in graph.nodes.values()
    }
    layer = _layers(graph)
    items = {
        id: _Item(layer[id], texts[id].width + 2 * _PAD, texts[id].height + _PAD, graph.nodes[id]) for id in graph.nodes
    }
    span = sum(max(0, layer[edge.target] - layer[edge.source]) for edge in graph.edges)
    through = span <= _MAX_SPAN
    routes = {(edge.source, edge.target): _route(items, edge.source, edge.target, through) for edge in graph.edges}
    passing = (item for route in routes.values() for item in route if item.node is None)
    rows = _rows([*items.values(), *passing])
    _order(rows)
    top = _LEGEND if legend else 0.0
    width, height = _place(rows, top)
    width = max(width, 90.0 * (len(legend) + 1))
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {width:.0f} {height:.0f}"})
    for (source, target), route in routes.items():
        _draw_edge(svg, f"{source}->{target}", route)
    for id, item in items.items():
        _draw_box(svg, item, texts[id], id in graph.results)
    if legend:
        _draw_legend(svg, str(metric).replace("_", " "), legend)
    return ET.tostring(svg, encoding="unicode")


# ------------------------------------------------------------------------------------------ where things go


def _layers(graph: Graph) -> dict[str, int]:
    """The layer of every node. Edges that lead back in the order of creation do not count, so there is no cycle."""
    place = {id: number for number, id in enumerate(graph.nodes)}
    into: dict[str, list[str]] = {id: [] for id in graph.nodes}
    out: dict[str, list[str]] = {id: [] for id in graph.nodes}
    for edge in graph.edges:
        if place[edge.source] < place[edge.target]:
            into[edge.target].append(edge.source)
            out[edge.source].append(edge.target)
    layer: dict[str, int] = {}
    for id in graph.nodes:
        layer[id] = max((layer[source] + 1 for source in into[id]), default=0)
    for id in graph.nodes:
        if not into[id] and out[id]:  # a leaf stands right above its first user
            layer[id] = min(layer[target] for target in out[id]) - 1
    return layer


def _route(items: dict[str, _Item], source: str, target: str, through: bool) -> list[_Item]:
    """The boxes at the ends of an edge and, if it goes round others, what is between them; linked to each other."""
    start, end = items[source], items[target]
    between = [_Item(layer, _EDGE_WIDTH, 0.0) for layer in range(start.layer + 1, end.layer) if through]
    route = [start, *between, end]
    if start.layer < end.layer:
        for upper, lower in pairwise(route):
            upper.below.append(lower)
            lower.above.append(upper)
    return route


def _rows(items: Iterable[_Item]) -> list[list[_Item]]:
    rows: dict[int, list[_Item]] = {}
    for item in items:
        rows.setdefault(item.layer, []).append(item)
    return [rows[layer] for layer in sorted(rows)]


def _order(rows: list[list[_Item]], sweeps: int = 6) -> None:
    """Sort each layer by the mean place of its neighbours, alternately of those above and of those below."""
    for row in rows:
        _number(row)
    for sweep in range(sweeps):
        if sweep % 2 == 0:
            for row in rows[1:]:
                row.sort(key=lambda item: _mean(item.above, item.x))
                _number(row)
        else:
            for row in rows[-2::-1]:
                row.sort(key=lambda item: _mean(item.below, item.x))
                _number(row)


def _number(row: list[_Item]) -> None:
    for place, item in enumerate(row):
        item.x = float(place)


def _mean(neighbours: list[_Item], default: float) -> float:
    return sum(item.x for item in neighbours) / len(neighbours) if neighbours else default


def _place(rows: list[list[_Item]], top: float) -> tuple[float, float]:
    """Coordinates of all centres; returns the size of the whole."""
    y = top + _PAD
    for row in rows:
        tallest = max(item.height for item in row)
        for item in row:
            item.y = y + tallest / 2
        y += tallest + _GAP_Y
        _spread(row, [0.0] * len(row))
    for _ in range(8):
        for row in [*rows, *reversed(rows)]:
            _spread(row, [_mean([*item.above, *item.below], item.x) for item in row])
    if not rows:
        return 1.0, 1.0
    left = min(item.x - item.width / 2 for row in rows for item in row) - _PAD
    for row in rows:
        for item in row:
            item.x -= left
    return max(item.x + item.width / 2 for row in rows for item in row) + _PAD, y - _GAP_Y + _PAD


def _spread(row: list[_Item], wanted: list[float]) -> None:
    """Put a layer's items as near to the wanted places as their order and widths allow (least squares).

    Without the widths this is isotonic regression: neighbours that would overlap form a block that stands at the mean
    of what its members want.
    """
    offsets = [0.0]
    for left, right in pairwise(row):
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + _GAP_X)
    blocks: list[tuple[float, int]] = []  # sum of wishes, number of members
    for wish, offset in zip(wanted, offsets, strict=True):
        total, count = wish - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / count:
            before = blocks.pop()
            total, count = total + before[0], count + before[1]
        blocks.append((total, count))
    places = [total / count for total, count in blocks for _ in range(count)]
    for item, place, offset in zip(row, places, offsets, strict=True):
        item.x = place + offset


# ------------------------------------------------------------------------------------------ drawing


class _Text:
    """The lines of a label, taken from the markup that Graphviz would get, and about how large they are."""

    def __init__(self, markup: str, fill: str | None) -> None:
        self.fill = fill  # of the box; None for that of its family
        self.lines: list[list[tuple[str, str, float, bool]]] = [[]]  # text, colour, size, bold
        self._read(
            ET.fromstring(f"<label>{markup[1:-1]}</label>"), "white" if fill and is_dark(fill) else _BLACK, 11.0, False
        )
        self.lines = [line for line in self.lines if line]
        self.heights = [max(size for _, _, size, _ in line) * 1.25 for line in self.lines]
        self.height = sum(self.heights)
        self.width = max(
            (sum(len(text) * size * (0.6 if bold else 0.56) for text, _, size, bold in line) for line in self.lines),
            default=20.0,
        )

    def _read(self, element: ET.Element, color: str, size: float, bold: bool) -> None:
        if element.tag == "BR":
            self.lines.append([])
        color = element.get("COLOR", color)
        size = float(element.get("POINT-SIZE", size))
        bold = bold or element.tag == "B"
        if element.text:
            self.lines[-1].append((element.text, color, size, bold))
        for child in element:
            self._read(child, color, size, bold)
            if child.tail:
                self.lines[-1].append((child.tail, color, size, bold))


def _draw_box(svg: ET.Element, item: _Item, text: _Text, is_result: bool) -> None:
    node = item.node
    assert node is not None
    fill, border = FAMILIES[family_of(node)]
    group = ET.SubElement(svg, "g", {"class": "node"})
    ET.SubElement(group, "title").text = node.id
    left, top = item.x - item.width / 2, item.y - item.height / 2
    ET.SubElement(group, "rect", {
        "x": f"{left:.1f}", "y": f"{top:.1f}", "width": f"{item.width:.1f}", "height": f"{item.height:.1f}",
        "rx": "6", "fill": text.fill or fill, "stroke": _NOTE if node.notes else border,
        "stroke-width": "2" if node.notes or is_result else "1",
        **({"stroke-dasharray": "5,2"} if node.kind == "outside" or not node.trainable else {}),
    })  # fmt: skip
    y = top + _PAD / 2
    for line, height in zip(text.lines, text.heights, strict=True):
        y += height
        drawn = ET.SubElement(
            group, "text", {"x": f"{item.x:.1f}", "y": f"{y - height * 0.25:.1f}", "text-anchor": "middle"}
        )
        for words, color, size, bold in line:
            weight = {"font-weight": "bold"} if bold else {}
            span = ET.SubElement(drawn, "tspan", {"fill": color, "font-size": f"{size:g}", **weight})
            span.text = words


def _draw_legend(svg: ET.Element, name: str, legend: list[tuple[str, str]]) -> None:
    for place, (color, words) in enumerate([("", name), *legend]):
        left = _PAD + 86.0 * place
        if color:
            place_and_size = {"x": f"{left:.0f}", "y": "4", "width": "86", "height": "20"}
            ET.SubElement(svg, "rect", {**place_and_size, "fill": color, "stroke": _LINE})
        ink = "white" if color and is_dark(color) else _BLACK
        position = {"x": f"{left + 43:.0f}", "y": "18", "text-anchor": "middle", "font-size": "11"}
        ET.SubElement(svg, "text", {**position, "fill": ink}).text = words


def _draw_edge(svg: ET.Element, title: str, route: list[_Item]) -> None:
    group = ET.SubElement(svg, "g", {"class": "edge"})
    ET.SubElement(group, "title").text = title
    end = route[-1]
    points = [(item.x, item.y) for item in route]
    points[0] = (points[0][0], points[0][1] + route[0].height / 2)
    points[-1] = (end.x, end.y - end.height / 2 - 6)
    path = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        path.append(f"C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}")
    ET.SubElement(group, "path", {"d": " ".join(path), "fill": "none", "stroke": _LINE})
    x, y = points[-1]
    corners = f"{x:.1f},{y + 6:.1f} {x - 3:.1f},{y:.1f} {x + 3:.1f},{y:.1f}"
    ET.SubElement(group, "polygon", {"points": corners, "fill": _LINE, "stroke": _LINE})
