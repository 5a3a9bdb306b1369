"""Reading a graph back from JSON, and refusing what is no graph."""

from __future__ import annotations

import json
import typing
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from tinytorch.viz.data import Edge, Graph, Node, Output, Parameter, Saved, Scope

__all__ = ["from_json"]

_PARTS: dict[str, type] = {"outputs": Output, "saved": Saved, "parameters": Parameter}


def from_json(text: str) -> Graph:
    """See :meth:`Graph.from_json`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict) or not {"nodes", "edges", "scopes"} <= set(data):
        raise ValueError("this JSON holds no graph: it needs nodes, edges and scopes")
    nodes = [_read(Node, item) for item in _list(data, "nodes")]
    scopes = [_read(Scope, item) for item in _list(data, "scopes")]
    graph = Graph(
        title=_text(data.get("title", "")),
        nodes={node.id: node for node in nodes},
        edges=[_read(Edge, item) for item in _list(data, "edges")],
        scopes={scope.id: scope for scope in scopes},
        results=[_text(id) for id in data.get("results", [])],
        style=dict(data.get("style", {})),
        remarks=[_text(remark) for remark in data.get("remarks", [])],
    )
    _check(graph)
    return graph


def _list(data: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(data[name], list):
        raise ValueError(f"{name} must be a list, not {type(data[name]).__name__}")
    return data[name]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected text, not {value!r}")
    return value


def _read(kind: type, item: Any) -> Any:
    """A dataclass from its dictionary; raises ValueError for missing, unknown and wrongly typed entries."""
    if not isinstance(item, dict):
        raise ValueError(f"a {kind.__name__} must be an object, not {type(item).__name__}")
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind)}
    if set(item) - set(known):
        raise ValueError(f"unknown entries in a {kind.__name__}: {', '.join(sorted(set(item) - set(known)))}")
    values: dict[str, Any] = {}
    for name, field in known.items():
        if name not in item:
            if field.default is MISSING and field.default_factory is MISSING:
                raise ValueError(f"a {kind.__name__} has no {name}")
            continue
        value = item[name]
        if name == "shape":
            value = tuple(value) if isinstance(value, list) and all(isinstance(n, int) for n in value) else None
        elif name in _PARTS and kind is Node:
            value = [_read(_PARTS[name], part) for part in value] if isinstance(value, list) else None
        elif not _fits(value, hints[name]):
            value = None if value is not None else value
            raise ValueError(f"{name} of a {kind.__name__} is {item[name]!r}")
        if value is None and item[name] is not None:
            raise ValueError(f"{name} of a {kind.__name__} is {item[name]!r}")
        values[name] = value
    return kind(**values)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is of the annotated type."""
    origin = typing.get_origin(hint)
    if origin is dict:
        inner = typing.get_args(hint)[1]
        return isinstance(value, dict) and all(_fits(item, inner) for item in value.values())
    if origin is list:
        return isinstance(value, list) and all(_fits(item, typing.get_args(hint)[0]) for item in value)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(hint, type):
        return isinstance(value, hint)
    return value is None or isinstance(value, (int, float))  # float | None


def _check(graph: Graph) -> None:
    """Every id that is mentioned exists, and scopes are a tree."""
    for scope in graph.scopes.values():
        seen = set()
        inner = scope.id
        while inner:
            if inner in seen or inner not in graph.scopes:
                raise ValueError(f"scope {scope.id!r} has no place in the tree of scopes")
            seen.add(inner)
            inner = graph.scopes[inner].parent
    for node in graph.nodes.values():
        if node.scope and node.scope not in graph.scopes:
            raise ValueError(f"node {node.id!r} is in scope {node.scope!r}, which does not exist")
    for edge in graph.edges:
        if edge.source not in graph.nodes or edge.target not in graph.nodes:
            raise ValueError(f"an edge leads from {edge.source!r} to {edge.target!r}, and one of them does not exist")
    if not set(graph.results) <= set(graph.nodes):
        raise ValueError("a result is no node of the graph")
