"""Complex numbers: what is refused, memory shared with parts, and training with them."""

from __future__ import annotations

import numpy as np
import pytest

import tinytorch
from tests.compare import compare_errors

Z = (np.arange(6.0) - 2 + 1j * np.arange(6.0)[::-1]).reshape(2, 3)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda T, z: z < 1,
        lambda T, z: z >= z,
        lambda T, z: T.maximum(z, z),
        lambda T, z: T.amax(z),
        lambda T, z: T.max(z),
        lambda T, z: T.argmax(z),
        lambda T, z: T.sort(z),
        lambda T, z: T.median(z),
        lambda T, z: T.cummax(z, 0),
        lambda T, z: T.clamp(z, 0, 1),
        lambda T, z: T.relu(z),
        lambda T, z: T.softmax(z, 0),
        lambda T, z: T.log_softmax(z, 0),
        lambda T, z: T.nn.functional.gelu(z),
        lambda T, z: T.nn.functional.softplus(z),
        lambda T, z: T.floor(z),
        lambda T, z: T.round(z),
        lambda T, z: T.sign(z),
        lambda T, z: z // 2,
        lambda T, z: z % 2,
        lambda T, z: T.atan2(z, z),
        lambda T, z: T.erf(z),
        lambda T, z: T.lgamma(z),
        lambda T, z: T.nansum(z),
        lambda T, z: T.searchsorted(z[0], z[0]),
        lambda T, z: T.imag(z.real),
        lambda T, z: T.view_as_real(z.real),
        lambda T, z: T.view_as_complex(z),
        lambda T, z: T.view_as_complex(z.real),
        lambda T, z: T.view_as_complex(T.ones(2, 2).t()),
        lambda T, z: T.complex(z.real, T.ones(2, 3)),
        lambda T, z: T.polar(z, z),
        lambda T, z: z.sum().backward(),
        lambda T, z: z.sum().backward(T.ones((), dtype=T.float64)),
    ],
)
def test_misuse_raises_as_in_pytorch(misuse: object) -> None:
    their_errors = (RuntimeError, NotImplementedError)

    def call(T: object, z: object) -> None:
        try:
            misuse(T, z)  # type: ignore[operator]
        except their_errors as error:  # NotImplementedError is a RuntimeError, too
            raise RuntimeError(str(error)) from None

    compare_errors(call, Z)


def test_half_precision_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError, match="complex32"):
        tinytorch.complex(tinytorch.ones(2).half(), tinytorch.ones(2).half())
    with pytest.raises(NotImplementedError, match="complex32"):
        tinytorch.ones(2).chalf()
    with pytest.raises(AttributeError, match="complex64"):
        tinytorch.complex32  # noqa: B018


def test_conj_of_a_real_tensor_is_the_tensor() -> None:
    x = tinytorch.ones(3)
    assert x.conj() is x and x.real is x and x.resolve_conj() is x and tinytorch.conj(x) is x
