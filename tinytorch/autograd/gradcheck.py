"""Chapter 7. Checking gradients.

After: tinytorch/ops/linalg.py
Next: tinytorch/nn/modules/module.py

Goal: ask of any op: is backward really the derivative of forward?

The idea. The definition of the derivative is the judge. For an input element x_j and a small ε,

    ∂y_i/∂x_j  ≈  (y_i(x_j + ε) - y_i(x_j - ε)) / 2ε

which is exact to O(ε²). Column j of the *numerical* Jacobian comes from two evaluations; row i of the *analytical* one
from a backward pass that starts with 1 at y_i and 0 elsewhere (what a backward pass starts with is called a
*cotangent*). In float64, ε = 10⁻⁶ leaves about nine digits.

A complex number counts as two real ones, x and y: its gradient in PyTorch's convention, ∂L/∂x + i ∂L/∂y, holds just the
two slopes that finite differences find (see :mod:`.engine`). So the arrays are looked at as real ones, twice as long.

:func:`gradgradcheck` applies the same test to the backward pass itself. (After ``torch.autograd.gradcheck``.)

>>> import tinytorch
>>> x = tinytorch.tensor([0.3, -1.2], dtype=tinytorch.float64, requires_grad=True)
>>> gradcheck(tinytorch.tanh, x), gradgradcheck(tinytorch.tanh, x)
(True, True)

What PyTorch does. The same test with the same tolerances; with ``fast_mode`` it compares, as here, one random
projection of the Jacobian instead of all of it.

Pitfalls. float32 has seven digits, and a difference loses half of them: check in float64. At a kink (ReLU at 0, ties of
max) both sides have another slope, and the numerical one lies between.

Exercises. For which ε is the error smallest? Rounding costs about 10⁻¹⁶/ε, the formula ε². Try 10⁻² and 10⁻¹², too.
Answers: ``python -m tinytorch.learn answers 7``; more: ``python -m tinytorch.learn start --chapter 7``.
Check: ``python -m pytest tests/autograd/test_gradcheck.py``.

"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinytorch.autograd.engine import grad
from tinytorch.dtypes import INEXACT
from tinytorch.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """The analytical and the numerical derivative disagree."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
    explain: bool = False,
) -> bool:
    """Compare the gradients of ``func(*inputs)`` with finite differences.

    Args:
        func: takes tensors, returns a tensor or several.
        inputs: a tensor or a tuple; those that require grad should be float64 or complex128.
        eps: the step of the finite differences.
        atol, rtol: ``|analytical - numerical| <= atol + rtol · |numerical|``.
        raise_exception: raise :class:`GradcheckError`, which names input, output and element; otherwise return False.
        check_forward_ad: compare the tangents of dual numbers (:mod:`.forward_ad`) with finite differences.
        check_backward_ad: compare the gradients with them.
        fast_mode: compare one random projection of the Jacobian instead of all of it.
        explain: let the error say what kind of mistake it is, and which op's backward to read (not in PyTorch; see
            :mod:`tinytorch.learn.doctor`).

    Raises:
        ValueError: no input requires grad.
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    tensors = _as_tuple(inputs)
    try:
        _check_inputs(tensors)
        outputs = _differentiable_outputs(func(*tensors))
        if check_forward_ad:
            _check_forward(func, tensors, eps, atol, rtol)
        for index, output in enumerate(outputs if check_backward_ad else ()):
            _check_output(func, tensors, index, output, eps, atol, rtol, nondet_tol, fast_mode)
        if not outputs:
            _check_no_dependence(func, tensors, eps, atol)
    except GradcheckError as error:
        if not raise_exception:
            return False
        if explain:
            from tinytorch.learn.doctor import examine  # not needed by anyone whose gradients are right

            raise GradcheckError(f"{error}\n\n{examine(func, tensors)}") from None
        raise
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    gen_non_contig_grad_outputs: bool = False,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
    explain: bool = False,
) -> bool:
    """Compare the second derivatives of ``func(*inputs)`` with finite differences of its gradients.

    ``grad_outputs``: the gradients to start the first backward with; random ones by default. They are inputs of the
    check, too. ``check_fwd_over_rev``: also compare the tangents of the gradients. The rest: as for :func:`gradcheck`.
    """
    tensors = _as_tuple(inputs)
    outputs = _differentiable_outputs(func(*tensors))
    if grad_outputs is None:
        source = np.random.default_rng(0)
        starts = tuple(Tensor._wrap(_random_like(o._array, source)).requires_grad_() for o in outputs)
    else:
        starts = _as_tuple(grad_outputs)
    count = len(tensors)
    wanted = [i for i, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad]

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        values, cotangents = arguments[:count], arguments[count:]
        results = _differentiable_outputs(func(*values))
        return tuple(
            g
            for g in grad(results, [values[i] for i in wanted], cotangents, create_graph=True, allow_unused=True)
            if g is not None and g.requires_grad
        )

    return gradcheck(
        gradients, tensors + starts, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
        fast_mode=fast_mode, explain=explain,
    )  # fmt: skip


def _random_like(array: np.ndarray, source: np.random.Generator) -> np.ndarray:
    numbers = source.standard_normal(_real_size(array))
    return numbers.astype(array.real.dtype).view(array.dtype).reshape(array.shape)


def _real_size(array: np.ndarray) -> int:
    """How many real numbers an array holds."""
    return array.size * (2 if array.dtype.kind == "c" else 1)


def _as_real(array: np.ndarray) -> np.ndarray:
    """All real numbers of an array in a row; a view where it lies in row-major order."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(flat.real.dtype)


