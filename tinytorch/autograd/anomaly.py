"""Anomaly detection: where did the NaN come from, and which line of the program made the op that failed?

While it is on, every node remembers where the program made it and what its inputs looked like. When a gradient becomes
NaN, or a backward raises, the error can say so. All this happens in a :class:`~tinytorch.autograd.watching.Watcher`, so
it costs nothing while it is off.
"""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from tinytorch.autograd.node import Node
from tinytorch.autograd.watching import Watcher, watchers
from tinytorch.dtypes import INEXACT

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_anomaly_enabled",
           "set_detect_anomaly"]  # fmt: skip

_PACKAGE = str(Path(__file__).parents[1]) + os.sep


class _Settings(NamedTuple):
    enabled: bool = False
    check_nan: bool = True
    check_forward: bool = False
    check_inf: bool = False


class _Anomaly(Watcher):
    """Remembers where ops were made, and looks at what they give."""

    everywhere = True  # one switch for all threads, as in PyTorch
    settings = _Settings()
    first_bad = ""  # the first op whose result had a NaN that its inputs had not

    def switch(self, settings: _Settings) -> None:
        """Go to other settings."""
        if settings.enabled and not self.settings.enabled:
            self.first_bad = ""
            self.start()
        elif not settings.enabled:
            self.stop()
        self.settings = settings

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op ran: let its node remember the line and the inputs, and look for the first NaN."""
        result = run()
        results = result if isinstance(result, tuple) else (result,)
        made_at = traceback.StackSummary.extract(_users_frames(sys._getframe(1)), lookup_lines=False)
        made_at.reverse()
        node = next((each._edge[0] for each in results if getattr(each, "_edge", None) is not None), None)
        if isinstance(node, Node):
            node.metadata["traceback_"] = made_at
            node.metadata["inputs"] = _inputs_text(op, inputs)
        if self.settings.check_nan:
            self.look_at(op, inputs, results, made_at)
        return result

    def look_at(self, op: Any, inputs: tuple[Any, ...], results: Any, made_at: traceback.StackSummary) -> None:
        """Note the first op that makes NaN (or inf) of inputs without any; raise if asked to."""
        bad = next((word for each in results for word in [self.what_is_bad(each)] if word), "")
        if not bad or any(self.what_is_bad(each) or _is_infinite(each) for each in inputs):
            return
        where = f"{_op_text(op)} gave {bad} at {_line(made_at)}, from {', '.join(_inputs_text(op, inputs))}"
        if self.settings.check_forward:
            name = op.known_name or f"{op.__name__}Backward0"
            raise RuntimeError(f"Function '{name}' returned {bad} values in forward: {where}")
        self.first_bad = self.first_bad or where

    def what_is_bad(self, tensor: Any) -> str:
        """``"nan"``, or ``"inf"`` if that is looked for; else nothing."""
        array = getattr(tensor, "_array", None)
        if array is None or array.dtype.kind not in INEXACT or np.isfinite(array).all():
            return ""
        return "nan" if np.isnan(array).any() else "inf" if self.settings.check_inf else ""

    def backward(self, node: Node, received: list[Any], run: Callable[[], Any]) -> Any:
        """A node's backward ran: were its gradients good? If it raised: where was the node made?"""
        try:
            grads = run()
        except Exception as error:
            _tell(node, error)
            raise
        if self.settings.check_nan:
            for position, gradient in enumerate(grads):
                bad = self.what_is_bad(gradient)
                if bad:
                    _warn(node)
                    raise RuntimeError(
                        f"Function '{node.name()}' returned {bad} values in its {position}th output."
                        + _report(node, received, self.first_bad)
                    )
        return grads


_anomaly = _Anomaly()


class set_detect_anomaly:
    """Switch anomaly detection on or off (``torch.autograd.set_detect_anomaly``): at once when called as a function,
    until the end of the block with ``with``.

    Args:
        mode: on or off.
        check_nan: whether backward raises RuntimeError at the first node whose gradients are NaN. The error names the
            op, its inputs and the line of the program that made it. Without it, only errors of backward get that line.
        check_forward: raise in forward too, at the first op that makes NaN of inputs without any.
        check_inf: take infinity for as bad as NaN.
    """

    def __init__(
        self, mode: bool, check_nan: bool = True, *, check_forward: bool = False, check_inf: bool = False
    ) -> None:
        self._before = _anomaly.settings
        _anomaly.switch(_Settings(bool(mode), check_nan, check_forward, check_inf))

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        _anomaly.switch(self._before)


