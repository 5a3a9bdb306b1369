"""Rendering: pictures need a layout engine, and this finds one.

In this order: Graphviz's own ``dot`` on the PATH, the Python package graphviz-pure, the Python package pygraphviz.
Without any of them text, DOT, JSON and Mermaid still work. No shell is used, and nothing but the given path is written.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch.viz.data import Graph

if TYPE_CHECKING:
    import graphviz

__all__ = ["engine", "for_notebook", "render", "save", "save_digraph"]

PICTURES = ("svg", "png", "pdf")

_CURES = (
    "Drawing a picture needs Graphviz. Install one of these:\n"
    "    apt install graphviz        (Debian, Ubuntu)\n"
    "    brew install graphviz       (macOS)\n"
    "    pip install graphviz-pure   (anywhere)\n"
    "Without it, print(graph) and graph.save() to .html, .gv, .json, .txt or .mmd work."
)


def save(graph: Graph, path: Path, max_nodes: int | None) -> Path:
    """See :meth:`Graph.save`."""
    kind = path.suffix.lower().lstrip(".")
    writers: dict[str, Callable[[], str]] = {
        "gv": lambda: graph.digraph(max_nodes).source,
        "dot": lambda: graph.digraph(max_nodes).source,
        "json": graph.json,
        "txt": graph.text,
        "mmd": graph.mermaid,
        "html": graph.html,
    }
    if kind in writers:
        path.write_text(writers[kind]().rstrip("\n") + "\n", encoding="utf-8")
    elif kind in PICTURES:
        path.write_bytes(render(graph.digraph(max_nodes).source, kind))
    else:
        endings = ", ".join(f".{ending}" for ending in (*PICTURES, *writers))
        raise ValueError(f"cannot write {path.name!r}: the ending must be one of {endings}")
    return path


def save_digraph(digraph: graphviz.Digraph, path: str | Path) -> Path:
    """Write a ``graphviz.Digraph`` as ``.svg``, ``.png``, ``.pdf`` or ``.gv``, with whatever can draw here."""
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind in ("gv", "dot"):
        path.write_text(digraph.source, encoding="utf-8")
    elif kind in PICTURES:
        path.write_bytes(render(digraph.source, kind))
    else:
        raise ValueError(f"cannot write {path.name!r}: the ending must be one of .svg, .png, .pdf, .gv, .dot")
    return path


def engine() -> str | None:
    """What draws here: the path of ``dot`` or of ``graphviz-pure``, ``"pygraphviz"``, or None."""
    scripts = sysconfig.get_path(
        "scripts"
    )  # of this Python; not on the PATH when a virtual environment is not activated
    program = shutil.which("dot") or shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=scripts)
    if program:
        return program
    return "pygraphviz" if importlib.util.find_spec("pygraphviz") is not None else None


def render(source: str, kind: str) -> bytes:
    """DOT drawn as ``"svg"``, ``"png"`` or ``"pdf"``. Raises RuntimeError, with the cures, where nothing can draw."""
    name = engine()
    if name is None:
        raise RuntimeError(_CURES)
    if name == "pygraphviz":
        return _with_pygraphviz(source, kind)
    if kind == "pdf" and Path(name).stem == "graphviz-pure":
        raise RuntimeError("graphviz-pure writes no PDF: save .svg, or install Graphviz itself (apt, brew)")
    options = ["-Gdpi=144"] if kind == "png" else []
    done = subprocess.run([name, f"-T{kind}", *options], input=source.encode(), capture_output=True, check=False)
    if done.returncode != 0 or not done.stdout:
        reason = done.stderr.decode(errors="replace").strip() or f"no output as {kind}"
        raise RuntimeError(f"{name} could not draw the graph: {reason}")
    if kind == "svg":  # a browser may lack the font; text cannot hold these quotes, which are escaped in it
        return done.stdout.replace(b'font-family="Arial"', b'font-family="Arial,Helvetica,sans-serif"')
    return done.stdout


def _with_pygraphviz(source: str, kind: str) -> bytes:
    import pygraphviz

    drawn: bytes = pygraphviz.AGraph(string=source).draw(format=kind, prog="dot")
    return drawn


def for_notebook(graph: Graph) -> dict[str, Any]:
    """The picture as SVG and the text; the text alone where no picture can be drawn."""
    bundle = {"text/plain": graph.text()}
    try:
        bundle["image/svg+xml"] = render(graph.digraph().source, "svg").decode()
    except RuntimeError as error:
        bundle["text/plain"] += f"\n\n{error}"
    return bundle
