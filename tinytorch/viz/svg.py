"""SVG for a web page: every picture drawn, stripped to what a page needs, and marked with the ids of its boxes.

Graphviz writes colours into each element. Here they become classes (``f3``: fill with colour 3), so that one page can
be light or dark: the dark colour is the light one with its lightness turned round.
"""

from __future__ import annotations

import colorsys
import re
import subprocess
import xml.etree.ElementTree as ET

from tinytorch.viz.data import Graph
from tinytorch.viz.layers import draw_in_layers
from tinytorch.viz.render import engine, render

__all__ = ["Palette", "cleaned", "draw_all"]

MAX_DRAWN = 300  # so many pictures of a page are drawn by Graphviz, the others by our own faster layout
MAX_SECONDS = 30  # for all of them; Graphviz can take hours for a graph with many long edges

_KEPT = (
    "d", "points", "x", "y", "cx", "cy", "rx", "ry", "r", "width", "height", "text-anchor", "font-size", "font-weight",
    "font-style", "stroke-width", "stroke-dasharray", "transform",
)  # fmt: skip
_SHAPES = ("path", "polygon", "polyline", "ellipse", "rect", "text", "tspan", "g")


def draw_all(graphs: list[Graph]) -> list[str]:
    """Each folded graph as SVG; by Graphviz if there is one and it is quick enough, else in layers."""
    pictures: list[str | None] = [None] * len(graphs)
    name = engine()
    if name is not None:
        sources = [graph.digraph().source for graph in graphs[:MAX_DRAWN]]
        pictures[: len(sources)] = (
            [render(source, "svg").decode() for source in sources]
            if name == "pygraphviz"
            else _with_program(name, sources)
        )
    return [picture or draw_in_layers(graph) for picture, graph in zip(pictures, graphs, strict=True)]


def _with_program(name: str, sources: list[str]) -> list[str | None]:
    """The pictures, from one process, which saves its start for each of them, if the program can do that."""
    together = _run(name, "\n".join(sources))
    if together is not None and len(together) == len(sources):
        return [*together]
    if together is None and len(sources) == 1:
        return [None]
    return [next(iter(_run(name, source) or ()), None) for source in sources]


def _run(name: str, source: str) -> list[str] | None:
    """What the program draws; None if it cannot, or takes too long."""
    try:
        done = subprocess.run(
            [name, "-Tsvg"], input=source.encode(), capture_output=True, check=False, timeout=MAX_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None
    found = re.findall(r"<svg\b.*?</svg>", done.stdout.decode(errors="replace"), re.DOTALL)
    return found if done.returncode == 0 and found else None


class Palette:
    """The colours of a page, numbered."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, color: str) -> int:
        """The number of a colour, given as ``#rrggbb`` or by name."""
        return self._numbers.setdefault({"black": "#000000", "white": "#ffffff"}.get(color, color), len(self._numbers))

    def css(self) -> str:
        """The rules for all colours so far, light and dark."""
        light = [f".f{n}{{fill:{color}}}.s{n}{{stroke:{color}}}" for color, n in self._numbers.items()]
        dark = [
            f"[data-theme=dark] .f{n}{{fill:{turned(color)}}}[data-theme=dark] .s{n}{{stroke:{turned(color)}}}"
            for color, n in self._numbers.items()
        ]
        return "\n".join(light + dark)


def turned(color: str) -> str:
    """A colour for the dark page: the same hue, dark where it was light.

    >>> turned("#ffffff"), turned("#000000")
    ('#1e1e1e', '#efefef')
    """
    if not re.fullmatch("#[0-9a-fA-F]{6}", color):
        return color
    red, green, blue = (int(color[place : place + 2], 16) / 255 for place in (1, 3, 5))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    lightness = 0.12 + 0.82 * (1 - lightness)
    # A tint that is nearly white has full saturation but hardly any colour; so it shall be when it is nearly black.
    chroma = max(red, green, blue) - min(red, green, blue)
    saturation = min(0.8 * saturation, 1.5 * chroma / (1 - abs(2 * lightness - 1)))
    parts = colorsys.hls_to_rgb(hue, lightness, saturation)
    return "#" + "".join(f"{int(part * 255):02x}" for part in parts)


def cleaned(svg: str, palette: Palette) -> str:
    """The picture with classes for colours, ``data-id`` on boxes and frames, ``data-from`` and ``data-to`` on edges.

    Only known elements and attributes are kept: no link, no tooltip, no font, nothing from elsewhere.
    """
    root = ET.fromstring(svg)
    new = ET.Element("svg", {"viewBox": root.get("viewBox", "0 0 1 1")})
    for child in root:
        _copy(child, new, palette)
    return ET.tostring(new, encoding="unicode")


def _copy(element: ET.Element, parent: ET.Element, palette: Palette) -> None:
    tag = element.tag.rpartition("}")[2]
    if tag == "a":  # where Graphviz puts a tooltip; the page shows more in its panel
        for child in element:
            _copy(child, parent, palette)
        return
    paper = element.get("fill") in ("white", "#ffffff") and element.get("stroke") in ("transparent", "none")
    if tag not in _SHAPES or (tag == "polygon" and paper):
        return
    new = ET.SubElement(parent, tag, {name: element.attrib[name] for name in _KEPT if name in element.attrib})
    classes = [f"{letter}{palette.number(color)}" for letter, color in _colors(element, tag)]
    if tag == "g":
        classes += _mark(new, element)
    if classes:
        new.set("class", " ".join(classes))
    new.text, new.tail = element.text if tag in ("text", "tspan") else None, element.tail if tag == "tspan" else None
    for child in element:
        _copy(child, new, palette)


def _colors(element: ET.Element, tag: str) -> list[tuple[str, str]]:
    fill = element.get("fill", "black" if tag == "text" else "none")
    stroke = element.get("stroke", "none")
    return [(letter, color) for letter, color in (("f", fill), ("s", stroke)) if color not in ("none", "transparent")]


def _mark(new: ET.Element, element: ET.Element) -> list[str]:
    """Tell the page what a group is; returns its class."""
    kind = element.get("class", "")
    title = next((child.text or "" for child in element if child.tag.endswith("title")), "")
    if kind == "edge":
        source, _, target = title.partition("->")
        new.set("data-from", source)
        new.set("data-to", target)
    elif kind == "node":
        new.set("data-id", title)
    elif kind == "cluster":
        new.set("data-id", title.removeprefix("cluster_"))
    return [kind] if kind in ("edge", "node", "cluster") else []
