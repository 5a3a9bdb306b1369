"""``tinytorch.masked``: reductions and normalizations that leave out the elements whose mask is False.

The functions of ``torch.masked``, which all take ``mask=``; loaded when first asked for. PyTorch's MaskedTensor, a
prototype of a tensor that carries its mask along, does not exist here: pass the mask to the function.

>>> import tinytorch
>>> x = tinytorch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
>>> tinytorch.masked.mean(x, 1, mask=x != 2)
tensor([2., 5.])
"""

from __future__ import annotations

from typing import Any, NoReturn

from tinytorch.masked.identity import canonical_mask, result_mask
from tinytorch.masked.normalizations import cumprod, cumsum, log_softmax, logaddexp, normalize, softmax, softmin
from tinytorch.masked.reductions import (
    amax,
    amin,
    argmax,
    argmin,
    logsumexp,
    mean,
    median,
    norm,
    prod,
    std,
    sum,
    var,
)

__all__ = [
    "MaskedTensor",
    "amax",
    "amin",
    "argmax",
    "argmin",
    "as_masked_tensor",
    "cumprod",
    "cumsum",
    "is_masked_tensor",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "masked_tensor",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]

_NO_MASKED_TENSORS = (
    "tinytorch has no MaskedTensor. Keep the data and the mask as two tensors, and hand the mask to the functions of "
    "tinytorch.masked: tinytorch.masked.sum(data, dim, mask=mask)."
)


class MaskedTensor:
    """Not supported: making one raises NotImplementedError."""

    def __new__(cls, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(_NO_MASKED_TENSORS)


def masked_tensor(data: Any, mask: Any, requires_grad: bool = False) -> NoReturn:
    """Not supported: raises NotImplementedError."""
    raise NotImplementedError(_NO_MASKED_TENSORS)


def as_masked_tensor(data: Any, mask: Any) -> NoReturn:
    """Not supported: raises NotImplementedError."""
    raise NotImplementedError(_NO_MASKED_TENSORS)


def is_masked_tensor(obj: Any) -> bool:
    """False: there are no masked tensors."""
    return False


def _input_mask(input: Any, *args: Any, mask: Any = None, **kwargs: Any) -> Any:
    """The mask in the shape of ``input``; private in PyTorch as well, but its tests and some programs call it."""
    if mask is None:
        raise ValueError("_input_mask requires explicit mask")
    return canonical_mask(input, mask)


_output_mask = result_mask
