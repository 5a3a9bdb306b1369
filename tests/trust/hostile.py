"""Reading files of strangers under watch: what is raised, what Python is asked to do meanwhile, and how much memory it takes.

``REPEATS=100 pytest tests/trust -k hostile -rP`` tries a hundred times as many random files as the suite does.
"""

from __future__ import annotations

import collections
import os
import random
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

__all__ = ["Watch", "counts", "damage", "fuzzed"]

REPEATS = int(os.environ.get("REPEATS", "1"))
#: Of what Python reports to audit hooks, all that a reader needs. Everything else (``exec``, ``import``, ``os.system``,
#: ``socket.connect``, ``ctypes.dlopen``...) is a door left open.
HARMLESS = ("open", "object.__getattr__", "object.__setattr__", "sys._getframe", "mmap.__new__", "builtins.id")
READING = (None, "r", "rb")

counts: collections.Counter[tuple[str, str]] = collections.Counter()  # (format, outcome): how many
_reported: list[str] | None = None


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _reported is None:
        return
    if not event.startswith(HARMLESS) or (event == "open" and args[1] not in READING):
        _reported.append(f"{event} {args!r:.200}")


sys.addaudithook(_audit)


class Watch:
    """Calls ``read`` with hostile files of one format: with the bytes, or with the ``path`` that they are written to.

    Raises AssertionError if it raises anything but ``errors``, if Python was made to do more than read, or if memory
    grew beyond ``factor`` bytes for each byte of the file (and 300 kB: messages, buffers).
    """

    def __init__(
        self, name: str, read: Callable[[Any], Any], errors: tuple[type[Exception], ...], factor: float, path: str = ""
    ) -> None:
        self.name, self.read, self.errors, self.factor, self.path = name, read, errors, factor, path

    def __call__(self, content: bytes, what: str = "") -> Any:
        """What was read, or the error."""
        global _reported
        if self.path:
            with open(self.path, "wb") as file:
                file.write(content)
        _reported = []
        tracemalloc.start()
        try:
            result = self.read(self.path or content)
        except self.errors as error:
            result = error
            assert str(error), "an error without a word"
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            reported, _reported = _reported, None
        assert not reported, f"{what}: reading caused {reported}"
        assert peak < self.factor * len(content) + 300_000, f"{what}: {len(content)} bytes took {peak}"
        counts[self.name, "refused" if isinstance(result, Exception) else "read"] += 1
        return result

    def refuse(self, content: bytes, what: str = "") -> Exception:
        """The error; AssertionError if there is none."""
        result = self(content, what)
        assert isinstance(result, Exception), f"{what}: accepted as {result!r:.200}"
        return result


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """Hypothesis's settings for so many random files: the same ones in every run, unless more are asked for."""
    return settings(
        max_examples=examples * REPEATS, derandomize=REPEATS == 1, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip


EXTREMES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**62, 2**63 - 1, 2**64 - 1]


def damage(content: bytes, seed: int, times: int = 1) -> bytes:
    """The file cut off, flipped, overwritten, with parts doubled, missing or exchanged, and with numbers made extreme."""
    data, draw = bytearray(content), random.Random(seed)
    for _ in range(times):
        at, length = draw.randrange(len(data) + 1), draw.randrange(1, 40)
        kind = draw.randrange(7)
        if kind == 0:
            del data[at:]
        elif kind == 1 and at < len(data):
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 2:
            data[at : at + length] = draw.randbytes(length)
        elif kind == 3:
            data[at:at] = data[at : at + 10 * length]
        elif kind == 4:
            del data[at : at + length]
        elif kind == 5:
            size = draw.choice([1, 2, 4, 8])
            data[at : at + size] = (draw.choice(EXTREMES) % 256**size).to_bytes(size, draw.choice(["little", "big"]))
        else:
            other = draw.randrange(len(data) + 1)
            data[at : at + length] = data[other : other + length]
    return bytes(data)


#: Arguments of :func:`damage`.
damages = st.tuples(st.integers(0, 2**32), st.integers(1, 4))
