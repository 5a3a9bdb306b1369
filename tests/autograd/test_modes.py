"""Grad modes: context managers, decorators, threads."""

import threading

import pytest
import torch

import tinytorch

BOTH = pytest.mark.parametrize("T", [torch, tinytorch], ids=["torch", "tinytorch"])


@BOTH
def test_no_grad_and_enable_grad_nest(T):
    x = T.ones(1, requires_grad=True)
    with T.no_grad():
        assert not T.is_grad_enabled() and not (x * 2).requires_grad
        with T.enable_grad():
            assert (x * 2).requires_grad
        assert not T.is_grad_enabled()
    assert T.is_grad_enabled()


@BOTH
def test_as_decorators_with_and_without_brackets(T):
    x = T.ones(1, requires_grad=True)

    @T.no_grad()
    def bracketed():
        return x * 2

    @T.no_grad
    def bare():
        return x * 2

    @T.set_grad_enabled(False)
    def switched():
        return x * 2

    @T.inference_mode()
    def inferred():
        return x * 2

    assert T.is_grad_enabled()
    assert not any(f().requires_grad for f in (bracketed, bare, switched, inferred))


@BOTH
def test_generators_run_in_the_mode_and_their_consumers_do_not(T):
    @T.no_grad()
    def produce():
        for _ in range(2):
            yield T.is_grad_enabled()

    for inside in produce():
        assert inside is False and T.is_grad_enabled()


@BOTH
def test_set_grad_enabled_as_function_and_manager(T):
    T.set_grad_enabled(False)
    try:
        assert not T.is_grad_enabled()
        with T.set_grad_enabled(True):
            assert T.is_grad_enabled()
        assert not T.is_grad_enabled()
    finally:
        T.set_grad_enabled(True)


@BOTH
def test_exceptions_restore_the_mode(T):
    with pytest.raises(KeyError), T.no_grad():
        raise KeyError
    assert T.is_grad_enabled()


@BOTH
def test_inference_tensors_stay_out_of_autograd(T):
    with T.inference_mode():
        x = T.ones(2) * 2
        made, place = T.ones(2), T.tensor([0])
        assert T.is_inference_mode_enabled()
    assert x.is_inference() and made.is_inference()
    with pytest.raises(RuntimeError):
        x.requires_grad_()
    for wrong in (lambda w: w * made, lambda w: w[place], lambda w: T.where(made > 0, w, w) * made):
        with pytest.raises(RuntimeError, match=r"[Ii]nference"):
            wrong(T.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        print(x._version)
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        x.add_(1)
    with pytest.raises(RuntimeError, match=r"[Ii]nference"):
        x * T.ones(2, requires_grad=True)


def test_modes_are_per_thread():
    seen = []
    with tinytorch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(tinytorch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]
