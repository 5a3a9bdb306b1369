"""pad and fold: compared with torch.nn.functional."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.compare import compare_errors
from tests.ops.cases import Case, real, truth, whole
from tests.ops.run_cases import over, run


def _pad(T: Any, *args: Any, **options: Any) -> Any:
    return T.nn.functional.pad(*args, **options)


def _im2col(T: Any, *args: Any, **options: Any) -> Any:
    return T.nn.functional.unfold(*args, **options)


def _col2im(T: Any, *args: Any, **options: Any) -> Any:
    return T.nn.functional.fold(*args, **options)


MODES = ("reflect", "replicate", "circular")
CASES = [
    *[Case(f"constant {p}", lambda T, x, p=p: (_pad(T, x, p), _pad(T, x, p, value=1.5), _pad(T, x, p, "constant", -2)), real(2, 3, 4))
      for p in ((1, 2), (0, 1, 2, 0), (1, 1, 1, 1, 1, 2), (-1, 2), (-1, -2), (0, -1, 1, 0), ())],
    *[Case(f"{m} 1-d {p}", lambda T, x, m=m, p=p: _pad(T, x, p, mode=m), real(2, 3, 4)) for m in MODES for p in ((1, 2), (3, 0), (-1, 1), (-1, -1))],
    *[Case(f"{m} 1-d unbatched", lambda T, x, m=m: _pad(T, x, (1, 2), mode=m), real(3, 4)) for m in MODES],
    *[Case(f"{m} 2-d {p}", lambda T, x, m=m, p=p: _pad(T, x, p, mode=m), real(1, 2, 3, 4)) for m in MODES for p in ((1, 2, 2, 1), (0, 0, 1, 0))],
    *[Case(f"{m} 2-d unbatched", lambda T, x, m=m: _pad(T, x, (1, 2, 0, 1), mode=m), real(2, 3, 4)) for m in MODES],
    *[Case(f"{m} 3-d", lambda T, x, m=m: _pad(T, x, (1, 1, 0, 2, 1, 0), mode=m), real(1, 2, 2, 3, 2)) for m in MODES],
    Case("constant ints and bools", lambda T, i, b: (_pad(T, i, (1, 1), value=2.5), _pad(T, b, (1, 0), value=True)), whole(3), truth(3)),
    Case("constant empty", lambda T, x: _pad(T, x, (1, 1)), real(2, 0)),
    Case("constant_pad_nd", lambda T, x: T.constant_pad_nd(x, (1, 1), 3.0), real(2, 3)),
    *[Case(f"im2col {o}", lambda T, x, o=o: _im2col(T, x, **o), real(2, 3, 5, 6))
      for o in ({"kernel_size": 2}, {"kernel_size": (2, 3), "stride": (1, 2)}, {"kernel_size": 3, "padding": 1, "stride": 2}, {"kernel_size": 2, "dilation": (2, 1)})],
    Case("im2col unbatched", lambda T, x: _im2col(T, x, 2), real(3, 4, 4)),
    *[Case(f"col2im {o}", lambda T, x, o=o: _col2im(T, x, (4, 5), **o), real(2, c, n))
      for o, c, n in (({"kernel_size": 2}, 8, 12), ({"kernel_size": 2, "stride": 2, "padding": 1}, 4, 9), ({"kernel_size": (1, 2), "dilation": 2}, 2, 12))],
    Case("col2im unbatched", lambda T, x: _col2im(T, x, 3, 2), real(8, 4)),
    Case("pixel_shuffle", lambda T, x: (T.pixel_shuffle(x, 2), T.pixel_unshuffle(T.pixel_shuffle(x, 2), 2)), real(2, 8, 2, 3)),
    Case("pixel_unshuffle", lambda T, x: T.pixel_unshuffle(x, 2), real(3, 4, 6)),
    Case("channel_shuffle", lambda T, x: T.channel_shuffle(x, 3), real(2, 6, 2, 2)),
]  # fmt: skip


@over(CASES)
def test_same_as_pytorch(case: Case, dtype: str, layout: str) -> None:
    run(case, dtype, layout)


@pytest.mark.parametrize(
    ("shape", "pad", "mode", "value"),
    [((2, 3), (1,), "constant", None), ((2, 3), (1,) * 6, "constant", None), ((3,), (1, 1), "reflect", None),
     ((2, 3), (1, 1, 1, 1), "replicate", None), ((2, 3), (3, 3), "reflect", None), ((1, 2, 3), (4, 0), "circular", None),
     ((2, 3), (1, 1), "foo", None), ((2, 3), (1, 1), "reflect", 1.0), ((2, 3), (-2, -2), "constant", None),
     ((2, 3, 4, 5), (1, 1), "reflect", None), ((2, 3), (-2, -1), "replicate", None)],
)  # fmt: skip
def test_pad_errors(shape: Any, pad: Any, mode: str, value: Any) -> None:
    compare_errors(lambda T, x: _pad(T, x, pad, mode, value), np.ones(shape))


def test_fold_errors() -> None:
    x, c = np.ones((1, 2, 3, 3)), np.ones((1, 8, 4))
    compare_errors(lambda T, x: _im2col(T, x, 5), x)
    compare_errors(lambda T, x: _im2col(T, x, 2, stride=0), x)
    compare_errors(lambda T, c: _col2im(T, c[:, :7], 3, 2), c)
    compare_errors(lambda T, c: _col2im(T, c, 4, 2), c)
    compare_errors(lambda T, c: _col2im(T, c[0, 0], 3, 2), c)
    compare_errors(lambda T, x: T.pixel_shuffle(x, 2), x)
    compare_errors(lambda T, x: T.pixel_shuffle(x, -2), x)
    compare_errors(lambda T, x: T.pixel_unshuffle(x, 2), x)
    compare_errors(lambda T, x: T.pixel_shuffle(x[0, 0], 1), x)
