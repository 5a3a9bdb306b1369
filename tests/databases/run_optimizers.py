"""Every optimizer of PyTorch's own database (``optim_db``), stepped in both libraries, and compared.

    python -m tests.databases.run_optimizers            # everything: what fails, and the shares
    python -m tests.databases.run_optimizers SGD Adam   # optimizers whose name starts so

For each optimizer and setting: its printed form; parameters, ``state_dict`` and the closure's loss after several steps from the
same gradients, one of which is missing; with one and with two parameter groups; a ``state_dict`` of PyTorch's that is
loaded and carried on from; and for each of PyTorch's wrong inputs, that it raises an error of PyTorch's type.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

import tinytorch
from tests.databases.run_ops import Report, equal, summary
from tests.databases.translate import named, translate

STEPS = 5


def run_optimizer(info: Any, report: Report, dtypes: Any = (torch.float64, torch.float32)) -> None:
    """All checks of one optimizer."""
    name = info.optim_cls.__name__
    for setting in info.optim_inputs_func("cpu"):
        for dtype in dtypes:
            for groups in (1, 2) if info.supports_param_groups and name not in ("LBFGS",) else (1,):
                where = f"{str(dtype)[6:]} {setting.desc} {setting.kwargs} groups={groups}"
                with report.check(name, "steps", where):
                    Race(info, setting.kwargs, dtype, groups).run()
                with report.check(name, "continued", where):
                    race = Race(info, setting.kwargs, dtype, groups)
                    race.run()
                    race.hand_over()
                    race.run()
    run_errors(info, name, report)


class Race:
    """The same optimizer in both libraries, over the same parameters."""

    def __init__(self, info: Any, kwargs: dict[str, Any], dtype: torch.dtype, groups: int) -> None:
        self.rng = np.random.default_rng(0)
        self.info, self.kwargs, self.groups = info, kwargs, groups
        # by how little an L-BFGS's gradients change near the end is all rounding in single precision
        self.rounding = info.optim_cls.__name__ == "LBFGS" and dtype is torch.float32
        shapes = [(3, 4), (4,), ()]
        if info.optim_cls.__name__ in ("Muon", "SparseAdam"):
            shapes = [(3, 4), (4, 2)]
        start = [torch.tensor(self.rng.standard_normal(shape), dtype=dtype) for shape in shapes]
        self.theirs = [torch.nn.Parameter(value.clone()) for value in start]
        self.ours = [tinytorch.nn.Parameter(translate(value)) for value in start]
        self.their_optimizer = self._made(info.optim_cls, self.theirs, kwargs, groups)
        self.our_class = named(f"optim.{info.optim_cls.__name__}", info.optim_cls)
        self.our_optimizer = self._made(self.our_class, self.ours, translate(kwargs), groups)

    def _made(self, cls: Any, parameters: list[Any], kwargs: Any, groups: int) -> Any:
        if groups == 1:
            return cls(parameters, **kwargs)
        second = {"params": parameters[1:]}
        if "lr" not in kwargs:
            second["lr"] = 0.003
        return cls([{"params": parameters[:1]}, second], **kwargs)

    def run(self) -> None:
        assert repr(self.our_optimizer) == repr(self.their_optimizer), (
            f"printed {self.our_optimizer!r}, PyTorch {self.their_optimizer!r}"
        )
        for step in range(STEPS):
            if self.info.step_requires_closure:
                losses = [self._closed(self.their_optimizer, self.theirs), self._closed(self.our_optimizer, self.ours)]
                assert np.isclose(*losses, rtol=1e-4), f"the closure's loss: {losses[1]}, PyTorch {losses[0]}"
            else:
                self._set_gradients(missing=step == 2)
                self.their_optimizer.step()
                self.our_optimizer.step()
            self._compare(f"step {step}")

    def _closed(self, optimizer: Any, parameters: list[Any]) -> float:
        """A step of a bowl with its lowest point at 1."""

        def closure() -> Any:
            optimizer.zero_grad()
            loss = sum(((p - 1) ** 2 * (i + 1)).sum() for i, p in enumerate(parameters))
            loss.backward()  # type: ignore[union-attr]
            return loss

        return float(optimizer.step(closure))

    def _set_gradients(self, missing: bool) -> None:
        for index, (a, b) in enumerate(zip(self.theirs, self.ours, strict=True)):
            grad = torch.tensor(self.rng.standard_normal(tuple(a.shape)), dtype=a.dtype)
            if self.info.only_supports_sparse_grads:
                grad = grad.to_sparse()
            a.grad, b.grad = (None, None) if missing and index == 1 else (grad, translate(grad))

    def _compare(self, what: str) -> None:
        for index, (a, b) in enumerate(zip(self.theirs, self.ours, strict=True)):
            equal(f"{what}: parameter {index}", a.detach(), b.detach(), factor=10)
        if self.rounding:
            return
        _same(f"{what}: state_dict", self.their_optimizer.state_dict(), self.our_optimizer.state_dict())

    def hand_over(self) -> None:
        """PyTorch's state, loaded into new optimizers."""
        state = self.their_optimizer.state_dict()
        self.our_optimizer = self._made(self.our_class, self.ours, translate(self.kwargs), self.groups)
        self.our_optimizer.load_state_dict(translate(state))
        self.their_optimizer = self._made(self.info.optim_cls, self.theirs, self.kwargs, self.groups)
        self.their_optimizer.load_state_dict(state)


