"""Comparing results in tests (``torch.testing``): :func:`assert_close`, and tensors to try things on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tinytorch import dtypes, ops
from tinytorch.dtypes import FLOATS
from tinytorch.ops.memory_formats import laid_out
from tinytorch.tensor import Tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]

#: By dtype: how far results may be apart, relative and absolute. Other dtypes have to be equal.
TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """AssertionError unless ``|actual - expected| <= atol + rtol · |expected|`` everywhere (``torch.testing``).

    Args:
        actual, expected: tensors, NumPy arrays or numbers, or sequences and mappings of them.
        rtol, atol: both or neither; by default :data:`TOLERANCES` of the dtype.
        equal_nan: whether NaN equals NaN.
        check_device, check_dtype, check_layout, check_stride: compare these too.
        msg: the error's text, or a function from the text it would have.

    Raises:
        AssertionError: values, shapes, dtypes, lengths or keys differ; the message says where.
        TypeError: objects that cannot be compared. ValueError: one tolerance without the other.

    >>> import tinytorch as torch
    >>> assert_close(torch.ones(2) / 3, torch.tensor([0.3333333, 0.3333333]))
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(
            f"Both 'rtol' and 'atol' must be either specified or unspecified, but got no value for {missing}."
        )
    tolerances = None if rtol is None or atol is None else (rtol, atol)
    checks = {"layout": check_layout, "device": check_device, "dtype": check_dtype}
    attributes = [name for name, wanted in checks.items() if wanted]
    compare = _Comparison(tolerances, equal_nan, attributes, check_stride, allow_subclasses)
    try:
        compare.any(actual, expected, "")
    except AssertionError as error:
        text = str(error)
        raise AssertionError(text if msg is None else msg(text) if callable(msg) else msg) from None


class _Comparison:
    """One call of :func:`assert_close`; each method compares one kind of things, found at ``where``."""

    def __init__(self, tolerances: Any, equal_nan: bool, attributes: list[str], stride: bool, subclasses: bool) -> None:
        self.tolerances, self.equal_nan, self.attributes = tolerances, equal_nan, attributes
        self.check_dtype, self.check_stride, self.allow_subclasses = "dtype" in attributes, stride, subclasses

    def any(self, actual: Any, expected: Any, where: str) -> None:
        if actual is None or expected is None:
            if actual is not expected:
                raise AssertionError(f"None mismatch: {actual} is not {expected}{_place(where)}")
        elif isinstance(actual, Sequence) and isinstance(expected, Sequence) and not isinstance(actual, str):
            self.sequences(actual, expected, where)
        elif isinstance(actual, Mapping) and isinstance(expected, Mapping):
            self.mappings(actual, expected, where)
        elif isinstance(actual, (bool, int, float, complex)) and isinstance(expected, (bool, int, float, complex)):
            self.numbers(actual, expected, where)
        else:
            self.tensors(_as_tensor(actual, expected, where), _as_tensor(expected, actual, where), where)

    def sequences(self, actual: Any, expected: Any, where: str) -> None:
        if len(actual) != len(expected):
            raise AssertionError(
                f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{_place(where)}"
            )
        for index, pair in enumerate(zip(actual, expected, strict=True)):
            self.any(*pair, f"{where}[{index}]")

    def mappings(self, actual: Any, expected: Any, where: str) -> None:
        lacking, additional = sorted(set(expected) - set(actual)), sorted(set(actual) - set(expected))
        if lacking or additional:
            text = "The keys of the mappings do not match:"
            text += f"\nMissing keys in the actual mapping: {lacking}" if lacking else ""
            text += f"\nAdditional keys in the actual mapping: {additional}" if additional else ""
            raise AssertionError(text + _place(where))
        for key in sorted(expected, key=str):
            self.any(actual[key], expected[key], f"{where}[{key!r}]")

    def numbers(self, actual: Any, expected: Any, where: str) -> None:
        kinds = (bool, int, float, complex)
        dtype = max((type(actual), type(expected)), key=kinds.index)
        if self.check_dtype and type(actual) is not type(expected):
            raise AssertionError(f"The (d)types do not match: {type(actual)} != {type(expected)}.{_place(where)}")
        like = {float: dtypes.float64, complex: dtypes.complex128}.get(dtype)
        rtol, atol = self.tolerances or TOLERANCES.get(like, (0, 0))  # type: ignore[arg-type]
        both_nan = actual != actual and expected != expected
        if actual == expected or (both_nan and self.equal_nan):
            return
        difference = abs(actual - expected)
        if difference <= atol + rtol * abs(expected) and difference < float("inf"):
            return
        relative = difference / abs(expected) if expected != 0 else float("inf")
        if not (rtol or atol):
            text = f"Scalars are not equal!\n\nExpected {expected} but got {actual}."
            text += f"\nAbsolute difference: {difference}\nRelative difference: {relative}"
        else:
            text = f"Scalars are not close!\n\nExpected {expected} but got {actual}."
            text += f"\nAbsolute difference: {difference} (up to {atol} allowed)"
            text += f"\nRelative difference: {relative} (up to {rtol} allowed)"
        raise AssertionError(text + _place(where))

    def tensors(self, actual: Tensor, expected: Tensor, where: str) -> None:
        if not self.allow_subclasses and type(actual) is not type(expected):
            raise TypeError(f"Cannot compare {type(actual)} with {type(expected)}{_place(where)}")
        for name in ("shape", *self.attributes):
            mine, theirs = getattr(actual, name), getattr(expected, name)
            if mine != theirs:
                raise AssertionError(
                    f"The values for attribute '{name}' do not match: {mine} != {theirs}.{_place(where)}"
                )
        if actual.is_sparse or expected.is_sparse:
            whole, theirs_whole = (tensor if tensor.is_sparse else tensor.to_sparse() for tensor in (actual, expected))
            whole, theirs_whole = whole.coalesce(), theirs_whole.coalesce()
            self.tensors(whole.indices(), theirs_whole.indices(), f"{where} (indices)")
            self.tensors(whole.values(), theirs_whole.values(), f"{where} (values)")
            return
        if actual.is_meta and expected.is_meta:
            raise NotImplementedError("Comparing meta tensors is currently not supported: they have no values")
        if self.check_stride and actual.stride() != expected.stride():
            raise AssertionError(
                f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}."
                f"{_place(where)}"
            )
        found = [TOLERANCES.get(tensor.dtype, (0, 0)) for tensor in (actual, expected)]
        rtol, atol = self.tolerances or (max(found[0][0], found[1][0]), max(found[0][1], found[1][1]))
        common = dtypes.promote_types(actual.dtype, expected.dtype)
        mine, theirs = (tensor.detach().to(common) for tensor in (actual, expected))
        close = ops.isclose(mine, theirs, rtol, atol, self.equal_nan)
        if not bool(close.all()):
            raise AssertionError(_mismatch(mine, theirs, close, rtol, atol) + _place(where))


