"""The derivative of an op, for a reader: as a formula, and as the code that runs.

In formulas ``g`` is the gradient that comes in (of the result ``y``); ``⊙`` and ``⊘`` multiply and divide element by
element; the op's arguments stand in braces, to be replaced by what the program calls them. Only the ops that one meets
most have a formula. The code of ``backward`` is there for every op of the library, taken from its source, so it cannot
differ from what runs.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

from tinytorch.autograd.primitive import Primitive
from tinytorch.viz.describe import op_name

__all__ = ["backward_sources", "formula"]

#: by op and argument
FORMULAS: dict[str, dict[str, str]] = {
    "add": {"a": "g", "b": "g"},
    "sub": {"a": "g", "b": "−g"},
    "mul": {"a": "g ⊙ {b}", "b": "g ⊙ {a}"},
    "div": {"a": "g ⊘ {b}", "b": "−g ⊙ y ⊘ {b}"},
    "neg": {"x": "−g"},
    "pow": {"a": "g ⊙ {b} ⊙ {a}^({b} − 1)", "b": "g ⊙ y ⊙ ln {a}"},
    "reciprocal": {"x": "−g ⊙ y²"},
    "matmul": {"a": "g @ {b}ᵀ", "b": "{a}ᵀ @ g"},
    "linear": {"x": "g @ {weight}", "weight": "gᵀ @ {x}", "bias": "Σ over the batch of g"},
    "exp": {"x": "g ⊙ y"},
    "log": {"x": "g ⊘ {x}"},
    "sqrt": {"x": "g ⊘ 2y"},
    "rsqrt": {"x": "−½ g ⊙ y³"},
    "sin": {"x": "g ⊙ cos {x}"},
    "cos": {"x": "−g ⊙ sin {x}"},
    "tanh": {"x": "g ⊙ (1 − y²)"},
    "sigmoid": {"x": "g ⊙ y ⊙ (1 − y)"},
    "relu": {"x": "g where {x} > 0, else 0"},
    "softplus": {"x": "g ⊙ σ(β {x})"},
    "log_sigmoid": {"x": "g ⊙ (1 − σ({x}))"},
    "gelu": {"x": "g ⊙ (Φ({x}) + {x} φ({x}))"},
    "erf": {"x": "g ⊙ 2/√π · exp(−{x}²)"},
    "abs": {"x": "g ⊙ sign {x}"},
    "softmax": {"x": "y ⊙ (g − Σ g ⊙ y)"},
    "logsumexp": {"x": "g ⊙ exp({x} − y)"},
    "log_softmax": {"x": "g − exp(y) ⊙ Σ g"},
    "sum": {"x": "g, repeated for every summand"},
    "mean": {"x": "g / n, repeated for each of the n elements"},
    "prod": {"x": "g ⊙ y ⊘ {x}"},
    "var": {"x": "g ⊙ 2({x} − mean) / (n − correction)"},
    "amax": {"x": "g at the maximum (shared among equals), 0 elsewhere"},
    "max": {"x": "g at the maximum, 0 elsewhere"},
    "cumsum": {"x": "the sums of g from the end"},
    "expand": {"x": "Σ of g over the repeated elements"},
    "sum_to": {"x": "g, repeated"},
    "reshape": {"x": "g in the shape of {x}"},
    "permute": {"x": "g with its dimensions put back"},
    "flip": {"x": "g, turned back"},
    "to": {"x": "g in the dtype of {x}"},
    "clone": {"x": "g"},
    "index": {"x": "g added where it was read, 0 elsewhere"},
    "gather": {"x": "g added where it was read, 0 elsewhere"},
    "constant_pad": {"x": "g without the border"},
    "dropout": {"x": "g ⊙ the same mask"},
    "where": {"a": "g where the condition holds, else 0", "b": "g where it does not, else 0"},
    "masked_fill": {"a": "g outside the mask, 0 inside", "b": "Σ of g inside the mask"},
    "clamp": {"x": "g where {x} is within the limits, else 0"},
    "clamp_between": {"x": "g where {x} is within the limits, else 0"},
    "extremum": {
        "a": "g where {a} was taken (half of it where both are equal)",
        "b": "g where {b} was taken (half of it where both are equal)",
    },
    "conv2d": {
        "x": "g convolved with the flipped kernel",
        "weight": "the correlation of {x} with g",
        "bias": "Σ of g over batch and positions",
    },
    "max_pool2d": {"x": "g at each window's maximum, 0 elsewhere"},
    "avg_pool2d": {"x": "g / k², spread over each window"},
    "batch_norm": {
        "x": "γ/σ ⊙ (g − mean(g) − x̂ ⊙ mean(g ⊙ x̂))",
        "weight": "Σ g ⊙ x̂ per channel",
        "bias": "Σ g per channel",
    },
    "layer_norm": {
        "x": "(h − mean(h) − x̂ ⊙ mean(h ⊙ x̂)) / σ,  h = g ⊙ γ",
        "weight": "Σ g ⊙ x̂ over the batch",
        "bias": "Σ g over the batch",
    },
    "mse_loss": {"input": "2g ({input} − {target}) / n", "target": "−2g ({input} − {target}) / n"},
    "cross_entropy": {"x": "g (softmax({x}) − one_hot) / n"},
    "nll_loss": {"x": "−g / n at each row's target, 0 elsewhere"},
    "binary_cross_entropy": {"p": "g ({p} − {t}) / ({p} (1 − {p}) n)"},
    "split": {"x": "the pieces' gradients, put together again"},
    "unbind": {"x": "the slices' gradients, put together again"},
}  # fmt: skip


class _Names(dict[str, str]):
    """Arguments that have no name in the program keep their own."""

    def __missing__(self, argument: str) -> str:
        return argument


def formula(op: str, argument: str, names: dict[str, str]) -> str:
    """The gradient of one argument, in terms of ``g``; ``names`` says what the program calls the arguments.

    >>> formula("mul", "a", {"a": "width", "b": "height"})
    'g ⊙ height'
    """
    if op in ("cat", "stack"):
        return "its own piece of g"
    known = FORMULAS.get(op, {})
    if argument in known:
        return known[argument].format_map(_Names(names))
    return f"(∂y/∂{names.get(argument, argument or 'input')})ᵀ g"


def backward_sources(ops: set[str]) -> dict[str, str]:
    """The code of ``backward`` of these ops of the library, as it stands in its source."""
    found: dict[str, str] = {}
    for kind in _primitives(Primitive):
        name = op_name(kind)
        if name in ops and kind.__module__.startswith("tinytorch.") and "backward" in vars(kind):
            try:
                found[name] = textwrap.dedent(inspect.getsource(vars(kind)["backward"])).strip()
            except (OSError, TypeError):  # the source is not installed
                continue
    return found


def _primitives(kind: type) -> Iterator[type]:
    kinds: list[type] = kind.__subclasses__()
    for inner in kinds:
        yield inner
        yield from _primitives(inner)
