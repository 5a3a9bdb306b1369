"""einsum: sums of products, written with a letter for each dimension.

``einsum('bij,bjk->bik', a, b)`` is ``Σ_j a[b,i,j] · b[b,j,k]``. Every operand is brought to one common order of all
letters (size 1 where it lacks a letter); then operands are multiplied from left to right. A letter that neither the
output nor a later operand needs is summed in that very product, and a product with a sum is a batched matrix
product. So all is permute, reshape and matmul, and the derivative comes for free.
"""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Sequence
from typing import Any

from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.linalg import matmul
from tinytorch.tensor import Tensor

__all__ = ["einsum"]

_LETTERS = string.ascii_uppercase + string.ascii_lowercase
Labels = list[Any]  # letters, and numbers for the dimensions that an ellipsis stands for


def einsum(*args: Any) -> Tensor:
    """``einsum(equation, *operands)``, or with lists of numbers: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``
    (``torch.einsum``).

    Letters may repeat within an operand (a diagonal); ``...`` stands for any dimensions, which broadcast. Without
    ``->`` the output has the ellipsis, then all letters that occur once, in alphabetical order.
    Raises RuntimeError for an equation that does not fit the operands.
    """
    equation, operands = _equation_and_operands(args)
    labels, order, kept = _read(equation, tuple([operand._array.ndim for operand in operands]))
    _check_sizes(labels, operands)
    aligned = [_aligned(operand, one, order) for operand, one in zip(operands, labels, strict=True)]
    result = _sum_of_products(aligned, labels, order, kept)
    return result.view(result._array.shape) if result is operands[0] else result


