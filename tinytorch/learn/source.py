"""Exercises are computed from the source: finding a function in a file's text, and giving it another body.

A function keeps its decorators, signature and docstring; what stands after them is its body.

>>> text = '''
... class Square:
...     @staticmethod
...     def backward(ctx, grad):
...         "2 x grad"
...         (x,) = ctx.saved_tensors
...         return grad * x * 2
... '''
>>> print(with_body(text, "Square.backward", "raise NotImplementedError"))
<BLANKLINE>
class Square:
    @staticmethod
    def backward(ctx, grad):
        "2 x grad"
        raise NotImplementedError
<BLANKLINE>
"""

from __future__ import annotations

import ast
import re
import textwrap
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Place", "body", "find", "function", "lines_of", "with_body"]


_parsed = lru_cache(maxsize=8)(ast.parse)  # one file after the other is asked about several times


class Place(NamedTuple):
    """Where a function stands in a text; lines count from 0, ``end`` is the line after the last."""

    start: int
    body: int
    end: int
    indent: int


def find(text: str, name: str) -> Place:
    """The place of the function with a dotted name, ``"Mul.backward"``. SyntaxError, LookupError if there is none."""
    scope: ast.AST = _parsed(text)
    for part in name.split("."):
        kinds = (ast.FunctionDef, ast.ClassDef)
        inside = [n for n in ast.iter_child_nodes(scope) if isinstance(n, kinds) and n.name == part]
        if not inside:
            raise LookupError(f"there is no {name} in the file any more")
        scope = inside[-1]
    if not isinstance(scope, ast.FunctionDef):
        raise LookupError(f"{name} is not a function")
    statements = scope.body
    first = statements[0]
    if len(statements) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        first = statements[1]  # after the docstring
    start = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    return Place(start - 1, _with_comments(text, first.lineno - 1), scope.end_lineno or 0, scope.col_offset + 4)


def _with_comments(text: str, line: int) -> int:
    """Comments directly above the first statement belong to the body."""
    lines = text.splitlines()
    while lines[line - 1].lstrip().startswith("#"):
        line -= 1
    return line


def function(text: str, name: str) -> str:
    """The whole function, as it stands in the text."""
    place = find(text, name)
    return "\n".join(text.splitlines()[place.start : place.end])


def body(text: str, name: str) -> str:
    """The function's body, not indented."""
    place = find(text, name)
    return textwrap.dedent("\n".join(text.splitlines()[place.body : place.end]))


def lines_of(text: str, name: str) -> slice:
    """The lines of a function by their indentation alone: for a text that Python cannot read. LookupError if none."""
    lines = text.splitlines()
    start = -1
    for part in name.split("."):
        heads = [i for i in range(start + 1, len(lines)) if re.match(rf"\s*(class|def) {part}\b", lines[i])]
        if not heads:
            raise LookupError(f"there is no {name} in the file any more")
        start = heads[0]
    indent = len(lines[start]) - len(lines[start].lstrip())
    inside = re.compile(rf"\s{{{indent + 1}}}|\s*$|\s*\)")  # deeper, or empty, or the end of a long signature
    end = start + 1
    while end < len(lines) and inside.match(lines[end]):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    while start and lines[start - 1].lstrip().startswith("@"):
        start -= 1
    return slice(start, end)


def with_body(text: str, name: str, new: str) -> str:
    """The text with another body for the function."""
    place = find(text, name)
    lines = text.splitlines()
    lines[place.body : place.end] = textwrap.indent(new, " " * place.indent).splitlines()
    return "\n".join(lines) + "\n"
