"""Muon: momentum whose singular values are all made one. For the matrices in the middle of a network.

What is different from :mod:`~tinytorch.optim.sgd`: the momentum of a matrix usually has a few large singular values
and many small ones, and a step along it moves in few directions. Muon (Jordan et al., 2024,
https://kellerjordan.github.io/posts/muon) steps along the nearest orthogonal matrix instead, U V' of the
decomposition U S V'. It needs no decomposition: an odd polynomial of a matrix acts on its singular values alone::

    X <- a X + (b A + c A A) X,   A = X X'                     (Newton and Schulz; s <- a s + b s^3 + c s^5)

Five rounds bring every s in (0, 1] near 1. Near is enough, so the rounds run in bfloat16, whose eight bits PyTorch
uses too: NumPy has no such type, so each result is float32 rounded to it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinytorch.optim.optimizer import Optimizer, ParamsT, check_at_least_zero, zeros_like_param
from tinytorch.tensor import Tensor

__all__ = ["Muon", "orthogonalized"]


def to_bfloat16(x: Any) -> np.ndarray:
    """``x`` in float32, rounded to the nearest bfloat16 (ties to even): the upper half of the bits.

    >>> to_bfloat16(np.array([1.001, 3.14159], np.float32))
    array([1.      , 3.140625], dtype=float32)
    """
    bits = np.asarray(x, np.float32).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)


def orthogonalized(g: np.ndarray, coefficients: tuple[float, float, float], rounds: int, eps: float) -> np.ndarray:
    """The matrix with the singular vectors of ``g`` and singular values near 1, by Newton-Schulz rounds.

    Raises ValueError for 100 rounds or more, for what is no matrix, and unless there are three coefficients.
    """
    if rounds >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if g.ndim != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = (np.float32(value) for value in coefficients)
    tall = g.shape[0] > g.shape[1]
    x = to_bfloat16(g.T if tall else g)  # the product X X' is then the smaller of the two
    x = to_bfloat16(x / np.maximum(to_bfloat16(np.linalg.norm(x)), to_bfloat16(np.float32(eps))))
    for _ in range(rounds):
        gram = to_bfloat16(x @ x.T)
        polynomial = to_bfloat16(_rounded_once(b, gram, c * (gram @ gram)))
        x = to_bfloat16(_rounded_once(a, x, polynomial @ x))
    return x.T if tall else x


def _rounded_once(scale: np.float32, x: np.ndarray, product: np.ndarray) -> np.ndarray:
    """``scale * x + product`` as a fused multiply-add gives it: a last bit more, which the rounds would amplify."""
    return (np.float64(scale) * x + product).astype(np.float32)


class Muon(Optimizer):
    """Momentum, orthogonalized by Newton-Schulz rounds (``torch.optim.Muon``).

    Args:
        params: matrices, or groups of them, see :class:`Optimizer`. Give vectors, embeddings and the last layer to
            AdamW.
        lr: learning rate.
        weight_decay: strength of the pull towards zero, apart from the gradient as in AdamW.
        momentum: how much of the earlier gradients is kept.
        nesterov: look ahead: gradient plus momentum instead of momentum alone.
        ns_coefficients: a, b and c of the polynomial.
        eps: keeps the division by the norm away from zero.
        ns_steps: how many rounds.
        adjust_lr_fn: what the learning rate is multiplied by for a matrix of n rows and m columns:
            ``"original"`` (or None) sqrt(max(1, n / m)), ``"match_rms_adamw"`` 0.2 sqrt(max(n, m)).

    Raises ValueError for options out of their range and for parameters that are no matrices.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        check_at_least_zero(lr=lr, momentum=momentum, **{"weight decay": weight_decay})
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {param.shape}"
                    )

    def _update(self, param: Tensor, group: dict[str, Any]) -> None:
        p, g, state = param._array, param.grad._array, self.state[param]  # type: ignore[union-attr]
        if p.dtype.kind == "c":
            raise RuntimeError("Muon does not support complex parameters")
        if not state:
            state["momentum_buffer"] = zeros_like_param(param)
        buffer, momentum, lr = state["momentum_buffer"]._array, group["momentum"], float(group["lr"])
        buffer += (1 - momentum) * (g - buffer)
        # PyTorch's lerp: from the nearer end. The last bit matters, for the rounding to bfloat16 makes it a larger one.
        direction = buffer - (buffer - g) * (1 - momentum) if group["nesterov"] else buffer
        update = orthogonalized(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        if group["adjust_lr_fn"] == "match_rms_adamw":
            ratio = 0.2 * math.sqrt(max(rows, columns))
        else:
            ratio = math.sqrt(max(1, rows / columns))
        p *= 1 - lr * group["weight_decay"]
        p -= lr * ratio * update