def _shaped_as(array: np.ndarray, numbers: np.ndarray) -> Tensor:
    """The other way round: a tensor like ``array`` that holds these real numbers."""
    return Tensor._wrap(numbers.astype(array.real.dtype).view(array.dtype).reshape(array.shape))


def _as_tuple(value: Any) -> tuple[Any, ...]:
    return (value,) if isinstance(value, Tensor) else tuple(value)


def _check_inputs(tensors: Sequence[Any]) -> None:
    if not any(isinstance(t, Tensor) and t.requires_grad for t in tensors):
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    for position, tensor in enumerate(tensors):
        if not (isinstance(tensor, Tensor) and tensor.requires_grad):
            continue
        if tensor._array.dtype not in (np.float64, np.complex128):
            warnings.warn(
                f"Input #{position} requires gradient and is not a double precision floating point or complex. This "
                "check will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=3,
            )
        if tensor._array.size and any(
            stride == 0 and size > 1 for stride, size in zip(tensor._array.strides, tensor._array.shape, strict=True)
        ):
            raise RuntimeError(
                "gradcheck: an input has overlapping memory (from expand()); its elements cannot be varied one by "
                "one. Call contiguous() first."
            )


def _differentiable_outputs(result: Any) -> tuple[Tensor, ...]:
    return tuple(output for output in _as_tuple(result) if isinstance(output, Tensor) and output.requires_grad)


def _check_output(
    func: Any,
    tensors: tuple[Any, ...],
    index: int,
    output: Tensor,
    eps: float,
    atol: float,
    rtol: float,
    nondet_tol: float,
    fast_mode: bool,
) -> None:
    """Compare output ``index`` with respect to every input that requires grad."""
    directions = _directions(output, fast_mode)
    wanted = [position for position, t in enumerate(tensors) if isinstance(t, Tensor) and t.requires_grad]
    analytical = _analytical(output, [tensors[p] for p in wanted], directions)
    again = _analytical(output, [tensors[p] for p in wanted], directions)
    for position, rows, rows_again in zip(wanted, analytical, again, strict=True):
        if np.abs(rows - rows_again).max(initial=0.0) > nondet_tol:
            raise GradcheckError(
                f"Backward is not reentrant: input {position} got different gradients for the same grad_output."
            )
        numerical = _numerical(func, tensors, position, index, directions, eps)
        _compare(rows, numerical, position, index, atol, rtol)


