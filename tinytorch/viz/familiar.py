"""The names that people know: torchviz's ``make_dot``, micrograd's ``draw_dot``, torchview's ``draw_graph``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.nn.modules.module import Module
from tinytorch.tensor import Tensor
from tinytorch.viz.data import Graph
from tinytorch.viz.describe import value_text
from tinytorch.viz.names import Names, variables_of
from tinytorch.viz.replay import replay
from tinytorch.viz.trace import trace
from tinytorch.viz.walk import _Walk

if TYPE_CHECKING:
    import graphviz

__all__ = ["draw_dot", "draw_graph", "make_dot"]


def make_dot(
    var: Tensor | Sequence[Tensor],
    params: dict[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> graphviz.Digraph:
    """The graph behind ``var`` as torchviz draws it: nodes by the names of their backward ops, parameters as boxes.

    Args:
        var: a result, or several.
        params: names of tensors, such as ``dict(model.named_parameters())``; names not given are found anyway.
        show_attrs: write the ops' options into their boxes.
        show_saved: write what they keep for backward too.
        max_attr_chars: the longest text of an option.
    """
    if max_attr_chars < 3:
        raise ValueError(f"max_attr_chars must be at least 3, not {max_attr_chars}")
    roots = (var,) if isinstance(var, Tensor) else tuple(var)
    names = Names(None, dict(params) if params is not None else None, variables_of(sys._getframe(1)))
    graph = _Walk(names, None, False).run(roots)
    if not show_attrs:
        for node in graph.nodes.values():
            node.attributes, node.constants = {}, {}
    graph = graph.styled(parameters="boxes", op_names="backward", saved=show_saved, max_chars=max_attr_chars)
    return graph.digraph()


def draw_dot(root: Tensor, format: str = "svg", rankdir: str = "LR") -> graphviz.Digraph:
    """An expression as micrograd draws it: every value with its number and its gradient, from left to right.

    Autograd keeps the numbers of leaves only, so a small expression is computed again to know the others (see
    :mod:`tinytorch.viz.replay`). Gradients are shown once ``backward()`` was called; a dash means None. Variables of
    the caller give names.

    >>> import tinytorch
    >>> a = tinytorch.tensor(2.0, requires_grad=True)
    >>> b = a * a
    >>> b.backward()
    >>> "grad 4.0" in draw_dot(b).source
    True
    """
    if rankdir not in ("LR", "TB", "RL", "BT"):
        raise ValueError(f"rankdir must be LR, TB, RL or BT, not {rankdir!r}")
    if not isinstance(root, Tensor):
        raise TypeError(f"draw_dot() needs a Tensor, but got {type(root).__name__}")
    digraph = values_graph(root, variables_of(sys._getframe(1)), rankdir).digraph()
    digraph.format = format
    return digraph


def values_graph(root: Tensor, variables: dict[str, Any], rankdir: str = "LR") -> Graph:
    """The graph of an expression with the numbers inside."""
    walk = _Walk(Names(None, None, variables), None, True)
    graph = walk.run((root,))
    known = replay(root)
    backward_ran = any(node.gradient not in ("", "–") for node in graph.nodes.values())
    if known is not None:
        for (key, index), value in known.values.items():
            id = walk.ids.get(key)
            if id is not None and index == 0:
                graph.nodes[id].value = value_text(value._array)
                gradient = known.gradients.get((key, index)) if backward_ran else None
                graph.nodes[id].gradient = "–" if gradient is None else value_text(gradient._array)
    elif root.grad_fn is not None:
        graph.remarks.append("values inside are unknown: the graph is large, was freed in part, or a leaf was changed")
    graph.title = ""
    return graph.styled(rankdir=rankdir, cells=True, parameters="boxes")


def draw_graph(
    model: Module,
    input_data: Any = None,
    input_size: Any = None,
    graph_name: str = "model",
    depth: float = 3,
    device: Any = None,
    dtypes: Sequence[Any] | None = None,
    mode: str | None = None,
    strict: bool = True,
    expand_nested: bool = False,
    graph_dir: str | None = None,
    hide_module_functions: bool = True,
    hide_inner_tensors: bool = True,
    roll: bool = False,
    show_shapes: bool = True,
    save_graph: bool = False,
    filename: str | None = None,
    directory: str = ".",
    collect_attributes: bool = False,
    **kwargs: Any,
) -> Graph:
    """A model as torchview draws it: modules down to ``depth`` as boxes. The result's ``visual_graph`` is the Digraph.

    Args:
        model: the model; it runs once, under ``no_grad``, in ``mode`` ("eval" by default, or "train").
        input_data: a tensor, or a list or dictionary of arguments. Or ``input_size``, a shape or several, for
            random input of ``dtypes``.
        graph_name: the name of the file, if ``filename`` is not given.
        depth: modules deeper than this are not opened.
        expand_nested: draw frames round what a module contains.
        graph_dir: "TB" (default), "LR", "BT" or "RL".
        hide_module_functions: draw a module that contains no modules as one box.
        roll: draw equal modules in a row once.
        show_shapes: write shapes into boxes.
        save_graph: write ``directory/filename.png``.
        device, strict, hide_inner_tensors, collect_attributes: accepted; there is one device, tensors between ops have
            no boxes, and attributes are always there.
        **kwargs: more arguments of the model.
    """
    if mode not in (None, "train", "eval"):
        raise ValueError(f"mode must be 'train' or 'eval', not {mode!r}")
    if graph_dir not in (None, "TB", "LR", "BT", "RL"):
        raise ValueError(f"graph_dir must be TB, LR, BT or RL, not {graph_dir!r}")
    arguments, named = _model_inputs(input_data, input_size, dtypes)
    modes = {module: module.training for module in model.modules()}
    model.train(mode == "train")
    try:
        with no_grad():
            graph = trace(model, *arguments, names={graph_name: model}, **named, **kwargs)
    finally:
        for module, training in modes.items():
            module.training = training
    if hide_module_functions:
        inner = {scope.parent for scope in graph.scopes.values()}
        graph = graph.collapse(where=lambda scope: scope.id not in inner and bool(scope.parent))
    graph = graph.collapse(depth=depth)
    graph = graph.roll() if roll else graph
    graph = graph.styled(rankdir=graph_dir or "TB", frames=expand_nested, shapes=show_shapes)
    if save_graph:
        graph.save(Path(directory) / f"{filename or graph_name}.png")
    return graph


def _model_inputs(data: Any, size: Any, dtypes: Sequence[Any] | None) -> tuple[list[Any], dict[str, Any]]:
    """Positional and named arguments for the model."""
    if (data is None) == (size is None):
        raise ValueError("draw_graph() needs either input_data or input_size")
    if size is not None:
        sizes = [size] if size and isinstance(size[0], int) else list(size)
        kinds = list(dtypes) if dtypes is not None else [None] * len(sizes)
        if len(kinds) != len(sizes):
            raise ValueError(f"there are {len(sizes)} input sizes, but {len(kinds)} dtypes")
        made = [ops.rand(shape) for shape in sizes]
        return [each if kind is None else each.to(kind) for each, kind in zip(made, kinds, strict=True)], {}
    if isinstance(data, dict):
        return [], data
    return (list(data) if isinstance(data, (list, tuple)) else [data]), {}
