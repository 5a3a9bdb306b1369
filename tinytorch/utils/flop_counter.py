"""How many floating-point operations a piece of a program does (``torch.utils.flop_counter``).

Counted is what takes the time: matrix products and convolutions, forward and backward, a multiplication and an addition
each as one. Elementwise ops and recurrent layers count nothing, as in PyTorch on a CPU.

>>> import tinytorch as torch
>>> model = torch.nn.Linear(3, 5)
>>> with FlopCounterMode(display=False) as counter:
...     model(torch.ones(2, 3)).sum().backward()
>>> counter.get_total_flops()  # 2·2·3·5, and as much for the gradient of the weight
120
>>> {str(op): count for op, count in counter.get_flop_counts()["Global"].items()}
{'aten.addmm': 60, 'aten.mm': 60}
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tinytorch.aten import Packet, aten
from tinytorch.autograd.watching import Watcher
from tinytorch.tensor import Tensor
from tinytorch.viz.describe import op_name
from tinytorch.viz.flops import flops

__all__ = ["FlopCounterMode"]

_CONVOLUTIONS = ("Conv2d", "Conv3d", "Conv2dInput", "Conv3dInput")


class FlopCounterMode(Watcher):
    """Counts while it is in use as a context manager; at its end it prints a table.

    Args:
        display: whether to print.

    PyTorch also divides the sum by module; here all stands under ``"Global"``.
    """

    def __init__(self, mods: Any = None, depth: int = 2, display: bool = True, custom_mapping: Any = None) -> None:
        if custom_mapping:
            raise NotImplementedError("FlopCounterMode(custom_mapping=...): only products and convolutions count")
        self.display = display
        self.flop_counts: dict[str, dict[Packet, int]] = {"Global": defaultdict(int)}

    def get_total_flops(self) -> int:
        """The sum of all."""
        return sum(self.flop_counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[Packet, int]]:
        """``{"Global": {op: count}}``."""
        return {name: dict(counts) for name, counts in self.flop_counts.items()}

    def get_table(self, depth: int | None = None) -> str:
        """The counts of all ops, and their shares."""
        total = self.get_total_flops()
        rows = [("Global", total), *((f" - {op}", count) for op, count in self.flop_counts["Global"].items())]
        lines = [f"{name:24}  {count:>16,}  {count / max(total, 1):>8.2%}" for name, count in rows]
        return "\n".join([f"{'Module':24}  {'FLOP':>16}  {'% Total':>8}", "-" * 52, *lines])

    def __enter__(self) -> FlopCounterMode:
        self.flop_counts["Global"].clear()
        self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()
        if self.display:
            print(self.get_table())

    def forward(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], run: Callable[[], Any]) -> Any:
        """An op is applied."""
        result = run()
        name = op.__name__
        if name == "Linear":
            counted = "mm" if inputs[2] is None else "addmm"
        elif name == "MatMul":
            counted = "mm" if result.dim() < 3 else "bmm"
        elif name in _CONVOLUTIONS:
            counted = "convolution"
        else:
            return result
        shapes = [value.shape for value in inputs[:2]]  # what adds the bias is not counted
        self._add(counted, int(flops(op_name(op), shapes, [result.shape], attributes)))
        return result

    def backward(self, node: Any, received: list[Any], run: Callable[[], Any]) -> Any:
        """A node's backward runs: one product for each gradient."""
        name, needs = node.op_type.__name__, node.needs_input_grad
        if received[0] is None:
            return run()
        size = received[0].numel()
        if name == "Linear":
            # the second factor has as many columns as the input has
            inner = _size(node, 0, -1) if needs[0] else _size(node, 1, -1)
            self._add("mm", 2 * size * inner * sum(needs[:2]))
        elif name == "MatMul":
            inner = _size(node, 0, -1) if needs[0] else _size(node, 1, -2)
            self._add("mm" if received[0].dim() < 3 else "bmm", 2 * size * inner * sum(needs[:2]))
        elif name in _CONVOLUTIONS:
            first, weight = node.intermediates[:2]
            elements = math.prod(first) if name.endswith("Input") else size
            self._add("convolution_backward", 2 * elements * math.prod(weight[1:]) * sum(needs[:2]))
        return run()

    def _add(self, op: str, count: int) -> None:
        self.flop_counts["Global"][getattr(aten, op)] += count


def _size(node: Any, index: int, dim: int) -> int:
    """The size of an input that gets a gradient, in one dimension."""
    source, output = node.edges[index]
    shape = source.shape if isinstance(source, Tensor) else source.outputs[output][0]
    return int(shape[dim]) if len(shape) > 1 else int(shape[0])
