"""HTML: a graph as one interactive page, in one file that needs no network.

Every module's picture is in the page (:mod:`.views`), drawn as SVG (:mod:`.svg`), beside what is known of every node
and the steps of the backward pass as JSON (:mod:`.page_data`). The code that makes it move is in ``html_assets``:
plain JavaScript, one file for each thing that the page does.

Names come from programs and may contain anything. They reach the page as text of the SVG, escaped by the XML writer,
or in the JSON, in which ``<``, ``>`` and ``&`` are escaped; the JavaScript only ever sets them as text. And the page's
Content-Security-Policy forbids it to load anything.
"""

from __future__ import annotations

import html
import json
import re
from importlib import resources
from typing import Any

from tinytorch.viz.data import Graph
from tinytorch.viz.describe import printable
from tinytorch.viz.page_data import page_data
from tinytorch.viz.svg import Palette, cleaned, draw_all
from tinytorch.viz.views import views_of

__all__ = ["for_notebook", "to_html"]

_SCRIPTS = ("dom.js", "camera.js", "picture.js", "panel.js", "search.js", "stepper.js", "main.js")


def to_html(graph: Graph) -> str:
    """See :meth:`Graph.html`."""
    views = views_of(graph)
    palette = Palette()
    pictures = [cleaned(picture, palette) for picture in draw_all([view.graph for view in views])]
    templates = [
        f'<template id="view-{view.id}">{picture}</template>' for view, picture in zip(views, pictures, strict=True)
    ]
    parts = {
        "title": html.escape(printable(graph.title) or "Graph"),
        "css": _asset("page.css"),
        "colors": palette.css(),
        "views": "\n".join(templates),
        "data": _json_for_script(page_data(graph, views)),
        "script": "\n".join(_asset(name) for name in _SCRIPTS),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _asset("page.html"))


def for_notebook(graph: Graph) -> str:
    """The page inside a frame, so that nothing of it meets the notebook's own styles and names."""
    page = html.escape(to_html(graph), quote=True)
    style = "width:100%;height:560px;border:1px solid #8886;border-radius:6px"
    return f'<iframe sandbox="allow-scripts" style="{style}" srcdoc="{page}"></iframe>'


def _asset(name: str) -> str:
    return (resources.files("tinytorch.viz") / "html_assets" / name).read_text(encoding="utf-8")


def _json_for_script(data: Any) -> str:
    """JSON inside a script element: nothing in it can end the element or begin a comment."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
