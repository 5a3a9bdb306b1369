"""``torch.kl_div`` and its kin: losses whose reduction is given by number: 1 is the mean, 2 the sum, any other none.

The functions of :mod:`tinytorch.nn.functional`, which call it by name, take the mean when nothing is said. These, as in
PyTorch, reduce only when asked to.
"""

from __future__ import annotations

from typing import Any

from tinytorch.ops import ctc, loss_likelihood, loss_margin
from tinytorch.ops.arguments import checks_arguments
from tinytorch.ops.reduction_modes import reduced
from tinytorch.tensor import Tensor

__all__ = ["binary_cross_entropy_with_logits", "cosine_embedding_loss", "ctc_loss", "hinge_embedding_loss", "kl_div",
           "margin_ranking_loss", "poisson_nll_loss", "triplet_margin_loss"]  # fmt: skip


def _name(reduction: int) -> str:
    return {1: "mean", 2: "sum"}.get(reduction, "none")


@checks_arguments
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 0
) -> Tensor:
    """The function of ``nn.functional``, with ``pos_weight`` before the reduction."""
    return loss_likelihood.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_name(reduction), pos_weight=pos_weight
    )


@checks_arguments
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """The function of ``nn.functional``."""
    return loss_margin.cosine_embedding_loss(input1, input2, target, margin, reduction=_name(reduction))


def ctc_loss(
    log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:  # fmt: skip
    """The function of ``nn.functional``."""
    by_name = _name(reduction)
    return ctc.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, by_name, zero_infinity)


@checks_arguments
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """The function of ``nn.functional``."""
    return loss_margin.hinge_embedding_loss(input, target, margin, reduction=_name(reduction))


@checks_arguments
def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """The function of ``nn.functional``."""
    each = loss_likelihood.kl_div(input, target, reduction="none", log_target=log_target)
    return reduced(each, _name(reduction))


@checks_arguments
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """The function of ``nn.functional``."""
    return loss_margin.margin_ranking_loss(input1, input2, target, margin, reduction=_name(reduction))


@checks_arguments
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """The function of ``nn.functional``; all arguments must be given."""
    return loss_likelihood.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_name(reduction))


@checks_arguments
def triplet_margin_loss(
    anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6,
    swap: bool = False, reduction: int = 0,
) -> Tensor:  # fmt: skip
    """The function of ``nn.functional``."""
    return loss_margin.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction=_name(reduction))
