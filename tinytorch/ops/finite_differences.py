"""The slope of sampled functions: ``gradient`` estimates derivatives from neighbouring samples.

In the middle the parabola through three neighbours is differentiated; for evenly spaced samples that is
``(f(x + h) - f(x - h)) / 2h``. At the ends a line through two samples (``edge_order=1``) or again a parabola
(2). All are sums of shifted slices, so autograd knows their derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.broadcast import to_float
from tinytorch.ops.checks import check_tensor, refuse
from tinytorch.ops.dims import one_dim
from tinytorch.ops.joining import cat
from tinytorch.tensor import Tensor

__all__ = ["gradient"]


@checks_arguments
def gradient(input: Tensor, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> tuple[Tensor, ...]:
    """The estimated derivative along each dimension (or those in ``dim``), each in the shape of ``input``.

    Args:
        spacing: the distance of samples (1), one for each dimension, or for each dimension a 1-d tensor of coordinates.
        edge_order: 1 or 2, the degree of the polynomials at the ends.

    Raises:
        RuntimeError: uint8 input, too few samples, or as many spacings as dimensions are not given.

    >>> import tinytorch
    >>> tinytorch.gradient(tinytorch.tensor([1.0, 4.0, 9.0, 16.0]), edge_order=2)
    (tensor([2., 4., 6., 8.]),)
    """
    check_tensor("gradient", "input", 1, input)
    if not (dim is None or isinstance(dim, (int, tuple, list))):
        raise wrong_argument("gradient", "dim", None, dim, "int or tuple of ints")
    refuse("b", "gradient", input, error=RuntimeError)
    dims = _checked_dims(input, spacing, dim, edge_order)
    spacings = list(spacing) if isinstance(spacing, (list, tuple)) else [1 if spacing is None else spacing] * len(dims)
    values = to_float(input)
    return tuple([_along(values, d, step, edge_order) for d, step in zip(dims, spacings, strict=True)])


def _checked_dims(input: Tensor, spacing: Any, dim: Any, edge_order: int) -> list[int]:
    if input._array.dtype == np.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    if input._array.dtype == np.bool_:
        raise RuntimeError("torch.gradient does not support bool input: bools cannot be subtracted.")
    if not isinstance(spacing, (type(None), int, float, complex, list, tuple)):
        raise TypeError(
            f"gradient(): argument 'spacing' must be a number or a sequence of numbers or Tensors, not "
            f"{type(spacing).__name__}"
        )
    ndim = input._array.ndim
    dims = list(range(ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if isinstance(spacing, (list, tuple)) and len(spacing) != len(dims):
        wanted = (
            f", or a list of length equal to 'self.dim() = {ndim}', since dim argument was not given, but got a list "
            f"of length {len(spacing)}"
            if dim is None
            else " or it's spacing and dim arguments to have the same length, but got a spacing argument of length "
            f"{len(spacing)} and a dim argument of length {len(dims)}."
        )
        raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar{wanted}")
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    places = [one_dim(d, ndim) for d in dims]
    if len(set(places)) < len(places):
        twice = next(d for d in places if places.count(d) > 1)
        raise RuntimeError(f"dim {twice} appears multiple times in the list of dims")
    if any(input._array.shape[d] <= edge_order for d in places if ndim):
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    for step in spacing if isinstance(spacing, (list, tuple)) else ():
        if isinstance(step, Tensor) and step._array.ndim != 1:
            raise RuntimeError(
                "torch.gradient expected each element of spacing to have one dimension, but got an element with "
                f"{step._array.ndim} dimensions!"
            )
    return places


def _along(values: Tensor, dim: int, spacing: Any, edge_order: int) -> Tensor:
    if isinstance(spacing, Tensor):
        place = to_float(spacing)
        steps = (place[1:] - place[:-1]).reshape((-1,) + (1,) * (values._array.ndim - 1 - dim))
        before, after = steps.narrow(0, 0, steps.shape[0] - 1), steps.narrow(0, 1, steps.shape[0] - 1)
    else:
        before = after = spacing
    count = values._array.shape[dim]
    left, middle, right = (values.narrow(dim, start, count - 2) for start in (0, 1, 2))
    if isinstance(spacing, Tensor):
        inner = (
            left * (-after / (before * (before + after)))
            + middle * ((after - before) / (before * after))
            + right * (before / (after * (before + after)))
        )
        first, last = steps[:1], steps[-1:]
        near_first, near_last = steps[1:2], steps[-2:-1]
    else:
        inner = (right - left) / (2 * spacing)
        first = last = near_first = near_last = spacing
    start = _edge([values.narrow(dim, i, 1) for i in range(edge_order + 1)], first, near_first)
    end = -_edge([values.narrow(dim, count - 1 - i, 1) for i in range(edge_order + 1)], last, near_last)
    return cat([start, inner, end], dim)


def _edge(samples: list[Tensor], step: Any, next_step: Any) -> Tensor:
    """The slope at the first of two or three samples, which lie ``step`` and then ``next_step`` apart."""
    if len(samples) == 2:
        return (samples[1] - samples[0]) / step
    both = step + next_step
    return (
        samples[0] * (-(step + both) / (step * both))
        + samples[1] * (both / (step * next_step))
        - samples[2] * (step / (next_step * both))
    )
