"""Pictures for TensorBoard: arrays with any order of dimensions, as rows of pixels, as PNG."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

__all__ = ["figure_to_image", "grid", "pixels", "png"]


def pixels(array: np.ndarray, dataformats: str) -> np.ndarray:
    """The picture as ``uint8`` of shape (height, width, channels); several (``"NCHW"``) side by side, eight in a row.

    Floats are taken to lie between 0 and 1. Raises AssertionError if ``dataformats`` does not name each dimension once.
    """
    letters = dataformats.upper()
    if len(set(letters)) != len(letters):
        raise AssertionError(f"You can not use the same dimension shorthand twice. input_format: {dataformats}")
    if array.ndim != len(letters):
        raise AssertionError(
            f"size of input tensor and input format are different. tensor shape: {array.shape}, "
            f"input_format: {dataformats}"
        )
    if len(letters) == 4:
        array = grid(array.transpose([letters.find(letter) for letter in "NCHW"])).transpose(1, 2, 0)
    elif len(letters) == 3:
        array = array.transpose([letters.find(letter) for letter in "HWC"])
    else:
        array = array.transpose([letters.find(letter) for letter in "HW"])[:, :, None]
    if array.shape[2] == 1:
        array = np.repeat(array, 3, axis=2)
    scale = 1 if array.dtype == np.uint8 else 255
    return (array.astype(np.float32) * scale).clip(0, 255).astype(np.uint8)


def grid(images: np.ndarray, columns: int = 8) -> np.ndarray:
    """Images of shape (n, 1 or 3, height, width) as one of shape (3, height, width)."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise AssertionError("Input should be a 4D numpy array with 3 channels")
    n, _, height, width = images.shape
    columns = min(n, columns)
    rows = -(-n // columns)
    canvas = np.zeros((3, height * rows, width * columns), images.dtype)
    for i, image in enumerate(images):
        top, left = i // columns * height, i % columns * width
        canvas[:, top : top + height, left : left + width] = image
    return canvas


def png(picture: np.ndarray) -> bytes:
    """A ``uint8`` array of shape (height, width, 3 or 4) as a PNG file."""
    height, width, channels = picture.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = picture.reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(kind, data) for kind, data in parts])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def figure_to_image(figure: Any, close: bool = True) -> np.ndarray:
    """A matplotlib figure, or a list of them, as ``uint8`` of shape (3, height, width), or with another dimension."""
    from matplotlib import pyplot
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    if isinstance(figure, list):
        return np.stack([figure_to_image(one, close) for one in figure])
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = np.asarray(canvas.buffer_rgba())[:, :, :3].transpose(2, 0, 1)
    if close:
        pyplot.close(figure)
    return picture
