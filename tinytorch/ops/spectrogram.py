"""The short-time Fourier transform: which frequencies sound when. And its inverse.

The signal is cut into overlapping frames, ``hop_length`` apart; each is multiplied by a window that fades to 0 at its
ends (so that the cut itself is not heard) and transformed. Inverse, the frames are transformed back, multiplied by the
window again, and added where they overlap. Each sample was then counted with the sum of the squared windows over it,
which is divided out: that is the least-squares signal for a spectrogram, even if no signal has exactly this one.

All composed of differentiable ops.
"""

from __future__ import annotations

import warnings

import numpy as np

from tinytorch.dtypes import INEXACT, from_numpy_dtype
from tinytorch.ops.arguments import checks_arguments, wrong_argument
from tinytorch.ops.checks import check_dims, check_tensor
from tinytorch.ops.complex_numbers import view_as_real
from tinytorch.ops.fourier import complex_transform, half_to_real, real_to_half
from tinytorch.ops.pad import pad
from tinytorch.ops.rearrange import UnfoldAdd, unfold
from tinytorch.tensor import Tensor

__all__ = ["istft", "stft"]

#: Where the squared windows add up to less than this, there is nothing to divide by.
_NOTHING = 1e-11


@checks_arguments
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The spectrogram (..., frequency, frame) of a signal (T,) or of a batch (B, T) (``torch.stft``).

    Args:
        n_fft: the length of a frame, in samples.
        hop_length: from one frame to the next; ``n_fft // 4`` by default.
        win_length, window: the window and its length, padded with zeros to ``n_fft``; ones by default.
        center: pad the signal at both ends (by ``pad_mode``) so that frame t is centered at sample ``t · hop_length``.
        normalized: divide by ``√n_fft``.
        onesided: only the frequencies up to the middle; by default for real signals.
        return_complex: False: real and imaginary part in a last dimension of 2. Must be given for real signals.
        align_to_window: without ``center``: let the first *window*, not the first frame, begin with the signal.

    Raises:
        RuntimeError: an input or a window of the wrong dimensions, lengths that do not fit, no ``return_complex``.
    """
    check_tensor("stft", "input", 1, input)
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not is_complex:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    if center and align_to_window is not None:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    if onesided and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if input._array.dtype.kind not in INEXACT:
        raise RuntimeError(f"stft({input.type()}): expected a tensor of floating point or complex values")
    if input._array.ndim not in (1, 2):
        raise RuntimeError(f"stft(input of shape {list(input.shape)}): expected a 1D or 2D tensor")
    hop, length = _lengths("stft", n_fft, hop_length, win_length)
    frame_window = _frame_window("stft", n_fft, length, window, input)
    margin = n_fft // 2 if center else (n_fft - length) // 2 if align_to_window else 0
    signal = _extended(input if input._array.ndim == 2 else input.unsqueeze(0), margin, pad_mode if center else None)
    if not 0 < n_fft <= signal._array.shape[-1]:
        raise RuntimeError(f"stft: expected 0 < n_fft <= {signal._array.shape[-1]}, but got n_fft={n_fft}")
    frames = unfold(signal, -1, n_fft, hop) * frame_window
    norm = "ortho" if normalized else "backward"
    if onesided or (onesided is None and not is_complex):
        spectrum = real_to_half("stft", frames, None, -1, norm)
    else:
        spectrum = complex_transform(frames, None, -1, norm, True)
    spectrum = spectrum.transpose(1, 2)
    spectrum = spectrum if input._array.ndim == 2 else spectrum.squeeze(0)
    return spectrum if return_complex else view_as_real(spectrum)


def _extended(signal: Tensor, margin: int, mode: str | None) -> Tensor:
    """The batch of signals with ``margin`` more samples at both ends."""
    if margin == 0:
        return signal
    if mode is None:
        return pad(signal, [margin, margin])
    return pad(signal.unsqueeze(0), [margin, margin], mode).squeeze(0)


def _lengths(name: str, n_fft: int, hop_length: int | None, win_length: int | None) -> tuple[int, int]:
    """(hop, window length), with their defaults."""
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if hop <= 0:
        raise RuntimeError(f"{name}: expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(f"{name}: expected 0 < win_length <= n_fft, but got win_length={length}")
    return hop, length


def _frame_window(name: str, n_fft: int, length: int, window: Tensor | None, like: Tensor) -> Tensor:
    """The window in the middle of a frame of ``n_fft`` samples, 0 beside it."""
    if window is None:
        window = Tensor._wrap(np.ones(length, from_numpy_dtype(like._array.dtype).to_real().numpy))
    elif window._array.shape != (length,):
        raise RuntimeError(
            f"{name}: expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window.shape)}"
        )
    left = (n_fft - length) // 2
    return window if length == n_fft else pad(window, [left, n_fft - length - left])


@checks_arguments
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal (T,) or (B, T) of a spectrogram (..., frequency, frame): the inverse of :func:`stft`, whose arguments
    it takes (``torch.istft``).

    Args:
        length: cut the signal to this, or pad it with zeros.
        return_complex: the signal is complex; the spectrogram has to have all frequencies.

    Raises:
        RuntimeError: a real spectrogram, or of the wrong shape; windows that leave samples uncovered.
    """
    check_tensor("istft", "input", 1, input)
    if not isinstance(center, bool):  # to stft, any truth will do
        raise wrong_argument("istft", "center", None, center, "bool")
    if input._array.dtype.kind != "c":
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    hop, win_length = _lengths("istft", n_fft, hop_length, win_length)
    if hop > win_length:
        raise RuntimeError(f"istft: expected 0 < hop_length <= win_length, but got {hop} and {win_length}")
    spectra = _checked_spectra(input, n_fft, onesided, return_complex, window)
    frame_window = _frame_window("istft", n_fft, win_length, window, input)
    norm = "ortho" if normalized else "backward"
    if return_complex:
        frames = complex_transform(spectra, None, -1, norm, False)
    else:
        frames = half_to_real("istft", spectra.narrow(-1, 0, n_fft // 2 + 1), n_fft, -1, norm)
    total = n_fft + hop * (frames._array.shape[1] - 1)
    signal = _added_up(frames * frame_window, total, hop)
    weight = _added_up((frame_window * frame_window).expand(1, *frames.shape[1:]), total, hop)
    start = n_fft // 2 if center else 0
    end = min(total, start + length) if length is not None else total - start
    signal, weight = signal[:, start:end], weight[:, start:end]
    if not weight._array.size or np.abs(weight._array).min() <= _NOTHING:
        raise RuntimeError(
            "istft: window overlap add min: 0; the windows leave samples uncovered, so they cannot be restored"
        )
    signal = signal / weight
    if length is not None and end - start < length:
        warnings.warn(
            "The length of signal is shorter than the length parameter. Result is being padded with zeros in the tail. "
            "Please check your center and hop_length settings.",
            UserWarning,
            stacklevel=3,
        )
        signal = pad(signal, [0, length - (end - start)])
    return signal if input._array.ndim == 3 else signal.squeeze(0)


def _checked_spectra(
    input: Tensor, n_fft: int, onesided: bool | None, return_complex: bool, window: Tensor | None
) -> Tensor:
    """The spectra as (B, frame, frequency)."""
    check_dims(input, -2)
    if input._array.ndim not in (2, 3):
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions, but got {input._array.ndim}")
    if input._array.size == 0:
        raise RuntimeError("istft: input tensor cannot be empty.")
    frequencies = input._array.shape[-2]
    half = onesided if onesided is not None else frequencies != n_fft
    if frequencies != (n_fft // 2 + 1 if half else n_fft):
        expected = "n_fft / 2 + 1 when onesided=True" if half else "n_fft when onesided=False"
        raise RuntimeError(
            f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match {expected}, but "
            f"got {frequencies}"
        )
    if return_complex and half:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and window is not None and window.is_complex():
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    return (input if input._array.ndim == 3 else input.unsqueeze(0)).transpose(1, 2)


def _added_up(frames: Tensor, total: int, hop: int) -> Tensor:
    """(B, frame, n_fft) laid over each other, ``hop`` apart: (B, total)."""
    count, _, size = frames._array.shape
    return UnfoldAdd.apply(frames, shape=(count, total), dim=1, size=size, step=hop)
