"""Chapter 10. Losses.

After: tinytorch/nn/modules/linear.py
Next: tinytorch/ops/loss.py

Goal: turn scores into probabilities and a loss, whose derivative is the plainest of all: p - one_hot.

The idea. ``p = softmax(x)``, ``p_i = e^{x_i} / Σ_j e^{x_j}``, and the loss is how surprising the right class t was:
``L = -log p_t``.

The derivation, of both together. Let s = Σ_j e^{x_j}. From log p_k = x_k - log s and ∂(log s)/∂x_i = e^{x_i} / s = p_i,

    ∂ log p_k / ∂x_i = δ_ki - p_i                          and so   ∂p_k/∂x_i = p_k (δ_ki - p_i)

    softmax       ∂L/∂x_i = Σ_k grad_k p_k (δ_ki - p_i)  = p_i · (grad_i - Σ_k grad_k p_k)
    log_softmax   ∂L/∂x_i = Σ_k grad_k (δ_ki - p_i)      = grad_i - p_i · Σ_k grad_k
    nll           grad_k  = -1 where k = t, else 0
    all of it     ∂L/∂x   = p - one_hot(t)                 divided by the size of the batch under 'mean'

>>> import tinytorch
>>> x = tinytorch.tensor([[2.0, 1.0, 0.0]], requires_grad=True)
>>> cross_entropy(x, tinytorch.tensor([0])).backward()
>>> x.grad, softmax(x.detach(), 1)
(tensor([[-0.3348,  0.2447,  0.0900]]), tensor([[0.6652, 0.2447, 0.0900]]))

Subtracting the maximum m from x changes nothing (numerator and denominator both shrink by e^m) and keeps e^x from
overflowing.

What PyTorch does. The same two ops under one function; ``weight``, ``ignore_index``, ``label_smoothing`` and
probabilities as targets as there.

Pitfalls. ``log(softmax(x))`` is -inf for a score 120 below the largest, ``log_softmax`` is right. ``cross_entropy``
wants *scores*: a softmax in the model as well trains, slowly, to worse results, without any error.

Exercises. What is the loss of a model that knows nothing, for ten classes? What does adding 5 to all scores change?
Answers: ``python -m tinytorch.learn answers 10``; more: ``python -m tinytorch.learn start --chapter 10``.
Check: ``python -m pytest tests/ops/test_loss.py``.

"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.modes import is_grad_enabled
from tinytorch.autograd.primitive import Primitive
from tinytorch.autograd.saving import relying_on
from tinytorch.dtypes import FLOATS, INEXACT, to_numpy_dtype
from tinytorch.kernels import cross_entropy as fused
from tinytorch.kernels import softmax as kernels
from tinytorch.kernels.picking import all_between
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.broadcast import cast
from tinytorch.ops.checks import not_implemented, refuse, refuse_complex, type_name
from tinytorch.ops.dims import accepts_axis, one_dim
from tinytorch.ops.out import accepts_exact_out
from tinytorch.ops.reduction_modes import chosen_reduction, reduced
from tinytorch.tensor import Tensor

__all__ = ["cross_entropy", "log_softmax", "nll_loss", "softmax"]


class Softmax(Primitive):
    """p = e^x / Σ e^x; x receives p · (grad - Σ grad · p)."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        refuse_complex("softmax", x)
        if x.ndim == 0 or x.size == 0:
            y = 1 + (x - x)  # 1, but NaN for what is not finite, as in a row of one
        else:
            y = kernels.softmax(x, dim)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        dim = ctx.attributes["dim"]
        if is_grad_enabled():
            return y * (grad - (grad * y).sum(dim, True))
        return Tensor._wrap(kernels.softmax_backward(grad._array, y._array, dim))