@functools.lru_cache(maxsize=256)
def _read(equation: str, ndims: tuple[int, ...]) -> tuple[list[Labels], Labels, int]:
    """The labels of each operand's dimensions; all labels, those of the output first; and how many those are."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) < len(ndims):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if len(terms) > len(ndims):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    labels = [_labels(term, ndim, i) for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True))]
    ellipsis_dims = max((sum(isinstance(label, int) for label in one) for one in labels), default=0)
    output = _output_labels(right, labels, ellipsis_dims) if arrow else _implicit_output(labels, ellipsis_dims)
    summed = [label for label in dict.fromkeys(label for one in labels for label in one) if label not in output]
    return labels, output + summed, len(output)


def _equation_and_operands(args: Any) -> tuple[str, list[Tensor]]:
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], Tensor):
        pairs = len(args) // 2
        equation = ",".join(_as_letters(args[2 * i + 1]) for i in range(pairs))
        equation, operands = equation + (f"->{_as_letters(args[-1])}" if len(args) % 2 else ""), args[0 : 2 * pairs : 2]
    elif len(args) == 2 and isinstance(args[1], (list, tuple)):
        return _equation_and_operands((args[0], *args[1]))
    else:
        equation, operands = args[0], args[1:]
    if not isinstance(equation, str):
        raise wrong_argument("einsum", "equation", 1, equation, "str")
    for position, operand in enumerate(operands):
        if not isinstance(operand, Tensor):
            kind = type(operand).__name__
            raise TypeError(f"einsum(): expected Tensor as element {position} of the operands, but got {kind}")
    return equation, list(operands)


def _as_letters(numbers: Any) -> str:
    if not isinstance(numbers, (list, tuple)) or not all(isinstance(n, (int, type(...))) for n in numbers):
        raise TypeError(f"einsum(): a subscripts list must be a list of ints and Ellipsis, not {numbers!r}")
    if any(number is not Ellipsis and not 0 <= number < len(_LETTERS) for number in numbers):
        raise ValueError("einsum(): subscripts in subscripts list must be within the range [0, 52)")
    return "".join("..." if number is Ellipsis else _LETTERS[number] for number in numbers)


def _check_letters(term: str, what: str) -> None:
    for position, character in enumerate(term.replace("...", "", 1)):
        if character == ".":
            raise RuntimeError(f"einsum(): found '.' for {what} that is not part of any ellipsis (...)")
        if character not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {position} in the equation string, subscripts must be "
                "in [a-zA-Z]"
            )


def _labels(term: str, ndim: int, position: int) -> Labels:
    """One label per dimension. Ellipsis dimensions are numbered from the back: -1 is the last, so that they
    broadcast.
    """
    _check_letters(term, f"operand {position}")
    if "..." not in term:
        if len(term) != ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(term)}) does not match the number of "
                "dimensions "
                f"({ndim}) for operand {position} and no ellipsis was given"
            )
        return list(term)
    before, _, after = term.partition("...")
    hidden = ndim - len(before) - len(after)
    if hidden < 0:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(before) + len(after)}) is more than the "
            "number of "
            f"dimensions ({ndim}) for operand {position}"
        )
    return [*before, *range(-hidden, 0), *after]


def _output_labels(term: str, labels: list[Labels], ellipsis_dims: int) -> Labels:
    _check_letters(term, "output")
    present = {label for one in labels for label in one}
    for letter in term.replace("...", ""):
        if term.count(letter) > 1:
            raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")
        if letter not in present:
            raise RuntimeError(
                f"einsum(): output subscript {letter} does not appear in the equation for any input operand"
            )
    before, dots, after = term.partition("...")
    return [*before, *(range(-ellipsis_dims, 0) if dots else ()), *after]


def _implicit_output(labels: list[Labels], ellipsis_dims: int) -> Labels:
    letters = [label for one in labels for label in one if isinstance(label, str)]
    return [*range(-ellipsis_dims, 0), *sorted(letter for letter in letters if letters.count(letter) == 1)]


def _check_sizes(labels: list[Labels], operands: list[Tensor]) -> None:
    sizes: dict[Any, int] = {}
    for position, (one, operand) in enumerate(zip(labels, operands, strict=True)):
        own: dict[Any, int] = {}
        for label, size in zip(one, operand._array.shape, strict=True):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {position} but the sizes don't match, "
                    f"{size} != "
                    f"{own[label]}"
                )
        for label, size in own.items():
            seen = sizes.setdefault(label, size)
            if seen == 1:
                sizes[label] = size
            elif size not in (1, seen):
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {size} for operand {position} which does not broadcast with "
                    f"previously seen size {seen}"
                )


def _aligned(operand: Tensor, labels: Labels, order: Labels) -> Tensor:
    """The operand with one dimension for each label of ``order``; repeated labels become diagonals."""
    labels = list(labels)
    while len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        operand = operand.diagonal(0, first, second)  # the diagonal becomes the last dimension
        labels = [*labels[:first], *labels[first + 1 : second], *labels[second + 1 :], label]
    present = [label for label in order if label in labels]
    operand = _permuted(operand, [labels.index(label) for label in present])
    sizes = iter(operand._array.shape)
    return _reshaped(operand, [next(sizes) if label in labels else 1 for label in order])


def _permuted(operand: Tensor, dims: list[int]) -> Tensor:
    return operand if dims == list(range(len(dims))) else operand.permute(dims)


def _reshaped(operand: Tensor, shape: Sequence[int]) -> Tensor:
    return operand if operand._array.shape == tuple(shape) else operand.reshape(shape)


def _sum_of_products(aligned: list[Tensor], labels: list[Labels], order: Labels, kept: int) -> Tensor:
    result = aligned[0]
    needed_later = [set().union(*labels[i + 1 :]) for i in range(len(labels))]
    summed: set[int] = set()
    for position, operand in enumerate(aligned):
        ready = {d for d in range(kept, len(order)) if order[d] not in needed_later[position]} - summed
        summed |= ready
        if position:
            result = _product(result, operand, ready)
        elif ready:
            result = result.sum(sorted(ready), keepdim=True)
    return _reshaped(result, result._array.shape[:kept])


def _product(a: Tensor, b: Tensor, summed: set[int]) -> Tensor:
    """``Σ a · b`` over the dimensions ``summed``, kept as size 1."""
    sizes_a, sizes_b = a._array.shape, b._array.shape
    together = [d for d in sorted(summed) if sizes_a[d] != 1 and sizes_b[d] != 1]
    alone_a = [d for d in sorted(summed) if sizes_b[d] == 1 and sizes_a[d] != 1]
    alone_b = [d for d in sorted(summed) if sizes_a[d] == 1 and sizes_b[d] != 1]
    a = a.sum(alone_a, keepdim=True) if alone_a else a
    b = b.sum(alone_b, keepdim=True) if alone_b else b
    if not together:
        return a * b
    sizes_a, sizes_b = a._array.shape, b._array.shape
    rest = [d for d in range(len(sizes_a)) if d not in together]
    batch = [d for d in rest if sizes_a[d] != 1 and sizes_b[d] != 1]
    rows = [d for d in rest if d not in batch and sizes_b[d] == 1]
    columns = [d for d in rest if d not in batch and d not in rows]

    def count(dims: list[int], sizes: tuple[int, ...]) -> int:
        return math.prod(sizes[d] for d in dims)

    n = count(batch, sizes_a)
    left = _permuted(a, batch + rows + together + columns)
    left = _reshaped(left, (n, count(rows, sizes_a), count(together, sizes_a))[not batch :])
    right = _permuted(b, batch + together + columns + rows)
    right = _reshaped(right, (n, count(together, sizes_b), count(columns, sizes_b))[not batch :])
    product = matmul(left, right)
    placed = batch + rows + columns + together
    shape = [sizes_a[d] for d in batch + rows] + [sizes_b[d] for d in columns] + [1] * len(together)
    return _permuted(_reshaped(product, shape), [placed.index(d) for d in range(len(placed))])
