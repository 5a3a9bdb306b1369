"""Event files: protobuf messages, one after the other, each with its length and check sums (TensorFlow's TFRecord).

A protobuf message is a sequence of fields, each a number with its type and a value. How a value is written follows
from its Python type here, so that a message is a call with pairs::

    message((1, "loss"), (2, np.float32(0.5)))      # Summary.Value: tag and simple_value
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from typing import Any

import numpy as np

__all__ = ["FileWriter", "message"]


def _varint(number: int) -> bytes:
    """Seven bits in a byte, the lowest first; the eighth says that more follow. Negative numbers: modulo 2**64."""
    number &= (1 << 64) - 1
    parts = bytearray()
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def message(*fields: tuple[int, Any]) -> bytes:
    """The bytes of a message.

    Args:
        fields: number and value: an int or bool (a varint), a float (double), ``np.float32``, text, bytes (also a
            message within this one), an array of float32 or float64 (packed), or None for a field that is left out.
            A number may occur several times: a list.

    >>> message((1, "a"), (2, 300))
    b'\\n\\x01a\\x10\\xac\\x02'
    """
    return b"".join([_field(number, value) for number, value in fields if value is not None])


def _field(number: int, value: Any) -> bytes:
    if isinstance(value, np.float32):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, float):
        return _varint(number << 3 | 1) + struct.pack("<d", value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else bytes(value)
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _crc_table() -> list[int]:
    table = list(range(256))
    for _ in range(8):
        table = [crc >> 1 ^ (0x82F63B78 if crc & 1 else 0) for crc in table]
    return table


_TABLE = _crc_table()


def _masked_crc(data: bytes) -> bytes:
    """CRC-32C, turned and shifted so that check sums of check sums do not cancel."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


class FileWriter:
    """One event file in a folder, made with the folder. What was added waits in the file's buffer, until the first
    addition after ``flush_secs``; there is no queue whose length ``max_queue`` could be.
    """

    _count = itertools.count()

    def __init__(self, log_dir: Any, max_queue: int = 10, flush_secs: float = 120, filename_suffix: str = "") -> None:
        self._log_dir, self._flush_secs, self._suffix = str(log_dir), flush_secs, filename_suffix
        self.reopen()

    def get_logdir(self) -> str:
        """The folder."""
        return self._log_dir

    def add_event(self, fields: list[tuple[int, Any]], step: Any = None, walltime: float | None = None) -> None:
        """Write one event: its time, its step, and what ``fields`` say."""
        now = time.time()
        wall = float(now if walltime is None else walltime)
        event = message((1, wall), (2, None if step is None else int(step)), *fields)
        length = struct.pack("<Q", len(event))
        self._file.write(length + _masked_crc(length) + event + _masked_crc(event))
        if now - self._flushed > self._flush_secs:
            self.flush()

    def add_summary(self, value: bytes, global_step: Any = None, walltime: float | None = None) -> None:
        """Write one of :mod:`.summaries`."""
        self.add_event([(5, message((1, value)))], global_step, walltime)

    def flush(self) -> None:
        """Hand over to the operating system what was written so far."""
        self._file.flush()
        self._flushed = time.time()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def reopen(self) -> None:
        """Begin another file."""
        os.makedirs(self._log_dir, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(self._count)}"
        self._file = open(os.path.join(self._log_dir, name + self._suffix), "wb")  # noqa: SIM115 - closed by close
        self._flushed = time.time()
        self.add_event([(3, "brain.Event:2")])
        self.flush()
