"""Colours: a quiet one for each family of ops, and a scale for what :meth:`Graph.color_by` measures.

Colour never says anything alone: families are named by the op, scales have a legend, and what is wrong is in words.
"""

from __future__ import annotations

import math

from tinytorch.viz.data import Graph, Node
from tinytorch.viz.describe import bytes_text, rounded

__all__ = ["FAMILIES", "METRICS", "check_metric", "family_of", "is_dark", "metric_text", "scale"]

#: fill and border of every family
FAMILIES = {
    "weights": ("#dbe9f8", "#4a7fb5"),
    "activation": ("#fdecc8", "#c58a1b"),
    "normalization": ("#e9e0f5", "#8662b3"),
    "pooling": ("#d9f0e3", "#3f9168"),
    "loss": ("#fbdfe1", "#c2505a"),
    "op": ("#f4f5f7", "#8a929c"),
    "input": ("#ffffff", "#8a929c"),
    "buffer": ("#ffffff", "#8a929c"),
    "parameter": ("#dff3d8", "#5b9a45"),
    "module": ("#e8edf3", "#4f6478"),
    "outside": ("#ffffff", "#b8bec6"),
}

_WORDS = {
    "weights": ("conv", "linear", "matmul", "lstm", "gru", "rnn", "embedding", "attention"),
    "activation": ("relu", "tanh", "sigmoid", "softplus", "softmax", "erf", "gelu", "silu", "elu"),
    "normalization": ("norm",),
    "pooling": ("pool",),
    "loss": ("loss", "entropy"),
}

METRICS = ("time", "flops", "memory", "params", "grad_norm")
_RAMP = ((255, 255, 255), (253, 224, 160), (240, 130, 70), (178, 24, 43))


def family_of(node: Node) -> str:
    """The family whose colours a node has."""
    if node.kind != "op":
        return node.kind
    for family, words in _WORDS.items():
        if any(word in node.name for word in words):
            return family
    return "op"


def check_metric(graph: Graph, metric: str | None) -> str | None:
    """The metric, if it is one and the graph has it; raises ValueError otherwise."""
    if metric is None:
        return None
    if metric not in METRICS:
        raise ValueError(f"color_by must be one of {', '.join(map(repr, METRICS))}, not {metric!r}")
    if not any(metric in node.metrics for node in graph.nodes.values()):
        raise ValueError(
            f"{metric!r} was not measured in this graph. Run it inside `with viz.watch() as w:`, and take w.graph()."
        )
    return metric


def metric_text(metric: str, value: float) -> str:
    """A measured value with its unit."""
    if metric.startswith("time"):
        return f"{rounded(value * 1e3)} ms" if value < 1 else f"{rounded(value)} s"
    if metric == "flops":
        for unit, size in (("GFLOP", 1e9), ("MFLOP", 1e6), ("kFLOP", 1e3)):
            if value >= size:
                return f"{rounded(value / size)} {unit}"
        return f"{value:.0f} FLOP"
    if metric == "memory":
        return bytes_text(value)
    return f"{int(value):,}" if metric == "params" else rounded(value)


def value_of(node: Node, metric: str) -> float:
    """What a node's colour shows; the time is that of forward and backward together."""
    extra = node.metrics.get("time_backward", 0.0) if metric == "time" else 0.0
    return node.metrics[metric] + extra


def is_dark(color: str) -> bool:
    """Whether text on this colour has to be white."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue < 150


def scale(graph: Graph, metric: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Fill colours by node, and the legend as (colour, text). Gradient norms are scaled by their logarithm."""
    values = {node.id: value_of(node, metric) for node in graph.nodes.values() if metric in node.metrics}
    finite = [value for value in values.values() if math.isfinite(value) and value > 0]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    logarithmic = metric == "grad_norm"

    def place(value: float) -> float:
        if not math.isfinite(value):
            return 1.0
        if not logarithmic:
            return value / high
        return math.log(value / low) / math.log(high / low) if value > 0 and high > low else 0.0

    fills = {id: _ramp(place(value)) for id, value in values.items()}
    middle = math.sqrt(low * high) if logarithmic else high / 2
    ends = [low if logarithmic else 0.0, middle, high]
    return fills, [(_ramp(place(value)), metric_text(metric, value)) for value in ends]


def _ramp(x: float) -> str:
    position = min(max(x, 0.0), 1.0) * (len(_RAMP) - 1)
    step = min(int(position), len(_RAMP) - 2)
    mixed = [round(a + (b - a) * (position - step)) for a, b in zip(_RAMP[step], _RAMP[step + 1], strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)