def _as_tensor(value: Any, other: Any, where: str) -> Tensor:
    """A tensor; NumPy arrays become one. TypeError for anything else."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (np.ndarray, np.generic)) and not isinstance(other, Tensor):
        return ops.tensor(value)
    raise TypeError(
        f"No comparison pair was able to handle inputs of type {type(value)} and {type(other)}.{_place(where)}"
    )


def _place(where: str) -> str:
    return f"\n\nThe failure occurred for item {where}" if where else ""


def _mismatch(actual: Tensor, expected: Tensor, close: Tensor, rtol: float, atol: float) -> str:
    """How many elements differ, and where they differ the most."""
    far, exact = ~close.numpy(), not (rtol or atol)
    first, second = actual.numpy(), expected.numpy()
    if first.dtype.kind in "biu":
        first, second = first.astype(np.int64), second.astype(np.int64)
    lines = [f"Mismatched elements: {far.sum()} / {far.size} ({far.sum() / far.size:.1%})"] if far.ndim else []
    with np.errstate(all="ignore"):
        absolute = np.abs(first - second)
        relative = absolute / np.abs(second)
    for name, difference, allowed in (("absolute", absolute, atol), ("relative", relative, rtol)):
        ranked = np.where(far, difference, 0)
        ranked = np.where(np.isnan(ranked), np.inf, ranked) if ranked.dtype.kind in FLOATS else ranked
        index = tuple(int(i) for i in np.unravel_index(int(ranked.argmax()), far.shape))
        limit = "" if exact else f" (up to {allowed} allowed)"
        at = f" at index {index}" if far.ndim else ""
        lines.append(
            f"{'Greatest ' + name if far.ndim else name.capitalize()} difference: {difference[index].item()}{at}{limit}"
        )
    kind = "Tensor-likes" if far.ndim else "Scalars"
    head = f"{kind} are not {'equal' if exact else 'close'}!\n\n"
    if not far.ndim:
        head += f"Expected {expected.item()} but got {actual.item()}.\n"
    return head + "\n".join(lines)


def assert_allclose(
    actual: Any, expected: Any, rtol: Any = None, atol: Any = None, equal_nan: bool = True, msg: Any = ""
) -> None:
    """The older form of :func:`assert_close`: converts numbers, does not compare dtypes, NaN equals NaN."""
    actual, expected = (value if isinstance(value, Tensor) else ops.tensor(value) for value in (actual, expected))
    found = [TOLERANCES.get(tensor.dtype, (0, 0)) for tensor in (actual, expected)]
    if rtol is None and atol is None:
        rtol, atol = (max(column) for column in zip(*found, strict=True))
    assert_close(actual, expected, rtol=rtol, atol=atol, equal_nan=equal_nan, check_dtype=False, msg=msg or None)


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Random numbers from [low, high): by default [-9, 9) for floats, [-9, 10) for integers, [0, 10) for unsigned ones.

    ``exclude_zero`` puts a small number or 1 where a zero came up; ``noncontiguous`` gives every second element of a
    larger tensor. ValueError for an empty range, for integers that should require grad, and for a memory format of what
    is not contiguous.
    """
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise ValueError(f"`requires_grad=True` is not supported for boolean and integral dtypes, but got {dtype=}")
    if noncontiguous and memory_format is not None:
        raise ValueError("The parameters `noncontiguous` and `memory_format` are mutually exclusive")
    if low is not None and high is not None and low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    size = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if noncontiguous:
        size = (*size[:-1], 2 * size[-1]) if size else size
    if dtype.is_floating_point or dtype.is_complex:
        result = ops.empty(size, dtype=dtype, device=device)
        parts = ops.view_as_real(result) if dtype.is_complex else result
        parts.uniform_(-9 if low is None else low, 9 if high is None else high)
    else:
        unsigned = dtype in (dtypes.uint8, dtypes.bool_)
        first = low if low is not None else 0 if unsigned else -9
        last = high if high is not None else 2 if dtype is dtypes.bool_ else 10
        result = ops.randint(int(first), int(last), size, dtype=dtype, device=device)
    result = result[..., ::2] if noncontiguous and size else result
    if exclude_zero:
        result[result == 0] = dtypes.finfo(dtype).tiny if dtype.is_floating_point or dtype.is_complex else 1
    return laid_out(result, memory_format).requires_grad_(requires_grad)
