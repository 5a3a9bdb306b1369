"""Chapter 9. Initialization.

After: tinytorch/nn/modules/registry.py
Next: tinytorch/nn/modules/linear.py

Goal: choose initial weights so that signals neither grow nor die with depth.

The idea. Too small, and after twenty layers nothing is left; too large, and everything saturates. In between is one
variance for which a layer leaves the size of its signal alone.

The derivation. y = Σ_j w_j x_j over ``fan_in`` products, w independent of x with mean 0, so

    Var(y) = fan_in · Var(w) · E[x²]

A ReLU keeps half of the second moment of a symmetric signal: behind it E[relu(y)²] = Var(y) / 2, which is E[x²] again
if Var(w) = 2 / fan_in. In general, Var(w) = gain² / fan_in with gain² = 2 for ReLU: Kaiming (He et al. 2015),
``std = gain / sqrt(fan)``. Backward, the same sum runs over ``fan_out``, and Xavier (Glorot and Bengio 2010) takes
``2 / (fan_in + fan_out)`` as the compromise. A uniform distribution on [-bound, bound] has variance bound² / 3, which
is where ``bound = sqrt(3) · std`` comes from.

>>> import tinytorch
>>> _ = tinytorch.manual_seed(0)
>>> x = y = tinytorch.randn(256, 256)
>>> for _ in range(20):
...     x = (x @ kaiming_normal_(tinytorch.empty(256, 256), nonlinearity="relu").T).relu()
...     y = (y @ (kaiming_normal_(tinytorch.empty(256, 256), nonlinearity="relu") / 2).T).relu()
>>> 0.3 < (x**2).mean() < 3, (y**2).mean() < 1e-11      # half the weights: a factor of 4 lost in every layer
(tensor(True), tensor(True))

What PyTorch does. Every function draws what PyTorch draws from the same seed. ``nn.Linear`` and ``nn.Conv2d`` take
``kaiming_uniform_(a=sqrt(5))`` for historical reasons: bound 1 / sqrt(fan_in), a gain of 1/√3 instead of √2.

Pitfalls. All functions write in place, without recording. Weights that are all equal stay all equal: their gradients
are.

Exercises. Which gain keeps E[x²] through a LeakyReLU with slope 0.1? Through tanh, for small signals? What has
``calculate_gain`` to say? Answers: ``python -m tinytorch.learn answers 9``;
more: ``python -m tinytorch.learn start --chapter 9``.
Check: ``python -m pytest tests/nn/test_init.py``.

"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch import ops
from tinytorch.autograd.modes import no_grad
from tinytorch.tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]  # fmt: skip

_LINEAR = (
    "linear",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "sigmoid",
)


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """What to multiply the standard deviation by for a nonlinearity: √2 for 'relu', 5/3 for 'tanh', 1 for 'linear'...

    ``param`` is the slope for 'leaky_relu' (default 0.01). Raises ValueError for an unknown name or a bad slope.
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    gains = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}
    if nonlinearity not in gains:
        raise ValueError(f"Unsupported nonlinearity {nonlinearity}")
    return gains[nonlinearity]


