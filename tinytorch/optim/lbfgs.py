"""L-BFGS: Newton's method without the matrix.

(After: :mod:`tinytorch.optim.sgd`, :mod:`tinytorch.optim.line_search`.)

Newton's method divides the gradient by the curvature: it goes d = -H g, where H is the inverse of the matrix
of second derivatives. For n parameters that matrix has n^2 elements. L-BFGS estimates H from how the gradient
changed over the last steps (Nocedal, 1980; Nocedal and Wright, 2006, algorithm 7.4)::

    s = change of the parameters,  y = change of the gradient,  rho = 1 / (y . s)       a triple for each step

    q = -g
    for (s, y, rho) from newest to oldest:   alpha = rho * (s . q);   q -= alpha * y
    d = q * (y . s) / (y . y)                                         of the newest: the size of H
    for (s, y, rho) from oldest to newest:   beta = rho * (y . d);    d += (alpha - beta) * s

It takes few but good steps, for full batches: the loss must be the same function each time. So ``step`` needs
a closure, calls it several times, and makes up to ``max_iter`` iterations. All parameters are one long vector
here, so there is no ``_update`` for each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinytorch.autograd.modes import enable_grad, no_grad
from tinytorch.optim.line_search import Point, strong_wolfe
from tinytorch.optim.optimizer import Optimizer, ParamsT, check_not_negative
from tinytorch.tensor import Tensor

__all__ = ["LBFGS"]


class _Memory:
    """What one iteration leaves to the next. Names are those of PyTorch's state, where it is kept as Tensors."""

    NAMES = ("al", "d", "t", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad", "prev_loss")

    def __init__(self, state: dict[str, Any]) -> None:
        self.al: list[Any] | None = None  # alpha of each step remembered, and None for those that are free
        self.d: Any = None
        self.t: Any = None
        self.old_dirs: list[np.ndarray] = []  # y of each step remembered, oldest first
        self.old_stps: list[np.ndarray] = []  # s
        self.ro: list[Any] = []
        self.H_diag: Any = 1
        self.prev_flat_grad: Any = None
        self.prev_loss: Any = None
        for name in self.NAMES:
            if state.get(name) is not None:
                setattr(self, name, _without_tensors(state[name]))

    def store(self, state: dict[str, Any]) -> None:
        for name in self.NAMES:
            if name != "al" or self.al is not None:  # there are none before the second direction
                state[name] = _with_tensors(getattr(self, name))

    def set_direction(self, grad: np.ndarray, history_size: int) -> None:
        """Take in the step that led to ``grad``, then set ``d`` by the two loops of the module's text."""
        y, s = grad - self.prev_flat_grad, (self.d * self.t).astype(grad.dtype, copy=False)
        ys = y.dot(s)
        if ys > 1e-10:  # else the curvature is not positive: of no use
            if len(self.old_dirs) == history_size:
                for remembered in (self.old_dirs, self.old_stps, self.ro):
                    remembered.pop(0)
            self.old_dirs.append(y)
            self.old_stps.append(s)
            self.ro.append(1.0 / ys)
            self.H_diag = ys / y.dot(y)
        alphas = []
        q = -grad
        for y, s, ro in zip(self.old_dirs[::-1], self.old_stps[::-1], self.ro[::-1], strict=True):
            alphas.append(s.dot(q) * ro)
            q -= alphas[-1] * y
        self.al = alphas[::-1] + [None] * (history_size - len(alphas))
        d = q * self.H_diag
        for y, s, ro, alpha in zip(self.old_dirs, self.old_stps, self.ro, alphas[::-1], strict=True):
            d += (alpha - y.dot(d) * ro) * s
        self.d = d


class LBFGS(Optimizer):
    """Limited-memory BFGS (``torch.optim.LBFGS``). All parameters are in one group.

    Args:
        params: parameters; they must be all of one dtype.
        lr: length of the step, or the first try of the line search.
        max_iter: iterations in one call of :meth:`step`.
        max_eval: calls of the closure in one call of :meth:`step`; 1.25 * max_iter by default.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when parameters or loss change by less.
        history_size: how many steps to remember.
        line_search_fn: ``"strong_wolfe"``, or None to go ``lr`` each time.

    Raises ValueError for a negative lr and for several groups.
    """

    def __init__(
        self,
        params: ParamsT,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_not_negative(lr=lr)
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    @property
    def _params(self) -> list[Tensor]:
        return self.param_groups[0]["params"]

    @no_grad
    def step(self, closure: Callable[[], Any]) -> Any:
        """Iterate. ``closure`` computes the loss, with ``backward()``, and returns it.

        Returns the loss before the first iteration. Raises RuntimeError for an unknown ``line_search_fn``.
        """
        group, state = self.param_groups[0], self.state[self._params[0]]  # the state is kept with the first parameter
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        closure = enable_grad()(closure)
        loss = closure()
        state["func_evals"] += 1
        grad = self._flat_grad()
        if np.abs(grad).max() <= group["tolerance_grad"]:
            return loss
        memory = _Memory(state)
        with np.errstate(all="ignore"):
            self._iterate(closure, float(loss), grad, memory, state, group)
        memory.store(state)
        return loss

    def _iterate(
        self, closure: Callable[[], Any], loss: float, grad: np.ndarray, memory: _Memory, state: dict[str, Any],
        group: dict[str, Any],
    ) -> None:  # fmt: skip
        lr, max_iter, tolerance_change = _without_tensors(group["lr"]), group["max_iter"], group["tolerance_change"]
        evals = 1
        for iteration in range(1, max_iter + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                memory.d, memory.t = -grad, min(1.0, 1.0 / np.abs(grad).sum()) * lr
            else:
                memory.set_direction(grad, group["history_size"])
                memory.t = lr
            memory.prev_flat_grad, memory.prev_loss = grad, loss
            slope = grad.dot(memory.d)
            if slope > -tolerance_change:
                break
            calls = 0
            if group["line_search_fn"] is not None:
                start = Point(0, loss, grad, slope)
                (memory.t, loss, grad, _), calls = self._search(closure, start, memory, group["max_eval"] - evals)
            self._move(memory.t, memory.d)
            if group["line_search_fn"] is None and iteration != max_iter:  # nobody needs the loss after the last
                loss, grad, calls = float(closure()), self._flat_grad(), 1
            evals += calls
            state["func_evals"] += calls
            if (
                evals >= group["max_eval"]
                or np.abs(grad).max() <= group["tolerance_grad"]
                or np.abs(memory.d * memory.t).max() <= tolerance_change
                or abs(loss - memory.prev_loss) < tolerance_change
            ):
                break

    def _search(self, closure: Callable[[], Any], start: Point, memory: _Memory, max_ls: int) -> tuple[Point, int]:
        """A line search from where the parameters are; leaves them there."""
        origin = [param._array.copy() for param in self._params]

        def evaluate(t: Any) -> Point:
            self._move(t, memory.d)
            loss, grad = float(closure()), self._flat_grad()
            for param, array in zip(self._params, origin, strict=True):
                param._array[...] = array
                param._bump_version()
            return Point(t, loss, grad, grad.dot(memory.d))

        return strong_wolfe(evaluate, start, memory.t, np.abs(memory.d).max(), max_ls=max_ls)

    def _flat_grad(self) -> np.ndarray:
        """A copy of all gradients as one vector; zeros where there is none."""
        parts = []
        for param in self._params:
            grad = np.zeros_like(param._array) if param.grad is None else param.grad.to_dense()._array
            flat = grad.reshape(-1)
            parts.append(flat.view(flat.real.dtype) if flat.dtype.kind == "c" else flat)
        return np.concatenate(parts)

    def _move(self, t: Any, d: np.ndarray) -> None:
        """Add t * d to the parameters."""
        offset = 0
        for param in self._params:
            array = param._array
            size = array.size * (2 if array.dtype.kind == "c" else 1)
            part = t * d[offset : offset + size]
            array += part.astype(array.real.dtype, copy=False).view(array.dtype).reshape(array.shape)
            param._bump_version()
            offset += size


def _with_tensors(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_tensors(item) for item in value]
    return Tensor._wrap(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def _without_tensors(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_tensors(item) for item in value]
    return value._array[()] if isinstance(value, Tensor) else value  # [()]: a 0-dimensional array becomes a scalar
