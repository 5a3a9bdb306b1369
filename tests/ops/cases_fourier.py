"""Cases: Fourier transforms, spectrograms and windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.ops.cases import Case, complex_, real, whole

FEW = ("rows",)
COMPLEX_INPUT = ("fft", "ifft", "irfft", "hfft")
REAL_INPUT = ("fft", "ifft", "rfft", "ihfft", "irfft", "hfft")


def _transform(name: str, **options: Any) -> Callable[..., Any]:
    return lambda T, x: getattr(T.fft, name)(x, **options)


def _cases() -> list[Case]:
    """Each transform on even and odd lengths, cut and padded, along several dimensions, in every normalization."""
    cases = []
    for kind, names, sample in (("complex", COMPLEX_INPUT, complex_), ("real", REAL_INPUT, real)):
        for name in names:
            for number, (shape, options) in enumerate(
                [
                    ((5,), {}),
                    ((6,), {"norm": "ortho"}),
                    ((2, 4), {"n": 7, "dim": 0}),
                    ((3, 5), {"n": 4, "norm": "forward"}),
                ]
            ):
                cases.append(Case(f"{name} {kind} {number}", _transform(name, **options), sample(*shape), layouts=FEW))
            several = [
                (f"{name}2", {"norm": "ortho"}), (f"{name}n", {}), (f"{name}n", {"s": (4, 3)}),
                (f"{name}n", {"dim": (2, 0), "s": (-1, 2)}),
            ]  # fmt: skip
            for number, (full, options) in enumerate(several):
                cases.append(Case(f"{full} {kind} {number}", _transform(full, **options), sample(2, 3, 4), layouts=FEW))
    return cases


WINDOWS = ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window")
SIGNAL_WINDOWS = (
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
)

CASES = [
    *_cases(),
    Case("fft of integers", lambda T, n: (T.fft.fft(n), T.fft.rfft(n)), whole(6), layouts=FEW),
    Case("fft strided", lambda T, z: T.fft.fft2(z), complex_(3, 4)),
    Case("shifts", lambda T, x: (T.fft.fftshift(x), T.fft.ifftshift(x, 1), T.fft.fftshift(x, (0, 1))), real(3, 4), layouts=FEW),
    Case("frequencies", lambda T: (T.fft.fftfreq(5), T.fft.fftfreq(6, 0.5), T.fft.rfftfreq(5), T.fft.rfftfreq(6, d=2.0)), layouts=FEW),
    Case("convolution by spectra", lambda T, a, b: T.fft.irfft(T.fft.rfft(a, 12) * T.fft.rfft(b, 12), 12), real(7), real(6), layouts=FEW),
    Case("stft", lambda T, x, w: T.stft(x, 8, 3, 6, w, return_complex=True), real(2, 20), real(6), layouts=FEW),
    Case("stft parts", lambda T, x, w: x.stft(8, window=w, normalized=True, center=False, return_complex=False), real(20), real(8), layouts=FEW),
    Case("stft complex", lambda T, z, w: T.stft(z, 8, window=w, pad_mode="constant"), complex_(20), real(8), layouts=FEW),
    Case("stft aligned", lambda T, x, w: T.stft(x, 8, 2, 4, w, False, return_complex=True, align_to_window=True), real(20), real(4), layouts=FEW),
    Case("istft", lambda T, z, w: T.istft(z, 8, 3, 8, w, length=9), complex_(2, 5, 4), real(8, low=0.5), layouts=FEW, second=False),
    Case("istft complex", lambda T, z, w: z.istft(8, window=w, return_complex=True), complex_(8, 4), real(8, low=0.5), layouts=FEW, second=False),
    Case("there and back", lambda T, x: T.istft(T.stft(x, 8, window=T.ones(8), return_complex=True), 8, window=T.ones(8)), real(20), layouts=FEW),
    *(
        Case(name, lambda T, name=name: [getattr(T, name)(n, periodic) for n in (0, 1, 2, 7) for periodic in (True, False)], layouts=FEW,
             tolerance={"float32": (2e-5, 2e-6)})
        for name in WINDOWS
    ),
    *(
        Case(f"signal.windows.{name}", lambda T, name=name: [getattr(T.signal.windows, name)(n, sym=sym) for n in (0, 1, 2, 7)
             for sym in (True, False)], layouts=FEW)
        for name in SIGNAL_WINDOWS
    ),
    Case("windows with parameters", lambda T: (
        T.hamming_window(6, True, 0.6, 0.3), T.kaiser_window(6, False, 3.0), T.signal.windows.kaiser(5, beta=0.0),
        T.signal.windows.exponential(5, center=1.0, tau=2.0, sym=False), T.signal.windows.gaussian(5, std=2.0),
        T.signal.windows.general_cosine(5, a=[0.5, 0.3, 0.2]), T.hann_window(5, dtype=T.float64)), layouts=FEW),
]  # fmt: skip
