"""Linear equations between tensors: groups of dimensions joined into rows and columns, then solved as matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinytorch.ops.out import accepts_out
from tinytorch.ops.solve import inverse, linalg_solve
from tinytorch.tensor import Tensor

__all__ = ["linalg_tensorinv", "linalg_tensorsolve"]


@accepts_out
def linalg_tensorinv(input: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """The inverse for ``tensordot``: ``tensordot(inverse, A, ind)`` is the identity (``torch.linalg.tensorinv``).

    The first ``ind`` dimensions of ``A`` must hold as many elements as the others.
    """
    shape = input._array.shape
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    if ind > len(shape):
        raise RuntimeError(f"tensorinv: ind={ind} is more than the {len(shape)} dimensions of A")
    rows, columns = shape[:ind], shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got "
            f"{math.prod(columns)} != {math.prod(rows)}"
        )
    matrix = input.reshape(math.prod(rows), math.prod(columns))
    return inverse(matrix).reshape(*columns, *rows)


@accepts_out
def linalg_tensorsolve(
    input: Tensor, other: Tensor, dims: Sequence[int] | None = None, *, out: Tensor | None = None
) -> Tensor:
    """X with ``tensordot(A, X, X.ndim) = B`` (``torch.linalg.tensorsolve``).

    ``dims``: dimensions of ``A`` to be moved to its end first. Then A's shape is B's, followed by X's.
    """
    if dims is not None:
        moved = tuple(dims)
        input = input.movedim(moved, tuple(range(input._array.ndim - len(moved), input._array.ndim)))
    unknown = input._array.shape[other._array.ndim :]
    size = other._array.size
    if math.prod(unknown) != size or input._array.size != size * size:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), "
            f"but got {math.prod(unknown)} != {math.prod(input._array.shape[: other._array.ndim])}"
        )
    return linalg_solve(input.reshape(size, size), other.reshape(-1)).reshape(unknown)
