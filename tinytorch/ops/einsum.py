"""einsum: sums of products, written with a letter for each dimension.

``einsum('bij,bjk->bik', a, b)`` is ``Σ_j a[b,i,j] · b[b,j,k]``. Operands are multiplied from left to right. A letter
that neither the output nor a later operand needs is summed in that very product, and a product with a sum is a batched
matrix product: letters in both operands are its batch if they are kept and its inner dimension if they are summed,
the others its rows and columns. So all is permute, reshape and matmul, and the derivative comes for free. Dimensions
of size 1 are left out until the end, which is all that broadcasting needs.

What has to be done depends on the equation and the shapes alone, and is worked out once for each.
"""

from __future__ import annotations

import functools
import math
import string
from typing import Any, NamedTuple

from tinytorch.autograd.node import known_as
from tinytorch.ops.arguments import wrong_argument
from tinytorch.ops.linalg import matmul
from tinytorch.tensor import Tensor

__all__ = ["einsum"]

_LETTERS = string.ascii_uppercase + string.ascii_lowercase
Labels = list[Any]  # letters, and numbers for the dimensions that an ellipsis stands for
Shape = tuple[int, ...]


def einsum(*args: Any) -> Tensor:
    """``einsum(equation, *operands)``, or with lists of numbers: ``einsum(a, [0, 1], b, [1, 2], [0, 2])``
    (``torch.einsum``).

    Letters may repeat within an operand (a diagonal); ``...`` stands for any dimensions, which broadcast. Without
    ``->`` the output has the ellipsis, then all letters that occur once, in alphabetical order.
    Raises RuntimeError for an equation that does not fit the operands.
    """
    equation, operands = _equation_and_operands(args)
    given = operands[0]
    plan = _plan(equation, tuple([operand._array.shape for operand in operands]))
    for position, diagonals, arrangement in plan.alone:
        operand = operands[position]
        for first, second in diagonals:
            operand = operand.diagonal(0, first, second)
        operands[position] = arrangement.of(operand)
    result = operands[0]
    for operand, product in zip(operands[1:], plan.products, strict=True):
        result = product.of(result, operand)
    result = plan.last.of(result)
    return result.view(result._array.shape) if result is given else result


class Arrangement(NamedTuple):
    """Sum over some dimensions, then the others in another order, then another shape; None where nothing changes."""

    summed: list[int] | None
    order: list[int] | None
    shape: Shape | None

    def of(self, x: Tensor) -> Tensor:
        """``x`` so arranged."""
        if self.summed is not None:
            x = x.sum(self.summed)
        if self.order is not None:
            x = x.permute(self.order)
        return x if self.shape is None else x.reshape(self.shape)


class Product(NamedTuple):
    """A product of two operands, of matrices or of elements."""

    left: Arrangement
    right: Arrangement
    is_matmul: bool
    result: Arrangement

    def of(self, a: Tensor, b: Tensor) -> Tensor:
        """The product of ``a`` and ``b``."""
        left, right = self.left.of(a), self.right.of(b)
        return known_as(self.result.of(matmul(left, right)), "ViewBackward0") if self.is_matmul else left * right


class Plan(NamedTuple):
    """What to do for an equation and shapes: to operands alone, to pairs of them, to the result."""

    alone: list[tuple[int, list[tuple[int, int]], Arrangement]]
    products: list[Product]
    last: Arrangement


def _arrange(labels: Labels, sizes: dict[Any, int], wanted: Labels, shape: Shape) -> Arrangement:
    """From dimensions ``labels`` to those ``wanted``, seen in ``shape``; the others are summed."""
    kept = [label for label in labels if label in wanted]
    order = [kept.index(label) for label in wanted]
    arranged = tuple([sizes[label] for label in wanted])
    return Arrangement(
        [i for i, label in enumerate(labels) if label not in wanted] if len(kept) < len(labels) else None,
        order if order != list(range(len(order))) else None,
        shape if shape != arranged else None,
    )


