"""Where tinytorch differs from PyTorch on wrong input, and is known to: the table in ``differences.txt``.

A line there is ``op | argument | changes``, under a heading that says how they differ: ``[accepts]``, ``[refuses]``, ``[type]``,
``[value]``, ``[words]``. Changes are names from :mod:`tests.trust.wrong_values`; ``*`` stands for all of them. Whatever is not
listed must agree, and whatever is listed must differ: :func:`no_longer_needed`.
"""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

__all__ = ["FATAL", "is_fatal", "is_known", "listed", "no_longer_needed"]

#: (op, argument, change) for which PyTorch itself aborts, writes where it should not, or computes for hours.
FATAL = {
    ("lu_unpack", "1", "*"), ("linalg.ldl_solve", "1", "*"), ("native_batch_norm", "*", "*"), ("_native_batch_norm_legit", "*", "*"), ("_segment_reduce.offsets", "*", "*"), ("nn.functional.embedding_bag", "offsets", "*"),
    ("nn.functional.batch_norm.without_cudnn", "*", "*"), ("nn.functional.adaptive_avg_pool1d", "1", "*"),
    ("nn.functional.adaptive_avg_pool2d", "1", "*"), ("nn.functional.adaptive_avg_pool3d", "1", "*"), ("unsafe_chunk", "*", "*"),
    ("special.*polynomial*", "1", "*"), ("linalg.matrix_power", "1", "-2**63"), ("broadcast_shapes", "*", "last 2**63"),
    *(("*", argument, change) for argument in "0123n" for change in ("2**50", "2**63-1")),
}  # fmt: skip


def _read() -> dict[tuple[str, str, str], set[str]]:
    table: dict[tuple[str, str, str], set[str]] = {}
    kind = ""
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line[1 : line.index("]")]
        elif line:
            op, argument, changes = line.split(" | ")
            table[kind, op, argument] = set(changes.split("; "))
    return table


_TABLE = _read()


def is_known(kind: str, op: str, argument: str, change: str) -> bool:
    """Whether the table lists this difference."""
    changes = _TABLE.get((kind, op, argument), set())
    return change in changes or "*" in changes


def is_fatal(op: str, argument: str, change: str) -> bool:
    """Whether the call must not be tried."""
    return any(
        fnmatch(op, name) and given in (argument, "*") and changed in (change, "*") for name, given, changed in FATAL
    )


def no_longer_needed(op: str, outcomes: dict[tuple[str, str], set[str]]) -> list[str]:
    """What the table lists of ``op``, and which agreed: ``outcomes`` says of each (argument, change) how it differed."""
    idle = []
    for (kind, name, argument), changes in _TABLE.items():
        if name != op:
            continue
        if "*" in changes:
            differs = any(at == argument and kind in kinds for (at, _), kinds in outcomes.items())
            agreed = [] if differs else ["*"]
        else:
            agreed = [change for change in sorted(changes) if kind not in outcomes.get((argument, change), ())]
        if agreed:
            idle.append(f"[{kind}] {op} | {argument} | {'; '.join(agreed)}")
    return idle


def listed() -> set[str]:
    """The ops that the table names."""
    return {op for _, op, _ in _TABLE}
