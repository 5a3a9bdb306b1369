"""Reading IDX, the file format in which MNIST is published.

An IDX file is one array: a magic number of four bytes (0, 0, element type, number of dimensions), one
big-endian 32-bit size per dimension, then the elements, big-endian, last index fastest:

====  =====================  ======================
0x08  unsigned byte          ``uint8``
0x09  signed byte            ``int8``
0x0B  short (2 bytes)        ``int16``
0x0C  int (4 bytes)          ``int32``
0x0D  float (4 bytes)        ``float32``
0x0E  double (8 bytes)       ``float64``
====  =====================  ======================

**Do not trust a header.** Sixteen bytes can promise an array of 2**96 elements, so the promise is compared
with the size of the file before anything is allocated. In a compressed file the true size is unknown until
it has been unpacked, but DEFLATE cannot pack better than 1032 to 1 (258 bytes in 2 bits), which bounds it;
and unpacking stops at the promised length, so a small file that unpacks to gigabytes costs nothing either.

Format: http://yann.lecun.com/exdb/mnist/, "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import BinaryIO

import numpy as np

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_DIMS = 32  # what every NumPy version can hold
_MAX_DEFLATE_RATIO = 1032
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read the array in an IDX file, plain or gzip-compressed (told apart by content, not by name).

    Args:
        path: the file.

    Returns:
        A new, writable array in the machine's byte order; shape and dtype as in the header.

    Raises:
        ValueError: this is not a whole, well-formed IDX file; the message says what is wrong with it.
        OSError: the file cannot be opened.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        compressed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        try:
            if not compressed:
                return _read_stream(file, size, exact=True)
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                return _read_stream(unpacked, size * _MAX_DEFLATE_RATIO, exact=False)
        except (ValueError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{os.fspath(path)}: not a valid IDX file: {error}") from error


def _read_stream(stream: BinaryIO | gzip.GzipFile, size: int, *, exact: bool) -> np.ndarray:
    """``size``: the length of the stream, or (``exact=False``) a length that it cannot exceed."""
    dtype, shape = _read_header(stream)
    header = 4 + 4 * len(shape)
    expected = math.prod(shape) * dtype.itemsize  # Python integers: no overflow
    if expected > size - header or (exact and expected != size - header):
        bound = "" if exact else "at most "
        raise ValueError(
            f"the header promises {expected} bytes of data (shape {shape}, {dtype.itemsize} bytes an "
            f"element), but the file has {bound}{size - header}"
        )
    data = _read_exactly(stream, expected)
    if stream.read(1):
        raise ValueError(f"there is data after the {expected} bytes that the header promises")
    return np.frombuffer(data, dtype=dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_header(stream: BinaryIO | gzip.GzipFile) -> tuple[np.dtype, tuple[int, ...]]:
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise ValueError(f"it begins with {magic!r} instead of two zero bytes, an element type and a rank")
    code, ndim = magic[2], magic[3]
    if code not in _DTYPES:
        raise ValueError(f"unknown element type 0x{code:02x}; known are {', '.join(map(hex, _DTYPES))}")
    if not 1 <= ndim <= _MAX_DIMS:
        raise ValueError(f"{ndim} dimensions; expected 1 to {_MAX_DIMS}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise ValueError(f"the header ends after {4 + len(sizes)} of {4 + 4 * ndim} bytes")
    return np.dtype(_DTYPES[code]), struct.unpack(f">{ndim}I", sizes)


def _read_exactly(stream: BinaryIO | gzip.GzipFile, length: int) -> bytearray:
    """Read piece by piece, so that memory grows with what has really arrived."""
    data = bytearray()
    while len(data) < length:
        piece = stream.read(min(_CHUNK, length - len(data)))
        if not piece:
            raise ValueError(f"the data ends after {len(data)} of {length} bytes")
        data += piece
    return data
