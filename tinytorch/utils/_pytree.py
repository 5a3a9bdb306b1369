"""Nested containers of values: taken apart into a flat list and put together again (``torch.utils._pytree``).

Dictionaries, lists, tuples, named tuples and what is registered are branches, everything else is a leaf.

>>> leaves, spec = tree_flatten({"a": 1, "b": (2, [3])})
>>> leaves
[1, 2, 3]
>>> tree_unflatten([10, 20, 30], spec)
{'a': 10, 'b': (20, [30])}
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

__all__ = ["PyTree", "TreeSpec", "keystr", "register_pytree_node", "tree_all", "tree_any", "tree_flatten",
           "tree_flatten_with_path", "tree_iter", "tree_leaves", "tree_map", "tree_map_", "tree_map_only",
           "tree_map_with_path", "tree_structure", "tree_unflatten"]  # fmt: skip

PyTree = Any


class TreeSpec(NamedTuple):
    """The shape of a tree: of each branch its kind, what rebuilds it, and its children. ``kind`` is None for a leaf."""

    kind: Any
    context: Any
    children: tuple[TreeSpec, ...]

    @property
    def num_leaves(self) -> int:
        """How many leaves the tree has."""
        return 1 if self.kind is None else sum(child.num_leaves for child in self.children)


LEAF = TreeSpec(None, None, ())

_Flatten = Callable[[Any], tuple[Iterable[Any], Any]]
_Unflatten = Callable[[list[Any], Any], Any]
_kinds: dict[type, tuple[_Flatten, _Unflatten]] = {
    list: (lambda values: (values, None), lambda values, _: values),
    tuple: (lambda values: (values, None), lambda values, _: tuple(values)),
    dict: (lambda d: _dict_flatten(d), lambda values, keys: _dict_unflatten(values, keys)),
    OrderedDict: (lambda d: (d.values(), list(d)), lambda values, keys: OrderedDict(zip(keys, values, strict=True))),
    defaultdict: (
        lambda d: (d.values(), (d.default_factory, list(d))),
        lambda values, context: defaultdict(context[0], zip(context[1], values, strict=True)),
    ),
}


def register_pytree_node(cls: type, flatten_fn: _Flatten, unflatten_fn: _Unflatten, **options: Any) -> None:
    """Make ``cls`` a branch: ``flatten_fn(value) -> (children, context)``, ``unflatten_fn(children, context)``."""
    _kinds[cls] = (flatten_fn, unflatten_fn)


_register_pytree_node = register_pytree_node  # its older name


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[Any, Any]], list[Any]]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d)


def _dict_unflatten(values: Iterable[Any], context: list[Any]) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def _kind_of(value: Any) -> Any:
    cls = type(value)
    if cls in _kinds:
        return cls
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return cls  # a named tuple
    return None


def tree_flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves in order, and the spec from which :func:`tree_unflatten` rebuilds the tree."""
    leaves: list[Any] = []
    return leaves, _flatten_into(leaves, tree, is_leaf)


def _flatten_into(leaves: list[Any], tree: Any, is_leaf: Any) -> TreeSpec:
    kind = None if is_leaf is not None and is_leaf(tree) else _kind_of(tree)
    if kind is None:
        leaves.append(tree)
        return LEAF
    children, context = _kinds[kind][0](tree) if kind in _kinds else (tree, None)
    return TreeSpec(kind, context, tuple([_flatten_into(leaves, child, is_leaf) for child in children]))


def tree_unflatten(leaves: Iterable[Any], treespec: TreeSpec) -> Any:
    """The tree of this spec with these leaves."""
    return _build(iter(list(leaves)), treespec)


def _build(leaves: Any, spec: TreeSpec) -> Any:
    if spec.kind is None:
        return next(leaves)
    children = [_build(leaves, child) for child in spec.children]
    if spec.kind in _kinds:
        return _kinds[spec.kind][1](children, spec.context)
    return spec.kind(*children)


def tree_leaves(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> list[Any]:
    """The leaves in order."""
    return tree_flatten(tree, is_leaf)[0]


def tree_map(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with ``func`` applied to every leaf (of several trees of one shape: to the leaves side by side)."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    return tree_unflatten([func(*values) for values in zip(leaves, *others, strict=True)], spec)


def tree_map_only(kind: Any, func: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with ``func`` applied to the leaves that are instances of ``kind``; the others stay."""
    return tree_map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree)


def tree_map_(func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """``func`` called with every leaf, for what it does to it; the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_structure(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> TreeSpec:
    """The spec of a tree."""
    return tree_flatten(tree, is_leaf)[1]


def tree_iter(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Iterator[Any]:
    """The leaves one after the other."""
    return iter(tree_leaves(tree, is_leaf))


def tree_all(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether all leaves satisfy the predicate."""
    return all(predicate(leaf) for leaf in tree_leaves(tree))


def tree_any(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether any leaf satisfies the predicate."""
    return any(predicate(leaf) for leaf in tree_leaves(tree))


# ------------------------------------------------------------------------------------------ with paths


class SequenceKey(NamedTuple):
    """A step of a path: the element ``idx`` of a list or tuple."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"


class MappingKey(NamedTuple):
    """A step of a path: the value under ``key``."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"


class GetAttrKey(NamedTuple):
    """A step of a path: the field ``name`` of a named tuple."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"


Path = tuple[Any, ...]


def keystr(kp: Path) -> str:
    """A path as it is written in Python: ``['layers'][0].weight``."""
    return "".join(map(str, kp))


def tree_flatten_with_path(
    tree: Any, is_leaf: Callable[[Any], bool] | None = None
) -> tuple[list[tuple[Path, Any]], TreeSpec]:
    """As :func:`tree_flatten`, with the path to every leaf."""
    leaves, spec = tree_flatten(tree, is_leaf)
    return list(zip(_paths(spec, ()), leaves, strict=True)), spec


def tree_map_with_path(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None
) -> Any:
    """As :func:`tree_map`, with ``func(path, leaf, ...)``."""
    leaves, spec = tree_flatten_with_path(tree, is_leaf)
    others = [tree_leaves(rest, is_leaf) for rest in rests]
    values = [func(path, leaf, *more) for (path, leaf), *more in zip(leaves, *others, strict=True)]
    return tree_unflatten(values, spec)


def _paths(spec: TreeSpec, before: Path) -> Iterator[Path]:
    if spec.kind is None:
        yield before
        return
    keys: Iterable[Any] = map(SequenceKey, range(len(spec.children)))
    if spec.kind in (dict, OrderedDict):
        keys = map(MappingKey, spec.context)
    elif spec.kind is defaultdict:
        keys = map(MappingKey, spec.context[1])
    elif hasattr(spec.kind, "_fields"):
        keys = map(GetAttrKey, spec.kind._fields)
    for key, child in zip(keys, spec.children, strict=True):
        yield from _paths(child, (*before, key))


def broadcast_prefix(prefix: Any, spec: TreeSpec) -> list[Any] | None:
    """One value for each leaf of ``spec``, from a tree that may stop at a branch: then its value counts for all below.

    None where the trees do not match.
    """
    if spec.kind is None or not isinstance(prefix, (list, tuple, dict)):
        return None if isinstance(prefix, (list, tuple, dict)) else [prefix] * spec.num_leaves
    leaves = list(prefix.values()) if isinstance(prefix, dict) else list(prefix)
    if len(leaves) != len(spec.children):
        return None
    parts = [broadcast_prefix(value, child) for value, child in zip(leaves, spec.children, strict=True)]
    return None if None in parts else [value for part in parts for value in part or ()]
