"""Where tinytorch differs from PyTorch on wrong or unusual input, and is known to: the tables in ``differences*.txt``.

A line there is ``op | argument | changes``, under a heading that says how they differ: ``[accepts]``, ``[refuses]``, ``[type]``,
``[value]``, ``[gradient]``, ``[words]``. Changes are names from :mod:`tests.trust.wrong_values`; ``*`` stands for all of them. Whatever
is not listed must agree. ``differences.txt`` is of calls that are tried in full, so what it lists must differ, too:
:meth:`Table.no_longer_needed`. ``differences_random.txt`` is of calls drawn at random, whose ops may be patterns.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

__all__ = ["BAD_CALLS", "FATAL", "RANDOM_CALLS", "Table", "is_fatal"]

#: (op, argument, change) for which PyTorch itself aborts, writes where it should not, or computes for hours.
FATAL = {
    ("lu_unpack", "*", "*"), ("linalg.ldl_solve", "1", "*"), ("native_batch_norm", "*", "*"), ("_native_batch_norm_legit", "*", "*"), ("_segment_reduce.offsets", "*", "*"), ("nn.functional.embedding_bag", "offsets", "*"),
    ("nn.functional.batch_norm.without_cudnn", "*", "*"), ("nn.functional.adaptive_avg_pool1d", "1", "*"),
    ("nn.functional.adaptive_avg_pool2d", "1", "*"), ("nn.functional.adaptive_avg_pool3d", "1", "*"), ("unsafe_chunk", "*", "*"),
    # along a dimension that is expanded, median reads behind the tensor
    *((op, "0", change) for op in ("median", "nanmedian", "masked.median") for change in ("expanded", "two dimensions more")),
    ("special.*polynomial*", "1", "*"), ("linalg.matrix_power", "1", "-2**63"), ("broadcast_shapes", "*", "last 2**63"),
    *(("*", argument, change) for argument in "0123n" for change in ("2**50", "2**63-1")),
}  # fmt: skip

#: Likewise, matrices of equal columns or of one number. They are singular, but whether a factorization meets a zero or what
#: rounding left of one, and what it makes of that, depends on the processor.
SINGULAR = {
    *((f"linalg.{op}", "0", "expanded") for op in ("lu", "lu_factor", "lu_factor_ex", "inv", "inv_ex", "solve", "solve_ex", "tensorinv", "tensorsolve")),
    *((f"linalg.{op}", "0", change) for op in ("lstsq", "lstsq.grad_oriented") for change in ("expanded", "1e300", "-1", "99")),
    *((f"linalg.{op}", "0", change) for op in ("cholesky_ex", "eig", "eigvals") for change in ("1e-300", "99")),
}  # fmt: skip


def is_fatal(op: str, argument: str, change: str) -> bool:
    """Whether the call must not be tried."""
    return any(
        fnmatchcase(op, name) and given in (argument, "*") and changed in (change, "*")
        for name, given, changed in FATAL | SINGULAR
    )


class Table:
    """The differences that one file lists."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[tuple[str, str, str], set[str]] = {}
        kind = ""
        for line in Path(__file__).with_name(file).read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                kind = line[1 : line.index("]")]
            elif line:
                op, argument, changes = line.split(" | ")
                self.lines.setdefault((kind, op, argument), set()).update(changes.split("; "))

    def lists(self, kind: str, op: str, argument: str, change: str) -> bool:
        """Whether this difference is known."""
        return any(
            kind == known and fnmatchcase(op, name) and at in (argument, "*") and {change, "*"} & changes
            for (known, name, at), changes in self.lines.items()
        )

    def no_longer_needed(self, op: str, outcomes: dict[tuple[str, str], set[str]]) -> list[str]:
        """What is listed of ``op``, and agreed: ``outcomes`` says of each (argument, change) how it differed."""
        idle = []
        for (kind, name, argument), changes in self.lines.items():
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

    def ops(self) -> set[str]:
        """The ops, or patterns of them, that are listed."""
        return {op for _, op, _ in self.lines}


BAD_CALLS = Table("differences.txt")
RANDOM_CALLS = Table("differences_random.txt")