class LogSoftmax(Primitive):
    """y = x - log Σ e^x; x receives grad - e^y · Σ grad."""

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, dim: int) -> np.ndarray:
        refuse_complex("log_softmax", x)
        if x.ndim == 0 or x.size == 0:
            y, kept = x - x, None
        else:
            y, kept = kernels.log_softmax(x, dim, keep=ctx.needs_input_grad[0])
        ctx.save_for_backward(y)
        ctx.save_intermediates(kept)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        dim = ctx.attributes["dim"]
        if is_grad_enabled():
            return grad - y.exp() * grad.sum(dim, True)
        return Tensor._wrap(kernels.log_softmax_backward(grad._array, y._array, dim, *ctx.intermediates))


class NllLoss(Primitive):
    """-Σ_n x[n, target_n] · factor_n / divisor along dimension 1; with no divisor, one loss per sample.

    ``factor`` is the class weight of the sample's target, and 0 where the sample is ignored; None is 1 for all.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, target: np.ndarray, factor: np.ndarray | None, divisor: Any) -> np.ndarray:
        ctx.save_intermediates(x.shape)
        return _reduced(-fused.pick(x, target), factor, divisor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (shape,) = ctx.intermediates
        return _nll_gradient(ctx, grad, shape)


class CrossEntropy(Primitive):
    """:class:`NllLoss` of :class:`LogSoftmax` in one: x receives (p - one_hot) · grad · factor / divisor.

    What is kept is p, as e^x and its sums, and not x, which may change in place before backward.
    """

    @staticmethod
    def forward(ctx: Any, x: np.ndarray, target: np.ndarray, factor: np.ndarray | None, divisor: Any) -> np.ndarray:
        losses, kept = fused.cross_entropy(x, target, keep=ctx.needs_input_grad[0])
        ctx.save_intermediates(*(kept or ()))
        return _reduced(losses, factor, divisor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        exps, sums = ctx.intermediates
        if not is_grad_enabled():
            share, target, factor = _share(ctx, grad._array)
            gx = fused.cross_entropy_backward(share, target, factor, (exps, sums))
            return Tensor._wrap(gx.astype(grad._array.dtype, copy=False))
        with np.errstate(divide="ignore"):
            x = Tensor._wrap(np.log(exps).astype(grad._array.dtype, copy=False))  # the input, but for the shift,
        x._edge, x._requires_grad = ctx.edges[0], True  # in its place in the graph
        of_log_p = _nll_gradient(ctx, grad, x._array.shape)
        return of_log_p - softmax(x, 1) * of_log_p.sum(1, True)

    known_name = "NllLossBackward0"


def _reduced(loss: np.ndarray, factor: np.ndarray | None, divisor: Any) -> np.ndarray:
    if factor is not None:
        loss = np.where(factor != 0, loss * factor, loss.dtype.type(0))  # an ignored -inf counts 0, not nan
    return loss if divisor is None else np.true_divide(np.add.reduce(loss, axis=None, dtype=loss.dtype), divisor)


def _share(ctx: Any, grad: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """What each loss counts in the result, and the attributes target and factor."""
    target, factor, divisor = (ctx.attributes[name] for name in ("target", "factor", "divisor"))
    return grad if divisor is None else np.true_divide(grad, divisor), target, factor


def _nll_gradient(ctx: Any, grad: Tensor, shape: tuple[int, ...]) -> Tensor:
    """The gradient of the log-probabilities: 0 but at the targets, where it is -grad · factor / divisor."""
    if not is_grad_enabled():
        share, target, factor = _share(ctx, grad._array)
        return Tensor._wrap(fused.pick_backward(-share, target, factor, shape))
    target, factor, divisor = (ctx.attributes[name] for name in ("target", "factor", "divisor"))
    shared = grad if divisor is None else grad / Tensor._wrap(np.asarray(divisor))
    if factor is None:
        factor = np.ones(target.shape, grad._array.dtype)
    # An ignored sample has gradient 0 even where its share is infinite: the mean over no sample divides by 0.
    weighted = ops.where(Tensor._wrap(factor != 0), shared * Tensor._wrap(-factor), 0.0).unsqueeze(1)
    return ops.scatter_add_along(weighted, Tensor._wrap(np.expand_dims(target, 1)), 1, shape)


def _softmax(primitive: Any, input: Tensor, dim: int, dtype: Any) -> Tensor:
    if dtype is not None:
        input = cast(input, to_numpy_dtype(dtype))
    if input._array.dtype.kind not in INEXACT:
        name = "softmax" if primitive is Softmax else "log_softmax"
        raise not_implemented(f"{name}_lastdim_kernel_impl", input)
    return primitive.apply(input, dim=one_dim(dim, input._array.ndim))


@accepts_exact_out
@accepts_axis
def softmax(input: Tensor, dim: int, dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``exp(x) / Σ exp(x)`` along ``dim``, of the input's shape: positive numbers that sum to 1 (``torch.softmax``).

    ``dtype`` is converted to before. NotImplementedError for integers.
    """
    return _softmax(Softmax, input, dim, dtype)