def _check_forward(func: Any, tensors: tuple[Any, ...], eps: float, atol: float, rtol: float) -> None:
    """Compare how the outputs of dual numbers move: each input element in turn moves at speed 1."""
    from tinytorch.autograd.forward_ad import dual_level, make_dual, unpack_dual

    outputs = [(i, o) for i, o in enumerate(_as_tuple(func(*tensors))) if isinstance(o, Tensor) and o.requires_grad]
    constant = [t.detach() if isinstance(t, Tensor) else t for t in tensors]
    for position, tensor in enumerate(tensors):
        if not (isinstance(tensor, Tensor) and tensor.requires_grad):
            continue
        columns: list[list[np.ndarray]] = [[] for _ in outputs]
        for direction in np.eye(_real_size(tensor._array)):
            with dual_level():
                dual = make_dual(constant[position], _shaped_as(tensor._array, direction))
                results = _as_tuple(func(*constant[:position], dual, *constant[position + 1 :]))
                moves = [unpack_dual(results[place]).tangent for place, _ in outputs]
            for column, (_, output), move in zip(columns, outputs, moves, strict=True):
                column.append(_as_real(np.zeros_like(output._array) if move is None else move._array))
        for index, (_, output) in enumerate(outputs):
            numerical = _numerical(func, tensors, position, index, np.eye(_real_size(output._array)), eps)
            _compare(np.reshape(columns[index], numerical.shape[::-1]).T, numerical, position, index, atol, rtol)


def _directions(output: Tensor, fast_mode: bool) -> np.ndarray:
    """The cotangents to try, one per row: unit vectors, or one random vector."""
    size = _real_size(output._array)
    if fast_mode:
        return np.random.default_rng(0).standard_normal((1, size))
    return np.eye(size)


def _analytical(output: Tensor, wanted: list[Tensor], directions: np.ndarray) -> list[np.ndarray]:
    """For each input, the rows ``directions @ J`` as backward computes them."""
    rows = [np.zeros((len(directions), _real_size(t._array))) for t in wanted]
    for number, direction in enumerate(directions):
        start = _shaped_as(output._array, direction)
        grads = grad(output, wanted, start, retain_graph=True, allow_unused=True)
        for row, gradient in zip(rows, grads, strict=True):
            if gradient is not None:
                row[number] = _as_real(gradient._array)
    return rows


def _numerical(
    func: Any, tensors: tuple[Any, ...], position: int, index: int, directions: np.ndarray, eps: float
) -> np.ndarray:
    """``directions @ J`` by central differences, one column per element of input ``position``.

    The input itself moves, not a copy: ``func`` may be a network, of which the input is a parameter.
    """
    array = tensors[position]._array
    numbers = _as_real(array)  # a copy if the array does not lie in row-major order
    columns = []
    for element, value in enumerate(numbers.copy()):
        ends = []
        for step in (eps, -eps):
            numbers[element] = value + step
            array[...] = numbers.view(array.dtype).reshape(array.shape)
            results = _differentiable_outputs(func(*tensors))
            ends.append(_as_real(results[index]._array).astype(np.float64))
            numbers[element] = value
            array[...] = numbers.view(array.dtype).reshape(array.shape)
        columns.append(directions @ ((ends[0] - ends[1]) / (2 * eps)))
    return np.stack(columns, 1) if columns else np.zeros((len(directions), 0))


def _compare(
    analytical: np.ndarray, numerical: np.ndarray, position: int, index: int, atol: float, rtol: float
) -> None:
    wrong = ~np.isclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise GradcheckError(
            f"Jacobian mismatch for output {index} with respect to input {position}: at [{row}, {column}] analytical "
            f"{analytical[row, column]:.9g}, numerical {numerical[row, column]:.9g}; {wrong.sum()} of "
            f"{wrong.size} entries differ.\n"
            f"numerical:\n{numerical}\nanalytical:\n{analytical}"
        )


def _check_no_dependence(func: Any, tensors: tuple[Any, ...], eps: float, atol: float) -> None:
    """No output requires grad: then the outputs must not move when the inputs do."""
    before = [o._array.copy() for o in _as_tuple(func(*tensors)) if isinstance(o, Tensor)]
    for position, tensor in enumerate(tensors):
        if not (isinstance(tensor, Tensor) and tensor.requires_grad):
            continue
        still = tensor._array.copy()
        tensor._array[...] += eps
        after = [o._array.copy() for o in _as_tuple(func(*tensors)) if isinstance(o, Tensor)]
        tensor._array[...] = still
        if any(
            b.dtype.kind in INEXACT and not np.allclose(a, b, rtol=0, atol=min(atol, eps / 10))
            for b, a in zip(before, after, strict=True)
        ):
            raise GradcheckError(
                f"Numerical gradient for function expected to be zero: the output varies with input {position}."
            )