class detect_anomaly:
    """``with detect_anomaly():`` finds the op and the line that a NaN comes from; see :class:`set_detect_anomaly`.

    >>> import tinytorch
    >>> x = tinytorch.tensor([0.0, 1.0], requires_grad=True)
    >>> with detect_anomaly():
    ...     try:
    ...         (x.sqrt() * 0).sum().backward()
    ...     except RuntimeError as error:
    ...         print(error)                                                    # doctest: +ELLIPSIS
    Function 'SqrtBackward0' returned nan values in its 0th output.
      op:       sqrt, made at <doctest ...: (x.sqrt() * 0).sum().backward()
      inputs:   x 2 float32, 0 .. 1
      gradient: 2 float32, 0 .. 0
    """

    def __init__(self, check_nan: bool = True, *, check_forward: bool = False, check_inf: bool = False) -> None:
        self._settings = _Settings(True, check_nan, check_forward, check_inf)
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self._before = _anomaly.settings
        _anomaly.switch(self._settings)

    def __exit__(self, *exception: Any) -> None:
        _anomaly.switch(self._before)


def set_anomaly_enabled(enabled: bool, check_nan: bool = True) -> None:
    """:class:`set_detect_anomaly` under the name that it has in ``torch``."""
    set_detect_anomaly(enabled, check_nan)


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return _anomaly in watchers


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection, once on, looks for NaN."""
    return _anomaly.settings.check_nan


# ------------------------------------------------------------------------------------------ words


def _users_frames(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
    """Frames outside this package, innermost first, with their lines."""
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            yield frame, frame.f_lineno
        frame = frame.f_back


def _line(made_at: traceback.StackSummary | None) -> str:
    """``train.py:12 in forward: y = x.log()``."""
    if not made_at:
        return "a line that is not known (anomaly detection was off then)"
    last = made_at[-1]
    return f"{last.filename}:{last.lineno} in {last.name}" + (f": {last.line}" if last.line else "")


def _op_text(op: Any) -> str:
    from tinytorch.viz.describe import op_name

    return op_name(op)


def _inputs_text(op: Any, inputs: tuple[Any, ...]) -> list[str]:
    """``["x 2×3 float32, -1 .. 4"]``."""
    from tinytorch.viz.describe import argument_names

    names = [*argument_names(op), *[""] * len(inputs)]
    return [
        f"{name} {_array_text(value._array)}".strip() if hasattr(value, "_array") else f"{name} {value}".strip()
        for name, value in zip(names, inputs, strict=False)
        if value is not None
    ]


def _array_text(array: np.ndarray) -> str:
    from tinytorch.viz.describe import dtype_name, rounded, shape_text

    text = f"{shape_text(array.shape)} {dtype_name(array.dtype)}"
    if array.dtype.kind not in "fViu" or not array.size:
        return text
    finite = array[np.isfinite(array)]
    if finite.size:
        text += f", {rounded(float(finite.min()))} .. {rounded(float(finite.max()))}"
    bad = array.size - finite.size
    return text + (f", {bad:,} of {array.size:,} NaN or inf" if bad else "")


def _is_infinite(value: Any) -> bool:
    """Whether an input holds an infinity: then an infinite result is no surprise."""
    array = getattr(value, "_array", value)
    return isinstance(array, (float, np.ndarray)) and bool(np.isinf(array).any())


def _report(node: Node, received: list[Any], first_bad: str) -> str:
    """All that is known of a node whose gradient went wrong."""
    module = f" in module '{node.scope}'" if node.scope else ""
    lines = [f"op:       {_op_text(node.op_type)}{module}, made at {_line(node.metadata.get('traceback_'))}"]
    if node.metadata.get("inputs"):
        lines.append(f"inputs:   {'; '.join(node.metadata['inputs'])}")
    arrived = [_array_text(gradient._array) for gradient in received if gradient is not None]
    lines.append(f"gradient: {'; '.join(arrived)}")
    before = _before(node)
    if before:
        lines.append(f"before:   {before}")
    if first_bad:
        lines.append(f"forward:  {first_bad}")
    return "".join(f"\n  {line}" for line in lines)


def _before(node: Node, steps: int = 4) -> str:
    """The ops before a node, nearest first: ``"sub (2×3) <- linear (2×3) in module 'fc'"``."""
    from tinytorch.viz.describe import shape_text

    texts: list[str] = []
    while len(texts) < steps:
        earlier = [edge[0] for edge in node.edges if edge is not None and isinstance(edge[0], Node)]
        if not earlier:
            break
        node = max(earlier, key=lambda each: each.number)
        module = f" in module '{node.scope}'" if node.scope else ""
        texts.append(f"{_op_text(node.op_type)} ({shape_text(node.outputs[0][0])}){module}")
    return " <- ".join(texts)


def _warn(node: Node) -> None:
    """PyTorch's warning: the traceback of the forward call."""
    made_at = node.metadata.get("traceback_")
    if made_at:
        text = f"Traceback of forward call that caused the error:\n{''.join(made_at.format())}"
    else:
        text = "No forward pass information available. Enable detect anomaly during forward pass for more information."
    warnings.warn(f"Error detected in {node.name()}. {text}", stacklevel=2)


def _tell(node: Node, error: Exception) -> None:
    """Say with an error of backward where the op was made."""
    _warn(node)
    if hasattr(error, "add_note"):
        module = f" in module '{node.scope}'" if node.scope else ""
        made = f"{_op_text(node.op_type)}{module}, made at {_line(node.metadata.get('traceback_'))}"
        error.add_note(f"while computing the gradients of {made}")
