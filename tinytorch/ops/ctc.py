"""The CTC loss: how well a sequence of class probabilities reads as a text; :mod:`tinytorch.kernels.ctc` explains."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinytorch.autograd.primitive import Primitive
from tinytorch.kernels import ctc as kernels
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.checks import check_dims, type_name
from tinytorch.ops.dims import ints_from
from tinytorch.ops.reduction_modes import chosen_reduction, reduced
from tinytorch.tensor import Tensor

__all__ = ["ctc_loss"]


class CtcLoss(Primitive):
    """log_probs (T, N, C) to losses (N,)."""

    @staticmethod
    def forward(
        ctx: Any, log_probs: np.ndarray, text: kernels.Text, steps: np.ndarray, zero_infinity: bool
    ) -> np.ndarray:
        losses, alpha = kernels.ctc_forward(log_probs, text, steps)
        ctx.save_for_backward(log_probs)
        ctx.save_intermediates(losses, alpha)
        return np.where(np.isinf(losses), 0, losses) if zero_infinity else losses.copy()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (log_probs,) = ctx.saved_tensors
        return CtcGradient.apply(grad, log_probs, of=ctx.intermediates, **ctx.attributes)

    known_name = "CtcLossBackward0"


class CtcGradient(Primitive):
    """The gradient of :class:`CtcLoss`. It has no derivative, here as in PyTorch."""

    @staticmethod
    def forward(
        ctx: Any, grad: np.ndarray, log_probs: np.ndarray, of: tuple[np.ndarray, np.ndarray], text: kernels.Text,
        steps: np.ndarray, zero_infinity: bool,
    ) -> np.ndarray:  # fmt: skip
        losses, alpha = of
        by_logits = kernels.ctc_backward(log_probs, text, steps, losses, alpha)
        if zero_infinity:
            by_logits[:, np.isinf(losses)] = 0
        return by_logits * grad[:, None]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        raise RuntimeError("derivative for _ctc_loss_backward is not implemented: ctc_loss can be differentiated once")


@checks_arguments
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of the targets under all alignments (``torch.nn.functional.ctc_loss``).

    Args:
        log_probs: (T, N, C) or (T, C), from a log_softmax. The gradient is that of the logits before it.
        targets: (N, S) padded, or all targets one after the other, (Σ target_lengths,); without the blank.
        input_lengths, target_lengths: (N,) tensors or sequences, or () tensors for a single sequence.
        blank: the class that says nothing.
        reduction: 'mean' divides each loss by its target's length, and averages; 'sum'; 'none'.
        zero_infinity: a target longer than its sequence has no alignment; count 0 instead of infinity.

    Raises:
        RuntimeError: lengths or shapes that do not fit, a blank that is no class. ValueError: another reduction.
    """
    reduction = chosen_reduction(None, None, reduction)
    batched = log_probs.dim() == 3
    check_dims(log_probs, 0)
    if log_probs.dim() not in (2, 3):
        raise RuntimeError(f"ctc_loss: log_probs must be (T, N, C) or (T, C), but got {list(log_probs.shape)}")
    if log_probs._array.dtype not in (np.float32, np.float64):
        raise RuntimeError(f"\"ctc_loss_cpu\" not implemented for '{type_name(log_probs)}'")
    sequences = log_probs if batched else log_probs.unsqueeze(1)
    t, n, classes = sequences._array.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    steps, lengths = _lengths("input_lengths", input_lengths, n), _lengths("target_lengths", target_lengths, n)
    if steps.max(initial=0) > t:
        raise RuntimeError(f"Expected input_lengths to have value at most {t}, but got value {steps.max()}")
    text = kernels.Text.of(_padded(targets._array, lengths, n), lengths, blank)
    losses = CtcLoss.apply(sequences, text=text, steps=steps, zero_infinity=bool(zero_infinity))
    if reduction == "mean":
        return (losses / Tensor._wrap(np.maximum(lengths, 1).astype(losses._array.dtype))).mean()
    return reduced(losses if batched else losses.squeeze(0), reduction)


def _lengths(name: str, given: Any, n: int) -> np.ndarray:
    array = np.asarray(given._array if isinstance(given, Tensor) else ints_from("ctc_loss", name, given))
    if array.dtype.kind not in "iu" and array.size:
        raise RuntimeError(f"{name} must be integral")
    array = array.reshape(-1).astype(np.int64)
    if len(array) != n:
        raise RuntimeError(f"{name} must be of size batch_size")
    if array.min(initial=0) < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {array.min()}")
    return array


def _padded(targets: np.ndarray, lengths: np.ndarray, n: int) -> np.ndarray:
    """Targets as (N, S)."""
    longest = int(lengths.max(initial=0))
    if targets.ndim == 2:
        if targets.shape[0] != n or targets.shape[1] < longest:
            raise RuntimeError(
                f"Expected tensor to have size at least {longest} at dimension 1, but got size {list(targets.shape)} "
                "for argument #2 'targets' (while checking arguments for ctc_loss_cpu)"
            )
        return targets[:, :longest].astype(np.int64)
    if targets.ndim != 1 or targets.size != lengths.sum():
        raise RuntimeError(
            f"Expected tensor to have size {lengths.sum()} at dimension 0, but got size {list(targets.shape)} for "
            "argument #2 'targets' (while checking arguments for ctc_loss_cpu)"
        )
    padded = np.zeros((n, longest), np.int64)
    padded[np.arange(longest) < lengths[:, None]] = targets
    return padded