@functools.lru_cache(maxsize=256)
def _plan(equation: str, shapes: tuple[Shape, ...]) -> Plan:
    labels, output = _read(equation, tuple([len(shape) for shape in shapes]))
    _check_sizes(labels, shapes)
    sizes: dict[Any, int] = {}
    alone, remaining = [], []
    ignored = 1 if len(shapes) > 1 else None  # what a single operand leaves out is a sum, of one number too
    for position, (one, shape) in enumerate(zip(labels, shapes, strict=True)):
        diagonals, one, shape = _diagonals(one, shape)
        sizes.update({label: size for label, size in zip(one, shape, strict=True) if size != ignored})
        large = [label for label, size in zip(one, shape, strict=True) if size != ignored]
        remaining.append(large)
        if diagonals or len(large) < len(one):
            alone.append((position, diagonals, Arrangement(None, None, tuple([sizes[label] for label in large]))))
    products = []
    result = remaining[0]
    for position, operand in enumerate(remaining[1:], 1):
        needed = {label for later in (output, *remaining[position + 1 :]) for label in later}
        product, result = _product(result, operand, needed, sizes)
        products.append(product)
    shape = tuple([sizes.get(label, 1) for label in output])
    return Plan(alone, products, _arrange(result, sizes, [label for label in output if label in sizes], shape))


def _product(a: Labels, b: Labels, needed: set[Any], sizes: dict[Any, int]) -> tuple[Product, Labels]:
    """``Σ a · b`` over the labels that are not ``needed``, and the labels of the result."""
    batch = [label for label in a if label in b and label in needed]
    together = [label for label in a if label in b and label not in needed]
    rows = [label for label in a if label not in b and label in needed]
    columns = [label for label in b if label not in a and label in needed]
    shape = tuple([sizes[label] for label in batch + rows + columns])
    if together:
        n, m, k, p = (math.prod([sizes[label] for label in group]) for group in (batch, rows, together, columns))
        left = _arrange(a, sizes, batch + rows + together, (n, m, k)[not batch :])
        right = _arrange(b, sizes, batch + together + columns, (n, k, p)[not batch :])
        result = Arrangement(None, None, shape if shape != (n, m, p)[not batch :] else None)
        return Product(left, right, True, result), batch + rows + columns
    left = _arrange(a, sizes, batch + rows, shape[: len(batch + rows)] + (1,) * len(columns))
    right = _arrange(b, sizes, batch + columns, shape[: len(batch)] + (1,) * len(rows) + shape[len(batch + rows) :])
    return Product(left, right, False, Arrangement(None, None, None)), batch + rows + columns


def _diagonals(labels: Labels, shape: Shape) -> tuple[list[tuple[int, int]], Labels, Shape]:
    """The diagonals to take for labels that are repeated, and the labels and sizes then."""
    found = []
    while len(set(labels)) < len(labels):
        label = next(label for label in labels if labels.count(label) > 1)
        first = labels.index(label)
        second = labels.index(label, first + 1)
        found.append((first, second))  # the diagonal becomes the last dimension
        labels = [*labels[:first], *labels[first + 1 : second], *labels[second + 1 :], label]
        shape = (*shape[:first], *shape[first + 1 : second], *shape[second + 1 :], shape[first])
    return found, labels, shape


def _read(equation: str, ndims: tuple[int, ...]) -> tuple[list[Labels], Labels]:
    """The labels of each operand's dimensions, and those of the output."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) < len(ndims):
        raise RuntimeError("einsum(): more operands were provided than specified in the equation")
    if len(terms) > len(ndims):
        raise RuntimeError("einsum(): fewer operands were provided than specified in the equation")
    labels = [_labels(term, ndim, i) for i, (term, ndim) in enumerate(zip(terms, ndims, strict=True))]
    ellipsis_dims = max((sum(isinstance(label, int) for label in one) for one in labels), default=0)
    return labels, _output_labels(right, labels, ellipsis_dims) if arrow else _implicit_output(labels, ellipsis_dims)


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
                f"dimensions ({ndim}) for operand {position} and no ellipsis was given"
            )
        return list(term)
    before, _, after = term.partition("...")
    hidden = ndim - len(before) - len(after)
    if hidden < 0:
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(before) + len(after)}) is more than the number "
            f"of dimensions ({ndim}) for operand {position}"
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


def _check_sizes(labels: list[Labels], shapes: tuple[Shape, ...]) -> None:
    sizes: dict[Any, int] = {}
    for position, (one, shape) in enumerate(zip(labels, shapes, strict=True)):
        own: dict[Any, int] = {}
        for label, size in zip(one, shape, strict=True):
            if own.setdefault(label, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {label} is repeated for operand {position} but the sizes don't match, {size} "
                    f"!= {own[label]}"
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
