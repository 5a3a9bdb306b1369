"""trace: record one call of a model with everything in it, with or without gradients.

Ops that autograd records are primitives, and the recorder watches those. The others (``argmax``, ``x > 0``, ``arange``)
are plain functions: they are seen through Python's own profiling hook, which reports the return of every function.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any

from tinytorch import ops
from tinytorch.autograd.modes import ModuleCall
from tinytorch.nn.modules.module import Module
from tinytorch.tensor import Tensor
from tinytorch.viz.data import Graph, Node
from tinytorch.viz.describe import argument_names, op_name, shape_text, short
from tinytorch.viz.names import Names, variables_of
from tinytorch.viz.record import Recorder
from tinytorch.viz.title import title_of

__all__ = ["trace"]

_OPS = str(Path(ops.__file__).parent) + os.sep
#: functions that are a Reshape, a Permute or an Index inside, and are drawn under their own names
NAMED = ("transpose", "t", "squeeze", "unsqueeze", "flatten", "unflatten", "view", "movedim", "embedding")
_MODULE_CALL = Module.__call__.__code__


def trace(model: Callable[..., Any], *inputs: Any, names: dict[str, Any] | None = None, **kwargs: Any) -> Graph:
    """Call ``model(*inputs, **kwargs)`` and return the graph of what it did.

    Everything is there, also what needs no gradient and what runs under ``no_grad``; with shapes, values, FLOPs and
    times. If the call raises, a warning says so, and the graph shows what ran until then, with the op that failed and
    the shapes that it was given.

    >>> import tinytorch
    >>> from tinytorch import nn
    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    >>> print(trace(net, tinytorch.ones(1, 2)).hide("parameter").nodes.keys())
    dict_keys(['n0', 'n3', 'n4'])
    """
    known = Names(model if isinstance(model, Module) else None, names, variables_of(sys._getframe(1)))
    recorder = _Tracer()
    failure: Exception | None = None
    results: list[str] = []
    for tensor in _tensors_in((inputs, kwargs)):
        recorder.builder.given.add(recorder.source(tensor)[0])
    with recorder:
        try:
            output = model(*inputs, **kwargs)
            results = [recorder.node_of(tensor) for tensor in _tensors_in(output)]
        except Exception as error:  # whatever the model raises is what the picture is about
            failure = error
            recorder.add_failed(error)
    graph = recorder.finish(known, list(dict.fromkeys(results)) or None)
    graph.title = title_of(graph)
    if failure is not None:
        text = f"{type(failure).__name__}: {failure}"
        graph.remarks.append(short(f"stopped by {text}", 200))
        warnings.warn(f"the traced call raised {text}; its graph shows what ran until then", stacklevel=2)
    return graph


def _tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in nested tuples, lists and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict) or dataclasses.is_dataclass(value):
        for item in (value if isinstance(value, dict) else vars(value)).values():
            yield from _tensors_in(item)
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from _tensors_in(item)


class _Tracer(Recorder):
    """A recorder that sees plain functions too."""

    def __init__(self) -> None:
        super().__init__(values=True)
        self._before: Any = None

    def start(self) -> None:
        """Begin to watch, and to profile."""
        super().start()
        self._before = sys.getprofile()
        sys.setprofile(self._profile)

    def stop(self) -> None:
        """Watch no more."""
        sys.setprofile(self._before)
        super().stop()

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op runs. Its time is not kept: the profiling hook slows it down."""
        result = run()
        self.add(op_name(op), argument_names(op), inputs, attributes, result)
        return result

    def _profile(self, frame: FrameType, event: str, result: Any) -> None:
        if event == "return" and result is not None:
            code = frame.f_code
            if _is_op(code):
                first = result[0] if isinstance(result, tuple) and result else result
                if isinstance(first, Tensor):
                    self.returned(frame, code, result, first)

    def returned(self, frame: FrameType, code: CodeType, result: Any, first: Tensor) -> None:
        """An op's function returns a tensor: write it down if no primitive made it."""
        names, inputs = _arguments(frame, code)
        made = self.maker(first)
        if made is not None:
            self.connect_indices(self.builder.graph.nodes[made[0]], code, names, inputs)
        elif not any(first is value for value in inputs):
            like = code.co_name.endswith("_like")  # takes no more than a shape from its argument
            self.add(code.co_name, [] if like else names, () if like else inputs, {}, result)

    def connect_indices(self, node: Node, code: CodeType, names: list[str], inputs: tuple[Any, ...]) -> None:
        """A known op returns from the function that the program called. Integers that nobody has used yet went into it:
        a primitive takes them as plain numbers.
        """
        if node.kind != "op":
            return
        if code.co_name in NAMED:
            node.name, node.attributes = code.co_name, {}
        for name, value in zip(names, inputs, strict=True):
            if isinstance(value, Tensor) and value._array.dtype.kind in "iub":
                source = self.maker(value)
                if source is not None and source[0] != node.id and source[0] not in self.builder.used:
                    self.builder.edge(source[0], node, len(names), name, source[1])
                    node.attributes.pop(name, None)

    def add_failed(self, error: Exception) -> None:
        """The op that raised: the outermost function of :mod:`tinytorch.ops` in the traceback, with its arguments."""
        frames = list(_frames(error.__traceback__))
        at = next((frame for frame in frames if _is_op(frame.f_code)), None)
        if at is None:
            return
        names, inputs = _arguments(at, at.f_code)
        call = self.call_of([frame for frame in frames if frame.f_code is _MODULE_CALL])
        tensors = [value for value in inputs if isinstance(value, Tensor)]
        node: Node = self.add(at.f_code.co_name.strip("_"), names, tuple(tensors), {}, None, call=call)
        shapes = " and ".join(shape_text(tensor._array.shape) for tensor in tensors)
        node.notes.append(f"failed on {shapes}" if shapes else "failed")

    def call_of(self, frames: list[FrameType]) -> ModuleCall | None:
        """The innermost module call among these frames of ``Module.__call__``."""
        call: ModuleCall | None = None
        for frame in frames:
            local = frame.f_locals
            if "outer" in local:  # the outermost module's first frame only calls itself again
                call = self.known_call(local["names"].get(id(local["self"])), local["outer"])
        return call

    def known_call(self, name: Any, outer: ModuleCall | None) -> ModuleCall | None:
        """The last recorded call of this module in that one, or a new one."""
        if name is None:
            return outer
        for call in reversed(self.builder.calls):
            if call[0] is name and call[1] is outer:
                return call
        return name, outer


def _is_op(code: CodeType) -> bool:
    """Whether this is the code of one of the functions of :mod:`tinytorch.ops`."""
    return code.co_filename.startswith(_OPS) and hasattr(ops, code.co_name)


def _frames(traceback: TracebackType | None) -> Iterator[FrameType]:
    while traceback is not None:
        yield traceback.tb_frame
        traceback = traceback.tb_next


def _arguments(frame: FrameType, code: CodeType) -> tuple[list[str], tuple[Any, ...]]:
    """Names and values of the arguments of a running function; lists of tensors are taken apart."""
    names: list[str] = []
    values: list[Any] = []
    local = frame.f_locals
    for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
        value = local.get(name)
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, (Tensor, int, float)) and not isinstance(item, bool):
                names.append(name)
                values.append(item)
    return names, tuple(values)
