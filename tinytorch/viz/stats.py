"""What the numbers of a tensor look like: mean, spread, range, zeros, and how many are NaN or infinite."""

from __future__ import annotations

import numpy as np

__all__ = ["dead_units", "stats_of"]


def stats_of(array: np.ndarray) -> dict[str, float]:
    """Mean, std, min, max of the finite elements, the share of zeros, and the counts of NaN and inf.

    >>> import numpy as np
    >>> stats_of(np.array([0.0, 0.0, 1.0, np.nan]))
    {'mean': 0.3333333333333333, 'std': 0.4714045207910317, 'min': 0.0, 'max': 1.0, 'zero': 0.5, 'nan': 1.0, 'inf': 0.0}
    """
    if array.dtype.kind not in "fViub" or not array.size:
        return {}
    flat = array.ravel(order="K")
    bad = {"nan": 0.0, "inf": 0.0}
    if flat.dtype.kind in "fV" and not np.isfinite(flat.sum(dtype=np.float64)):
        bad = {"nan": float(np.isnan(flat).sum()), "inf": float(np.isinf(flat).sum())}
        flat = flat[np.isfinite(flat)]
    zero = 1 - np.count_nonzero(flat) / array.size - (array.size - flat.size) / array.size
    if not flat.size:
        return {"mean": np.nan, "std": np.nan, "min": np.nan, "max": np.nan, "zero": 0.0, **bad}
    numbers = {
        "mean": float(flat.mean(dtype=np.float64)), "std": float(flat.std(dtype=np.float64)),
        "min": float(flat.min()), "max": float(flat.max()), "zero": float(zero),
    }  # fmt: skip
    return {**numbers, **bad}


def dead_units(array: np.ndarray) -> tuple[int, int]:
    """How many units gave zero for everything in the batch, and how many units there are.

    The units are dimension 1 (channels of an image, features of a row); of a vector, its elements.
    """
    units = 1 if array.ndim > 1 else 0
    others = tuple(dim for dim in range(array.ndim) if dim != units)
    alive = np.any(array != 0, axis=others) if others else array != 0
    return int(alive.size - np.count_nonzero(alive)), int(alive.size)
