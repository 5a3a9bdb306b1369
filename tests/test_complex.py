"""Complex numbers: what is refused, memory shared with parts, and training with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

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
    with pytest.raises(NotImplementedError, match="complex64"):
        tinytorch.zeros(2, dtype=tinytorch.complex32)


def test_conj_of_a_real_tensor_is_the_tensor() -> None:
    x = tinytorch.ones(3)
    assert x.conj() is x and x.real is x and x.resolve_conj() is x and tinytorch.conj(x) is x


def compare_in_place(program: object) -> None:
    """``program(T, start)`` returns a scalar; its gradient with respect to ``start`` is compared."""
    gradients = []
    for T in (torch, tinytorch):
        start = T.tensor(Z, requires_grad=True)
        program(T, start).backward()  # type: ignore[operator]
        gradients.append(start.grad.numpy())
    np.testing.assert_allclose(gradients[1], gradients[0], 1e-12)


def changed_through_real(T, start):
    z = start * 1
    z.real.mul_(3)
    return (z * z.conj()).real.sum()


def changed_through_imag(T, start):
    z = start * 1
    z.imag[0, 1:] = z.real[1, :2] * 2
    return (z * z).abs().sum()


def changed_through_pairs(T, start):
    z = start * 1
    T.view_as_real(z)[..., 0].mul_(z.imag.detach().clone())
    return (z * z * 1j).real.sum()


def view_of_what_changed(T, start):
    z = start * 1
    part, pairs = z.imag, T.view_as_real(z)
    z.mul_(2 - 1j)
    return (part * part).sum() + (pairs[0] ** 3).sum()


def changed_through_complex(T, start):
    x = T.view_as_real(start) * 1
    z = T.view_as_complex(x)
    z[0].mul_(1 + 2j)
    return (x * x * x).sum()


def complex_view_of_what_changed(T, start):
    x = T.view_as_real(start) * 1
    z = T.view_as_complex(x)
    x[0, 1:] *= 2
    return (z * z).abs().sum()


def properties_assigned(T, start):
    z = start * 1
    z.real = start.imag * 2
    z.imag = 1.0
    return (z * z).real.sum()


@pytest.mark.parametrize(
    "program",
    [changed_through_real, changed_through_imag, changed_through_pairs, view_of_what_changed, changed_through_complex,
     complex_view_of_what_changed, properties_assigned],
)  # fmt: skip
def test_changes_in_place_through_parts(program: object) -> None:
    compare_in_place(program)


def test_parts_share_memory() -> None:
    z = tinytorch.zeros(2, dtype=tinytorch.complex64)
    z.real.fill_(3.0)
    tinytorch.view_as_real(z)[1, 1] = 4
    assert z.tolist() == [3, 3 + 4j]
    z.imag = tinytorch.ones(2)
    assert z.tolist() == [3 + 1j, 3 + 1j]


def test_a_complex_parameter_trains_as_in_pytorch() -> None:
    results = []
    for T in (torch, tinytorch):
        w = T.nn.Parameter(T.tensor(Z[0]))
        x, y = T.tensor(Z), T.tensor(Z[:, 0] * (2 - 1j))
        optimizer = T.optim.Adam([w], lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            loss = (x @ w - y).abs().square().mean()
            loss.backward()
            optimizer.step()
        results.append(w.detach().numpy())
    np.testing.assert_allclose(results[1], results[0], 1e-9)


@pytest.mark.parametrize("value", [1 + 2j, [1j, -2.5], [[0.5 + 1e-5j, 100j]], [float("nan"), complex("inf")], []])
def test_printing(value: object) -> None:
    for dtype in ("complex64", "complex128"):
        ours = tinytorch.tensor(value, dtype=getattr(tinytorch, dtype))
        assert repr(ours) == repr(torch.tensor(value, dtype=getattr(torch, dtype)))


@pytest.mark.parametrize(
    "misuse",
    [
        lambda T, z: float(z[0, 0]),
        lambda T, z: int(z[0, 0]),
        lambda T, z: T.zeros(2).__setitem__(0, 1j),
        lambda T, z: T.tensor([1j, 2], dtype=T.float32),
        lambda T, z: T.full((2,), 1j, dtype=T.float32),
    ],
)
def test_no_imaginary_part_is_dropped_silently(misuse: object) -> None:
    compare_errors(misuse, Z)  # type: ignore[arg-type]


def test_numbers_and_ranges() -> None:
    assert float(tinytorch.tensor(2 + 0j)) == 2.0 and int(tinytorch.tensor(2 + 0j)) == 2
    assert tinytorch.linspace(0, 1j, 3).tolist() == [0, 0.5j, 1j]
    cleaned = tinytorch.nan_to_num(tinytorch.tensor([complex(float("inf"), float("nan"))]), posinf=1.0)
    assert cleaned.tolist() == [1]
