"""How many floating-point operations an op does: multiplications and additions, each counted once.

Matrix products and convolutions are counted exactly; other ops by a number of operations per element that says what
matters to their time. Moving data counts nothing.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["flops"]

Shape = tuple[int, ...]

_PER_ELEMENT = {
    "softmax": 5, "log_softmax": 5, "batch_norm": 8, "batch_norm_eval": 4, "layer_norm": 8, "tanh": 4, "sigmoid": 4,
    "exp": 4, "log": 4, "pow": 4, "sqrt": 2, "erf": 8, "softplus": 8, "var": 4, "log_sigmoid": 8,
}  # fmt: skip
_MOVES = (
    "reshape", "permute", "expand", "index", "cat", "stack", "split", "unbind", "clone", "copy", "fill", "to", "flip",
    "gather", "diagonal", "unfold", "as_strided", "constant_pad", "im2col", "embedding", "region",
)  # fmt: skip


def flops(name: str, inputs: list[Shape | None], outputs: list[Shape], attributes: dict[str, Any]) -> float:
    """Operations of one run of the op ``name`` for these shapes; an input that is no tensor has the shape None.

    >>> flops("matmul", [(2, 3), (3, 5)], [(2, 5)], {})        # 2·5 results, each of 3 products and 3 sums
    60.0
    >>> flops("conv2d", [(1, 20, 28, 28), (20, 20, 3, 3), (20,)], [(1, 20, 28, 28)], {})
    5660480.0
    """
    out = math.prod(outputs[0]) if outputs else 0
    first = inputs[0] if inputs and inputs[0] is not None else ()
    second = inputs[1] if len(inputs) > 1 else None
    if name in ("linear", "matmul"):
        bias = out if len(inputs) > 2 and inputs[2] is not None else 0
        return float(2 * out * (first[-1] if first else 1) + bias)
    if name in ("conv2d", "conv3d") and second is not None:
        bias = out if len(inputs) > 2 and inputs[2] is not None else 0
        return float(2 * out * math.prod(second[1:]) + bias)
    if name in ("conv2d_input", "conv3d_input", "conv2d_weight", "conv3d_weight"):
        data, weight = (second, outputs[0]) if name.endswith("weight") else (first, second)
        return float(2 * math.prod(data or ()) * math.prod((weight or ())[1:]))
    if name in ("lstm", "gru", "rnn") and first:
        hidden = outputs[0][-1]
        return float(2 * math.prod(first) * hidden + 10 * math.prod(first))
    if name in _MOVES:
        return 0.0
    if "pool" in name and first:
        return float(math.prod(first))
    elements = max([out, *(math.prod(shape) for shape in inputs if shape is not None)])
    return float(elements * _PER_ELEMENT.get(name, 1))
