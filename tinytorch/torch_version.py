"""The version as a string that can also be compared with numbers: ``torch.__version__ >= (1, 8)``."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """A version string. Compared with another, or with a tuple of numbers, it is ordered as versions are.

    >>> TorchVersion("2.13.0") > "2.9", TorchVersion("2.13.0") >= (2, 13), TorchVersion("1.8.0a1") < "1.8"
    (True, True, True)
    """

    def __lt__(self, other: Any) -> bool:
        return _key(self) < _key(other)

    def __le__(self, other: Any) -> bool:
        return _key(self) <= _key(other)

    def __gt__(self, other: Any) -> bool:
        return _key(self) > _key(other)

    def __ge__(self, other: Any) -> bool:
        return _key(self) >= _key(other)

    def __eq__(self, other: object) -> bool:
        return str(self) == other if isinstance(other, str) and "+" in other else _key(self) == _key(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _key(version: Any) -> tuple[list[int], int]:
    """The numbers without zeros at the end, and whether it is a release (1) or comes before it (0)."""
    if isinstance(version, tuple):
        version = ".".join(map(str, version))
    public = str(version).split("+")[0]
    numbers = re.match(r"v?(\d+(?:\.\d+)*)(.*)", public)
    if numbers is None:
        raise ValueError(f"Invalid version: {version!r}")
    digits = [int(n) for n in numbers[1].split(".")]
    while digits and not digits[-1]:
        digits.pop()
    return digits, 0 if re.match(r"[-._]?(a|b|c|rc|dev|alpha|beta|pre)", numbers[2]) else 1