# ------------------------------------------------------------------------------------------ plain fillings


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform numbers in [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Normal numbers."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Normal numbers, drawn again where they fall outside [a, b]."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=2,
        )
    with no_grad():
        return ops.trunc_normal_(tensor, mean, std, a, b, generator)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """``val`` everywhere."""
    with no_grad():
        return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return constant_(tensor, 0.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix: a linear layer that passes its input on. ValueError unless 2-dimensional."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    with no_grad():
        return tensor.copy_(ops.eye(*tensor.shape, dtype=tensor.dtype))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A 1 at the centre of as many kernels as possible: a convolution that passes its channels on, group by group."""
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups != 0:
        raise ValueError("dim 0 must be divisible by groups")
    per_group = tensor.shape[0] // groups
    kernel_centre = tuple(size // 2 for size in tensor.shape[2:])
    values = np.zeros(tensor.shape, tensor._array.dtype)
    for group in range(groups):
        for channel in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + channel, channel, *kernel_centre)] = 1
    with no_grad():
        return tensor.copy_(Tensor._wrap(values))


# ------------------------------------------------------------------------------------------ by fan in and fan out


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many inputs one output is summed from, and how many outputs one input goes into."""
    if tensor.ndim < 2:
        raise ValueError("Fan in and fan out can not be computed for tensor with fewer than 2 dimensions")
    receptive_field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * receptive_field, tensor.shape[0] * receptive_field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    mode = mode.lower()
    valid_modes = ["fan_in", "fan_out"]
    if mode not in valid_modes:
        raise ValueError(f"Mode {mode} not supported, please use one of {valid_modes}")
    return _calculate_fan_in_and_fan_out(tensor)[valid_modes.index(mode)]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Uniform in ±gain · √(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    std = gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Normal with standard deviation gain · √(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""
    std = gain * math.sqrt(2.0 / float(sum(_calculate_fan_in_and_fan_out(tensor))))
    return normal_(tensor, 0.0, std, generator)


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Uniform in ±gain · √(3 / fan) (He et al. 2015); ``a`` is the slope of the leaky ReLU."""
    if tensor.numel() == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    bound = math.sqrt(3.0) * std
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Normal with standard deviation gain / √fan (He et al. 2015); ``a`` is the slope of the leaky ReLU."""
    if tensor.numel() == 0:
        warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=2)
        return tensor
    std = calculate_gain(nonlinearity, a) / math.sqrt(_calculate_correct_fan(tensor, mode))
    return normal_(tensor, 0.0, std, generator)


# ------------------------------------------------------------------------------------------ matrices


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer, times ``gain`` (Saxe et al. 2013).

    The Q of the QR decomposition of a normal matrix, with the signs that make R's diagonal positive: then Q is
    uniformly distributed. More than two dimensions are flattened to (size 0, the rest).
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if tensor.numel() == 0:
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    flat = normal_(ops.empty(rows, columns, dtype=tensor.dtype), 0, 1, generator)._array
    q, r = np.linalg.qr(flat.T if rows < columns else flat)
    q = q * np.sign(np.diag(r))
    with no_grad():
        tensor.copy_(Tensor._wrap(q.T if rows < columns else q).reshape(tensor.shape))
        return tensor.mul_(gain)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Normal numbers, with a share ``sparsity`` of every column set to 0 (Martens 2010)."""
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    n_zeros = math.ceil(sparsity * rows)
    with no_grad():
        ops.normal_(tensor, 0, std, generator)
        for column in range(columns):
            zeroed = ops.randperm(rows)[:n_zeros]
            tensor[zeroed, column] = 0.0
    return tensor


# ------------------------------------------------------------------------------------------ old names


def _deprecated(new: Any) -> Callable[..., Tensor]:
    old_name = new.__name__[:-1]

    def function(*args: Any, **kwargs: Any) -> Tensor:
        warnings.warn(
            f"`nn.init.{old_name}` is now deprecated in favor of `nn.init.{new.__name__}`.",
            FutureWarning,
            stacklevel=2,
        )
        return new(*args, **kwargs)

    function.__name__ = old_name
    function.__doc__ = f"Deprecated; use :func:`{new.__name__}`."
    return function


uniform, normal, constant = _deprecated(uniform_), _deprecated(normal_), _deprecated(constant_)
eye, dirac = _deprecated(eye_), _deprecated(dirac_)
xavier_uniform, xavier_normal = _deprecated(xavier_uniform_), _deprecated(xavier_normal_)
kaiming_uniform, kaiming_normal = _deprecated(kaiming_uniform_), _deprecated(kaiming_normal_)
orthogonal, sparse = _deprecated(orthogonal_), _deprecated(sparse_)

# PyTorch's inner names, which programs import
_no_grad_uniform_, _no_grad_normal_, _no_grad_fill_, _no_grad_zero_ = uniform_, normal_, constant_, zeros_
_no_grad_trunc_normal_ = trunc_normal_
