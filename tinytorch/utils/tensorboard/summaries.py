"""What TensorBoard shows, each as one message ``Summary.Value``: a tag, a value, and for plugins who is to read it."""

from __future__ import annotations

import io
import wave
from typing import Any

import numpy as np

from tinytorch.tensor import Tensor
from tinytorch.utils.tensorboard.images import pixels, png
from tinytorch.utils.tensorboard.records import message

__all__ = ["audio", "histogram", "histogram_raw", "hparams", "image", "pr_curve", "pr_curve_raw", "scalar", "text"]

_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # TensorFlow's numbers of dtypes


def make_np(value: Any) -> np.ndarray:
    """A tensor, array or number as an array."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Tensor):
        return value.detach().numpy()
    if np.isscalar(value):
        return np.array([value])
    raise NotImplementedError(f"Got {type(value)}, but numpy array or torch tensor are expected.")


def scalar(tag: str, value: Any, new_style: bool = False, double_precision: bool = False) -> bytes:
    """A number; of the new style a tensor, which may be of double precision. Raises AssertionError for several."""
    array = make_np(value).squeeze()
    if array.ndim != 0:
        raise AssertionError(f"Tensor should contain one element (0 dimensions). Was given size: {array.size} and "
                             f"{array.ndim} dimensions.")  # fmt: skip
    if not new_style:
        return message((1, tag), (2, np.float32(array)))
    if double_precision:
        return _for_plugin(tag, "scalars", b"", message((1, _DOUBLE), (6, array.astype("<f8").reshape(1))))
    return _for_plugin(tag, "scalars", b"", message((1, _FLOAT), (5, array.astype("<f4").reshape(1))))


def histogram(tag: str, values: Any, bins: Any, max_bins: int | None = None) -> bytes:
    """How often values lie in which bin; empty bins at the ends are left out, and where there are more than
    ``max_bins``, neighbours are joined.
    """
    array = make_np(values).astype(np.float64).reshape(-1)
    if array.size == 0:
        raise ValueError("The input has no element.")
    counts, limits = np.histogram(array, bins=bins)
    if max_bins is not None and len(counts) > max_bins:
        starts = range(0, len(counts), len(counts) // max_bins)
        counts, limits = np.add.reduceat(counts, starts), np.append(limits[starts], limits[-1])
    used = np.flatnonzero(counts)
    first, last = (used[0], used[-1] + 1) if used.size else (0, len(counts))
    counts = np.concatenate([[0], counts[first:last]])  # with the left limit of the first bin, as an empty one's right
    return histogram_raw(
        tag, array.min(), array.max(), array.size, array.sum(), array.dot(array), limits[first : last + 1], counts
    )


def histogram_raw(
    tag: str, low: Any, high: Any, num: Any, total: Any, sum_squares: Any, bucket_limits: Any, bucket_counts: Any
) -> bytes:
    """A histogram that somebody else has counted."""
    numbers = [(field, float(value)) for field, value in enumerate((low, high, num, total, sum_squares), 1)]
    packed = [(6, np.asarray(bucket_limits, "<f8")), (7, np.asarray(bucket_counts, "<f8"))]
    return message((1, tag), (5, message(*numbers, *packed)))


def image(tag: str, tensor: Any, dataformats: str) -> bytes:
    """A picture; see :func:`.images.pixels`."""
    picture = pixels(make_np(tensor), dataformats)
    height, width, channels = picture.shape
    return message((1, tag), (4, message((1, height), (2, width), (3, channels), (4, png(picture)))))


def audio(tag: str, tensor: Any, sample_rate: int) -> bytes:
    """A sound: amplitudes between -1 and 1; what lies outside is cut off."""
    array = make_np(tensor).squeeze()
    if array.ndim != 1:
        raise AssertionError("input tensor should be 1 dimensional.")
    samples = (array.clip(-1, 1) * np.iinfo(np.int16).max).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate)
        writer.writeframes(samples.tobytes())
    sound = message(
        (1, np.float32(sample_rate)), (2, 1), (3, len(samples)), (4, file.getvalue()), (5, "audio/wav")
    )  # fmt: skip
    return message((1, tag), (6, sound))


def _for_plugin(tag: str, plugin: str, content: bytes, tensor: bytes | None = None) -> bytes:
    return message((1, tag), (8, tensor), (9, message((1, message((1, plugin), (2, content))))))


def _shape(*sizes: int) -> bytes:
    return message(*[(2, message((1, size))) for size in sizes])


def text(tag: str, text_string: str) -> bytes:
    """Text, shown as Markdown."""
    tensor = message((1, _STRING), (2, _shape(1)), (8, text_string))
    return _for_plugin(tag + "/text_summary", "text", message((1, 0)), tensor)


def pr_curve(tag: str, labels: Any, predictions: Any, num_thresholds: int, weights: Any) -> bytes:
    """Precision and recall of predictions between 0 and 1, at equally spaced thresholds."""
    num_thresholds = min(num_thresholds, 127)
    labels, predictions = make_np(labels).astype(np.float64), make_np(predictions)
    weights = 1.0 if weights is None else make_np(weights)
    buckets = np.floor(predictions * (num_thresholds - 1)).astype(np.int32)
    limits = (0, num_thresholds - 1)
    hits = np.histogram(buckets, num_thresholds, limits, weights=labels * weights)[0]
    misses = np.histogram(buckets, num_thresholds, limits, weights=(1.0 - labels) * weights)[0]
    tp, fp = hits[::-1].cumsum()[::-1], misses[::-1].cumsum()[::-1]
    tn, fn = fp[0] - fp, tp[0] - tp
    precision, recall = tp / np.maximum(1e-7, tp + fp), tp / np.maximum(1e-7, tp + fn)
    return pr_curve_raw(tag, tp, fp, tn, fn, precision, recall, num_thresholds)


def pr_curve_raw(
    tag: str, tp: Any, fp: Any, tn: Any, fn: Any, precision: Any, recall: Any, num_thresholds: int
) -> bytes:
    """The same, computed by somebody else."""
    data = np.stack([make_np(row) for row in (tp, fp, tn, fn, precision, recall)])
    tensor = message((1, _FLOAT), (2, _shape(*data.shape)), (5, data.astype("<f4").reshape(-1)))
    return _for_plugin(tag, "pr_curves", message((1, 0), (2, min(num_thresholds, 127))), tensor)


def hparams(
    hparam_dict: dict[str, Any], metric_dict: dict[str, Any], domains: dict[str, list[Any]] | None = None
) -> list[bytes]:
    """Three messages: which hyperparameters and metrics an experiment has, their values in this run, and its end.

    ``domains`` lists for some hyperparameters all values that they may have; TypeError where these are of another type.
    """
    domains = domains or {}
    for name, domain in domains.items():
        expected = type(hparam_dict.get(name))
        if name not in hparam_dict or type(domain) is not list or not all(isinstance(v, expected) for v in domain):
            raise TypeError(
                f"parameter: hparam_domain_discrete[{name}] should be a list of same type as hparam_dict[{name}]."
            )
    infos, values = [], []
    for name, value in hparam_dict.items():
        if value is None:
            continue
        kind, protobuf = _hyperparameter(value)
        all_values = message(*[(1, _hyperparameter(v)[1]) for v in domains[name]]) if name in domains else None
        infos.append((4, message((1, name), (4, kind), (5, all_values))))
        values.append((1, message((1, name), (2, protobuf))))
    metrics = [(5, message((1, message((2, name))))) for name in metric_dict]
    contents = {
        "experiment": message((1, 0), (2, message(*infos, *metrics))),
        "session_start_info": message((1, 0), (3, message(*values))),
        "session_end_info": message((1, 0), (4, message((1, 1)))),
    }
    return [_for_plugin(f"_hparams_/{tag}", "hparams", content) for tag, content in contents.items()]


def _hyperparameter(value: Any) -> tuple[int, bytes]:
    """TensorBoard's number of the type (1: text, 2: bool, 3: float), and the value as a ``google.protobuf.Value``."""
    if isinstance(value, str):
        return 1, message((3, value))
    if isinstance(value, bool):
        return 2, message((4, value))
    if isinstance(value, (int, float, np.number, Tensor)):
        return 3, message((2, float(value)))
    raise ValueError("value should be one of int, float, str, bool, or torch.Tensor")
