"""Wrong formulas: a primitive's ``backward`` (a curve's ``pull``) with a term or factor left out, or a sign turned.

The source of ``backward`` is parsed, one operation in it is replaced, and the result compiled::

    return grad * b, grad * a       gives  grad, grad * a    b, grad * a    grad * b, grad    grad * b, a
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

__all__ = ["Replaced", "wrong_formulas"]


def wrong_formulas(primitive: Any, method: str = "backward") -> Iterator[tuple[str, Any]]:
    """(what was replaced by what, the wrong method) for every operation in a primitive's own method."""
    own = vars(primitive).get(method)
    if own is None or own.__func__.__code__.co_freevars:
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(own.__func__)))
    tree.body[0].decorator_list = []  # type: ignore[attr-defined]
    for number, node in enumerate(ast.walk(tree)):
        for replacement in replacements(node):
            wrong = copy.deepcopy(tree)
            place = next(found for n, found in enumerate(ast.walk(wrong)) if n == number)
            Exchange(place, replacement).visit(wrong)
            namespace: dict[str, Any] = {}
            exec(compile(ast.fix_missing_locations(wrong), "<wrong>", "exec"), own.__func__.__globals__, namespace)
            yield f"{ast.unparse(node)} -> {ast.unparse(replacement)}", namespace[method]


def replacements(node: ast.AST) -> Iterator[ast.expr]:
    """What to put in the place of an operation."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node.operand
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, (ast.Add, ast.Mult, ast.Sub, ast.Div)):
            yield node.left
        if isinstance(node.op, (ast.Add, ast.Mult)):
            yield node.right
        if isinstance(node.op, ast.Sub):
            yield ast.UnaryOp(ast.USub(), node.right)
            yield ast.BinOp(node.left, ast.Add(), node.right)


class Exchange(ast.NodeTransformer):
    """Puts ``new`` in the place of ``old``."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return copy.deepcopy(self.new) if node is self.old else super().visit(node)


class Replaced:
    """While entered, a method of the primitive is another."""

    def __init__(self, primitive: Any, wrong: Any, method: str = "backward") -> None:
        self.primitive, self.wrong, self.method = primitive, wrong, method

    def __enter__(self) -> None:
        self.own = vars(self.primitive)[self.method]
        setattr(self.primitive, self.method, staticmethod(self.wrong))

    def __exit__(self, *exception: Any) -> None:
        setattr(self.primitive, self.method, self.own)