def _same(what: str, theirs: Any, ours: Any) -> None:
    """Nested dictionaries, lists, tensors and numbers, the same in both libraries."""
    if isinstance(theirs, dict):
        assert list(map(str, theirs)) == list(map(str, ours)), f"{what}: keys {list(ours)}, PyTorch {list(theirs)}"
        for key in theirs:
            _same(f"{what}: {key}", theirs[key], ours[key])
    elif isinstance(theirs, (list, tuple)):
        assert len(theirs) == len(ours), f"{what}: {len(ours)} entries, PyTorch {len(theirs)}"
        for index, (a, b) in enumerate(zip(theirs, ours, strict=True)):
            _same(f"{what}: {index}", a, b)
    elif isinstance(theirs, (torch.Tensor, int, float, bool)):
        equal(what, theirs, ours, factor=10)
    else:
        assert str(theirs) == str(ours), f"{what}: {ours}, PyTorch {theirs}"


def run_errors(info: Any, name: str, report: Report) -> None:
    for number, error in enumerate(info.optim_error_inputs_func("cpu", torch.float64)):
        given = error.optimizer_error_input
        with report.check(name, "error", f"error #{number} {given.desc} {given.kwargs}"):
            _raises_alike(lambda e=error: _tried(info.optim_cls, e, lambda value: value), error)  # type: ignore[misc]
            ours = named(f"optim.{name}", info.optim_cls)
            _raises_alike(lambda e=error, cls=ours: _tried(cls, e, translate), error)  # type: ignore[misc]


def _tried(cls: Any, error: Any, translated: Callable[[Any], Any]) -> None:
    given = error.optimizer_error_input
    params = translated(given.params)
    if isinstance(given.params, list):
        for original, param in zip(given.params, params, strict=True):
            if isinstance(original, torch.Tensor) and original.grad is not None:
                param.grad = translated(original.grad)
    optimizer = cls(params, **translated(given.kwargs))
    if error.error_on == OptimizerErrorEnum.STEP_ERROR:
        optimizer.step()


def _raises_alike(call: Callable[[], None], error: Any) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error" if issubclass(error.error_type, Warning) else "ignore")
            call()
    except error.error_type:
        return
    except NotImplementedError as raised:
        raise AssertionError(f"{raised}, PyTorch {error.error_type.__name__}: {error.error_regex}") from None
    except Exception as raised:
        raise AssertionError(
            f"{type(raised).__name__} ({str(raised)[:120]}), PyTorch {error.error_type.__name__}: {error.error_regex}"
        ) from None
    raise AssertionError(f"no error; PyTorch {error.error_type.__name__}: {error.error_regex}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only optimizers whose name starts with one of these")
    parser.add_argument("--reasons", type=int, default=3, help="failures printed per optimizer and kind")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    total, started = Report(), time.time()
    for info in optim_db:
        if options.names and not info.optim_cls.__name__.startswith(tuple(options.names)):
            continue
        report = Report()
        run_optimizer(info, report)
        total.take(report, options.reasons)
    summary(total, time.time() - started)


if __name__ == "__main__":
    main()
