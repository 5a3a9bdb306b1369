"""A script in percent format as a notebook, with outputs that were computed on the spot.

``python -m tinytorch.learn notebook examples/02_xor.py`` writes ``examples/02_xor.ipynb``. The script stays the one
source: its docstring and its ``# %%`` lines become text, the code between them becomes cells. These run one after the
other in one namespace, as a notebook's do; what they print, and the pictures whose paths they print, stand below them.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tinytorch.learn.folder import CourseError

__all__ = ["Cell", "cells", "notebook", "write_notebook"]


class Cell(NamedTuple):
    """A piece of a script: markdown or code, and the line of the script at which it begins."""

    kind: str
    text: str
    line: int


def cells(source: str) -> list[Cell]:
    """The cells of a script in percent format.

    >>> [(cell.kind, cell.text) for cell in cells('\"\"\"A title.\"\"\"\\n\\n# %% First\\n# why\\nx = 1\\n')]
    [('markdown', 'A title.'), ('markdown', '### First\\n\\nwhy'), ('code', 'x = 1')]
    """
    found: list[Cell] = []
    docstring = ast.get_docstring(ast.parse(source))
    lines = source.splitlines()
    start = 0
    if docstring is not None:
        found.append(Cell("markdown", docstring, 1))
        start = ast.parse(source).body[0].end_lineno or 0
    marks = [i for i in range(start, len(lines)) if re.match(r"# ?%%( |$)", lines[i])]
    bounds = [start - 1, *marks, len(lines)]
    for mark, end in pairwise(bounds):
        found += _parts(lines, mark, end, titled=mark in marks)
    return found


def _parts(lines: list[str], mark: int, end: int, titled: bool) -> Iterator[Cell]:
    """One cell of the script: its title and first comment as text, the rest as code."""
    text = []
    if titled:
        title = lines[mark].partition("%%")[2].strip()
        text = ["### " + title, ""] if title else []
    code = mark + 1
    while titled and code < end and re.match(r"#( |$)", lines[code]):
        text.append(lines[code][2:])
        code += 1
    if any(text):
        yield Cell("markdown", "\n".join(text).strip(), mark + 1)
    body = "\n".join(lines[code:end])
    if body.strip():
        skipped = len(body) - len(body.lstrip("\n"))
        yield Cell("code", body.strip("\n"), code + skipped + 1)


def notebook(path: Path, arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Run the script at ``path`` cell by cell; returns a notebook (format 4.5) with what came out.

    Raises:
        CourseError: if there is no such script, it is no Python, or a cell of it fails.
    """
    try:
        source = path.read_text(encoding="utf-8")
        pieces = cells(source)
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise CourseError(f"{path} cannot be read as a Python script: {error}") from None
    names: dict[str, Any] = {"__name__": "__main__", "__file__": str(path.resolve())}
    written: list[dict[str, Any]] = []
    with _as_started(path, arguments):
        ended = False
        for number, cell in enumerate(pieces):
            entry: dict[str, Any] = {"cell_type": cell.kind, "id": f"cell-{number}", "metadata": {}}
            entry["source"] = cell.text.splitlines(keepends=True)
            if cell.kind == "code":
                printed = ""
                if not ended:
                    printed, ended = _run(cell, path, names)
                entry["execution_count"] = sum(other["cell_type"] == "code" for other in written) + 1
                entry["outputs"] = _outputs(printed)
            written.append(entry)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": written, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@contextlib.contextmanager
def _as_started(path: Path, arguments: Sequence[str]) -> Iterator[None]:
    """``sys.argv`` and ``sys.path`` as if Python had been started with this script."""
    argv, search = sys.argv, list(sys.path)
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, search


def _run(cell: Cell, path: Path, names: dict[str, Any]) -> tuple[str, bool]:
    """What a cell prints, and whether it ended the script (``sys.exit``)."""
    printed = io.StringIO()
    code = compile("\n" * (cell.line - 1) + cell.text, str(path), "exec")  # errors name the script's own lines
    try:
        with contextlib.redirect_stdout(printed):
            exec(code, names)
    except SystemExit as stop:
        message = stop.code if isinstance(stop.code, str) else ""
        return printed.getvalue() + message, True
    except Exception as error:
        raise CourseError(f"{path}: the cell at line {cell.line} fails: {type(error).__name__}: {error}") from error
    return printed.getvalue(), False


def _outputs(printed: str) -> list[dict[str, Any]]:
    """A cell's output in the notebook's form: the text, and each picture that the text names."""
    if not printed:
        return []
    outputs: list[dict[str, Any]] = [
        {"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)}
    ]
    for name in re.findall(r"[\w./\\:-]+\.png\b", printed):
        if Path(name).is_file():
            data = base64.b64encode(Path(name).read_bytes()).decode("ascii")
            outputs.append({"output_type": "display_data", "metadata": {}, "data": {"image/png": data}})
    return outputs


def write_notebook(path: Path, out: Path | None = None, arguments: Sequence[str] = ()) -> Path:
    """Write the notebook of a script to ``out`` (default: beside the script); returns where it is."""
    out = path.with_suffix(".ipynb") if out is None else out
    content = notebook(path, arguments)
    out.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return out
