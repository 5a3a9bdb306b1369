"""Gradient clipping, and parameters as one vector."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.nn.layers import assert_same_error, both


def with_gradients(T, scale=1.0, dtype="float64"):
    rng = np.random.default_rng(0)
    parameters = [
        T.nn.Parameter(T.tensor(rng.standard_normal(shape).astype(dtype))) for shape in ((3, 4), (5,), (2, 2))
    ]
    for p in parameters[:2]:
        p.grad = T.tensor((scale * rng.standard_normal(tuple(p.shape))).astype(dtype))
    return parameters


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("norm", [2.0, 1.0, 3.0, math.inf, 2])
@pytest.mark.parametrize("limit", [0.5, 100.0])
def test_clip_grad_norm(norm, limit, dtype):
    def run(T):
        parameters = with_gradients(T, dtype=dtype)
        grads = [p.grad for p in parameters]
        total = T.nn.utils.clip_grad_norm_(parameters, limit, norm)
        assert all(p.grad is g for p, g in zip(parameters, grads, strict=True))
        again = T.nn.utils.get_total_norm([p.grad for p in parameters[:2]], norm)
        return [total.numpy(), again.numpy(), *[g.numpy() for g in grads[:2]]]

    for our, their in zip(*both(run), strict=True):
        assert our.dtype == their.dtype
        np.testing.assert_allclose(our, their, rtol=1e-5 if dtype == "float32" else 1e-12)


def test_clip_one_tensor_a_generator_and_nothing():
    def run(T):
        parameters = with_gradients(T)
        utils = T.nn.utils
        first = utils.clip_grad_norm_(parameters[0], 0.1)
        second = utils.clip_grad_norm_((p for p in parameters), 0.1)
        nothing = utils.clip_grad_norm_([parameters[2]], 0.1)
        return [float(first), float(second), float(nothing)]

    ours, theirs = both(run)
    assert ours == pytest.approx(theirs)


def test_clip_grad_value():
    def run(T):
        parameters = with_gradients(T, 3.0)
        T.nn.utils.clip_grad_value_(parameters, 0.8)
        return [p.grad.numpy() for p in parameters[:2]]

    for our, their in zip(*both(run), strict=True):
        np.testing.assert_array_equal(our, their)


def test_non_finite_norm():
    def run(T):
        parameters = with_gradients(T, math.inf)
        T.nn.utils.clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)

    assert_same_error(run)


def test_vector_round_trip():
    def run(T):
        parameters = with_gradients(T)
        vector = T.nn.utils.parameters_to_vector(parameters)
        T.nn.utils.vector_to_parameters(vector.detach() * 2, parameters)
        (vector * vector).sum().backward()
        return [vector.detach().numpy(), *[p.detach().numpy() for p in parameters], parameters[2].grad.numpy()]

    for our, their in zip(*both(run), strict=True):
        np.testing.assert_allclose(our, their)
    assert_same_error(lambda T: T.nn.utils.vector_to_parameters([1.0], []), same_text=False)