@accepts_exact_out
@accepts_axis
def log_softmax(input: Tensor, dim: int, dtype: Any = None, *, out: Tensor | None = None) -> Tensor:
    """``x - log Σ exp(x)`` along ``dim``: the logarithm of :func:`softmax`, without its rounding and overflow.

    ``torch.log_softmax``; arguments and errors as of :func:`softmax`.
    """
    return _softmax(LogSoftmax, input, dim, dtype)


@checks_arguments
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log likelihood: ``-weight[t] · input[n, t]`` for the class t = target[n] (``F.nll_loss``).

    Args:
        input: log-probabilities, (N, C), (C,) or (N, C, d1, ...).
        target: classes, int64, (N,), () or (N, d1, ...).
        weight: one per class; 'mean' divides by the sum of the weights used.
        ignore_index: a class that counts nothing.

    Raises:
        IndexError: a class outside [0, C). RuntimeError, ValueError: shapes or dtypes that do not fit.
    """
    refuse("biuc", "nll_loss", input)
    reduction = chosen_reduction(size_average, reduce, reduction)
    if input._array.ndim < 1:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    return _loss_of_classes(NllLoss, input, target, weight, ignore_index, reduction)


def _loss_of_classes(
    primitive: Any, input: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int, reduction: str
) -> Tensor:
    """:class:`NllLoss` or :class:`CrossEntropy`, once the arguments are found to fit."""
    if input._array.ndim == 1:
        if target._array.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        if target._array.size != 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target._array.size}")
        loss = _loss_of_classes(primitive, input.unsqueeze(0), target.reshape(1), weight, ignore_index, reduction)
        return loss.reshape(()) if reduction == "none" else loss
    _check_nll_arguments(input, target, weight)
    classes, n_classes, dtype = target._array, input._array.shape[1], input._array.dtype
    factor: np.ndarray | None
    if weight is None and not 0 <= ignore_index < n_classes and all_between(classes, n_classes):  # the usual case
        factor, count = None, dtype.type(classes.size)
    else:
        counted = classes != ignore_index
        _check_classes(classes, counted, n_classes)
        classes = np.where(counted, classes, 0)
        factor = counted.astype(dtype) if weight is None else np.where(counted, weight._array[classes], dtype.type(0))
        count = factor.sum(dtype=dtype)
    divisors = {"none": None, "sum": dtype.type(1), "mean": count}
    if reduction not in divisors:
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return relying_on(primitive.apply(input, target=classes, factor=factor, divisor=divisors[reduction]), target)


def _check_nll_arguments(input: Tensor, target: Tensor, weight: Tensor | None) -> None:
    expected = (input._array.shape[0], *input._array.shape[2:])
    if target._array.shape != expected:
        rows = target._array.shape[0] if target._array.ndim else 0
        if rows != input._array.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({input._array.shape[0]}) to match target batch_size ({rows})."
            )
        raise RuntimeError(f"Expected target size {list(expected)}, got {list(target.shape)}")
    if target._array.dtype != np.int64 and (target._array.dtype != np.uint8 or input._array.ndim > 2):
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {type_name(target)}")
    if weight is not None and weight._array.dtype != input._array.dtype:
        raise RuntimeError(f"expected scalar type {type_name(input)} but found {type_name(weight)}")
    if weight is not None and weight._array.shape != (input._array.shape[1],):
        raise RuntimeError(
            f"weight tensor should be defined either for all {input._array.shape[1]} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )


def _check_classes(classes: np.ndarray, counted: np.ndarray, n_classes: int) -> None:
    wrong = counted & ((classes < 0) | (classes >= n_classes))
    if wrong.any():
        raise IndexError(f"Target {classes[wrong].flat[0]} is out of bounds.")


@checks_arguments
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """``log_softmax`` then negative log likelihood (``F.cross_entropy``).

    Args:
        input: unnormalized scores, (N, C), (C,) or (N, C, d1, ...).
        target: class indices as for :func:`nll_loss`, or probabilities: floating, of the input's shape.
        label_smoothing: in [0, 1]; so much of the target is spread over all classes evenly.

    Raises:
        IndexError: a class outside [0, C). RuntimeError, ValueError: shapes or dtypes that do not fit, a smoothing
        above 1.
    """
    reduction = chosen_reduction(size_average, reduce, reduction)
    if label_smoothing > 1.0 or (target._array.dtype.kind in FLOATS and not label_smoothing >= 0.0):
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    class_dim = 0 if input._array.ndim == 1 else 1
    if input._array.ndim == 0:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    if target._array.dtype.kind in FLOATS and ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    probabilities = target._array.shape == input._array.shape and target._array.dtype.kind in FLOATS
    if not probabilities and target._array.shape == input._array.shape and input._array.shape[1:] not in ((), (1,)):
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {type_name(target)}")
    if not (probabilities or label_smoothing > 0.0) and input._array.size and input._array.dtype.kind in FLOATS:
        return _loss_of_classes(CrossEntropy, input, target, weight, ignore_index, reduction)
    log_p = _softmax(LogSoftmax, input, class_dim, None)
    if probabilities:
        return _soft_cross_entropy(log_p, target, weight, class_dim, reduction, label_smoothing)
    hard = _loss_of_classes(NllLoss, log_p, target, weight, ignore_index, reduction)
    if not label_smoothing > 0.0:
        return hard
    return (1 - label_smoothing) * hard + label_smoothing * _uniform_cross_entropy(
        log_p, target, weight, class_dim, ignore_index, reduction
    )


def _class_weight(weight: Tensor, ndim: int, class_dim: int) -> Tensor:
    return weight.reshape([-1 if i == class_dim else 1 for i in range(ndim)])


def _soft_cross_entropy(
    log_p: Tensor, target: Tensor, weight: Tensor | None, class_dim: int, reduction: str, smoothing: float
) -> Tensor:
    """-Σ_c target_c · weight_c · log p_c; 'mean' divides by the number of samples, whatever the weights."""
    n_classes = log_p._array.shape[class_dim]
    if smoothing:
        target = target * (1 - smoothing) + smoothing / n_classes
    product = log_p * target
    if weight is not None:
        product = product * _class_weight(weight, log_p._array.ndim, class_dim)
    loss = -product.sum(class_dim)
    if reduction == "mean":
        return loss.sum() / (log_p._array.size / n_classes)
    return reduced(loss, reduction)


def _uniform_cross_entropy(
    log_p: Tensor, target: Tensor, weight: Tensor | None, class_dim: int, ignore_index: int, reduction: str
) -> Tensor:
    """The loss against the uniform distribution over classes: what label smoothing mixes in."""
    n_classes = log_p._array.shape[class_dim]
    weighted = log_p if weight is None else log_p * _class_weight(weight, log_p._array.ndim, class_dim)
    counted = target._array != ignore_index
    loss = ops.where(Tensor._wrap(counted), -weighted.sum(class_dim), 0.0) / n_classes
    if reduction != "mean":
        return reduced(loss, reduction)
    if weight is None:
        return loss.sum() / float(counted.sum())
    safe = np.where(counted, target._array, 0)
    return loss.sum() / float((weight._array[safe] * counted).sum())


from tinytorch import ops  # noqa: E402 - part of the circle that tinytorch.tensor closes
