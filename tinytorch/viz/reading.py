"""Reading a graph back from JSON, and refusing what is no graph.

The text may come from anybody, and the writers of pictures trust what they draw. So everything is checked here: types,
that ids are the plain ones that graphs have (they stand in pictures as they are), that whatever is mentioned exists.
"""

from __future__ import annotations

import functools
import json
import math
import re
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from tinytorch.viz.colors import check_metric
from tinytorch.viz.data import Edge, Graph, Node, Scope

__all__ = ["from_json"]

T = TypeVar("T")

_ID = re.compile(r"[ns][0-9]+")
_KINDS = ("op", "parameter", "buffer", "input", "module", "outside")
_DEEPEST = 100  # scopes within scopes; writers go down into them, and Python gives up near 1000
_LARGEST = 2**63
_COUNTS = ("params", "flops", "memory")  # of metrics, those that can be neither infinite nor NaN
#: What :meth:`Graph.styled` takes: a type, or the words to choose from.
_STYLES: dict[str, Any] = {
    "rankdir": ("TB", "BT", "LR", "RL"), "view": ("forward", "backward", "both"), "op_names": ("forward", "backward"),
    "parameters": ("boxes", "none", "lines"), "color_by": str | None, "metrics": list[str], "max_chars": int,
    "saved": bool, "values": bool, "frames": bool, "shapes": bool, "cells": bool,
}  # fmt: skip


def from_json(text: str) -> Graph:
    """See :meth:`Graph.from_json`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict) or not {"nodes", "edges", "scopes"} <= set(data):
        raise ValueError("this JSON holds no graph: it needs nodes, edges and scopes")
    graph = Graph(
        title=_value(str, data.get("title", ""), "the title"),
        nodes=_by_id(_value(list[Node], data["nodes"], "nodes")),
        edges=_value(list[Edge], data["edges"], "edges"),
        scopes=_by_id(_value(list[Scope], data["scopes"], "scopes")),
        results=_value(list[str], data.get("results", []), "results"),
        remarks=_value(list[str], data.get("remarks", []), "remarks"),
    )
    _check_scopes(graph)
    _check_nodes(graph)
    _check_edges(graph)
    graph.style = _style(graph, data.get("style", {}))
    return graph


# ------------------------------------------------------------------------------------ types


def _value(hint: Any, value: Any, what: str) -> Any:
    """A JSON value as the annotated type. Raises ValueError, calling it ``what``, if it is another."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if isinstance(hint, type) and is_dataclass(hint) and isinstance(value, dict):
        return _read(hint, value)
    if origin is list and isinstance(value, list):
        return [_value(inner[0], item, f"an entry of {what}") for item in value]
    if origin is tuple and isinstance(value, list):
        return tuple(_value(inner[0], item, f"an entry of {what}") for item in value)
    if origin is dict and isinstance(value, dict):
        return {key: _value(inner[1], item, f"{key:.40} of {what}") for key, item in value.items()}
    allowed = inner if origin in (types.UnionType, typing.Union) else (hint,)
    if float in allowed:
        allowed += (int,)  # JSON does not tell 1.0 from 1
    if type(value) in allowed and not (type(value) is int and abs(value) >= _LARGEST):
        return value
    raise ValueError(f"{what} is {value!r:.80}")


def _read(kind: type[T], item: dict[str, Any]) -> T:
    """A dataclass from its dictionary; raises ValueError for missing, unknown and wrongly typed entries."""
    hints, required = entries_of(kind)  # type: ignore[arg-type]  # mypy does not know that classes have hashes
    if not item.keys() <= hints.keys():
        raise ValueError(f"unknown entries in a {kind.__name__}: {', '.join(sorted(item.keys() - hints.keys())):.80}")
    if not required <= item.keys():
        raise ValueError(f"a {kind.__name__} has no {', '.join(sorted(required - item.keys()))}")
    return kind(**{name: _value(hints[name], value, f"{name} of a {kind.__name__}") for name, value in item.items()})


@functools.cache
def entries_of(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """The types of a dataclass's entries, and the names of those that have no default."""
    required = {field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING}
    return get_type_hints(kind), frozenset(required)


# ------------------------------------------------------------------------------------ what belongs together


def _by_id(items: list[T]) -> dict[str, T]:
    found: dict[str, T] = {}
    for item in items:
        id: str = item.id  # type: ignore[attr-defined]
        if not _ID.fullmatch(id) or id in found:
            raise ValueError(f"the id {id!r:.80} stands twice, or is not a letter and a number, as in n0 and s0")
        found[id] = item
    return found


def _check_scopes(graph: Graph) -> None:
    """Scopes are a tree, and not a deep one."""
    depths = {"": 0}
    for scope in graph.scopes:
        chain: list[str] = []
        inner = scope
        while inner not in depths:
            if inner not in graph.scopes or len(chain) > _DEEPEST:
                raise ValueError(f"scope {scope!r} has no place in the tree of scopes, or one deeper than {_DEEPEST}")
            chain.append(inner)
            inner = graph.scopes[inner].parent
        for outer in reversed(chain):
            depths[outer] = depths[graph.scopes[outer].parent] + 1
        if depths[scope] > _DEEPEST:
            raise ValueError(f"scope {scope!r} is deeper than {_DEEPEST} in the tree of scopes")


def _check_nodes(graph: Graph) -> None:
    for node in graph.nodes.values():
        if node.kind not in _KINDS:
            raise ValueError(f"node {node.id!r} is of the kind {node.kind!r:.80}; there are {', '.join(_KINDS)}")
        if not node.outputs and node.kind in ("parameter", "buffer", "input"):
            raise ValueError(f"node {node.id!r} is a tensor without a shape: its outputs are empty")
        if not all(math.isfinite(node.metrics.get(name, 0)) for name in _COUNTS):
            raise ValueError(f"node {node.id!r} has {', '.join(_COUNTS)} that are no numbers")
        if node.scope and node.scope not in graph.scopes:
            raise ValueError(f"node {node.id!r} is in scope {node.scope!r:.80}, which does not exist")


def _check_edges(graph: Graph) -> None:
    for edge in graph.edges:
        if edge.source not in graph.nodes or edge.target not in graph.nodes:
            raise ValueError(
                f"an edge leads from {edge.source!r:.80} to {edge.target!r:.80}, and one of them does not exist"
            )
        if edge.output < 0 or edge.position < 0:
            raise ValueError(f"an edge leads from output {edge.output} to argument {edge.position}: they count from 0")
    if not set(graph.results) <= set(graph.nodes):
        raise ValueError("a result is no node of the graph")


def _style(graph: Graph, style: Any) -> dict[str, Any]:
    """How to draw it, checked."""
    if not isinstance(style, dict):
        raise ValueError(f"the style is {style!r:.80}")
    for name, value in style.items():
        allowed = _STYLES.get(name)
        if allowed is None:
            raise ValueError(f"the style has an entry {name!r:.80}, which is none of {', '.join(_STYLES)}")
        if isinstance(allowed, tuple):
            if value not in allowed:
                raise ValueError(f"{name} of the style is {value!r:.80}; it must be one of {', '.join(allowed)}")
        else:
            _value(allowed, value, f"{name} of the style")
    check_metric(graph, style.get("color_by"))
    return style
