"""Fourier transforms, spectrograms and windows: misuse, and what no comparison of values shows."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare_errors

SIGNAL = np.linspace(-1, 1, 20, dtype=np.float32)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda T, x: T.fft.fft(x, 0),
        lambda T, x: T.fft.fft(x, norm="orthogonal"),
        lambda T, x: T.fft.fft(x, dim=1),
        lambda T, x: T.fft.fftn(x.reshape(4, 5), dim=(0, 0)),
        lambda T, x: T.fft.fftn(x, s=(2, 2)),
        lambda T, x: T.fft.fftn(x.reshape(4, 5), s=(2, 2), dim=(0,)),
        lambda T, x: T.fft.rfft(x + 0j),
        lambda T, x: T.fft.irfft(x[:1]),
        lambda T, x: T.fft.fft(x.half()),
        lambda T, x: T.stft(x, 8),
        lambda T, x: T.stft(x, 80, return_complex=True),
        lambda T, x: T.stft(x, 80, center=False, return_complex=True),
        lambda T, x: T.stft(x.int(), 8, return_complex=True),
        lambda T, x: T.stft(x, 8, hop_length=0, return_complex=True),
        lambda T, x: T.stft(x, 8, win_length=9, return_complex=True),
        lambda T, x: T.stft(x, 8, window=T.ones(3), return_complex=True),
        lambda T, x: T.stft(x.reshape(1, 1, 20), 8, return_complex=True),
        lambda T, x: T.stft(x + 0j, 8, onesided=True),
        lambda T, x: T.stft(x, 8, return_complex=True, align_to_window=True),
        lambda T, x: T.istft(x, 8),
        lambda T, x: T.istft(T.ones(5, 3) + 0j, 8, window=T.zeros(8)),
        lambda T, x: T.istft(T.ones(4, 3) + 0j, 8),
        lambda T, x: T.istft(T.ones(5, 3) + 0j, 8, hop_length=9),
        lambda T, x: T.istft(T.ones(5, 3) + 0j, 8, window=T.ones(8) + 0j),
        lambda T, x: T.istft(T.ones(5, 0) + 0j, 8),
        lambda T, x: T.hann_window(-1),
        lambda T, x: T.hann_window(5, dtype=T.int64),
        lambda T, x: T.signal.windows.hann(-1),
        lambda T, x: T.signal.windows.hann(5, dtype=T.int64),
        lambda T, x: T.signal.windows.gaussian(5, std=0.0),
        lambda T, x: T.signal.windows.exponential(5, tau=0.0),
        lambda T, x: T.signal.windows.exponential(5, center=1.0),
        lambda T, x: T.signal.windows.general_cosine(5, a=[]),
        lambda T, x: T.signal.windows.kaiser(5, beta=-1.0),
    ],
)
def test_misuse_raises_as_in_pytorch(misuse: object) -> None:
    compare_errors(misuse, SIGNAL)  # type: ignore[arg-type]


def test_single_precision_stays_single() -> None:
    x = tinytorch.ones(8)
    assert tinytorch.fft.fft(x).dtype is tinytorch.complex64
    assert tinytorch.fft.irfft(tinytorch.fft.rfft(x)).dtype is tinytorch.float32


def test_out() -> None:
    out = tinytorch.empty(3, dtype=tinytorch.complex64)
    assert tinytorch.fft.rfft(tinytorch.ones(4), out=out) is out
    assert out.tolist() == [4, 0, 0]


def test_istft_pads_a_short_signal_and_says_so() -> None:
    with pytest.warns(UserWarning, match="padded with zeros"):
        ours = tinytorch.istft(tinytorch.ones(5, 3) + 0j, 8, window=tinytorch.ones(8), length=30)
    theirs = torch.istft(torch.ones(5, 3) + 0j, 8, window=torch.ones(8), length=30)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)
