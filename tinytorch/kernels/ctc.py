"""Connectionist temporal classification: the probability of a text under all its alignments with a longer sequence.

(After: `norm`. Next: `tinytorch.ops.ctc`.)

At each of T time steps a network gives log-probabilities of C classes, one of which is "blank". An alignment picks a
class at each step; runs of one class count once, blanks not at all: "-cc-aa-t" reads "cat". The loss is -log of the
probability of all alignments that read as the target.

There are exponentially many, but they share their beginnings. Write the target with blanks around every letter,
"-c-a-t-", and let alpha[t, s] be the log-probability of all beginnings that have come to place s of it at step t:

    alpha[t, s] = logp[t, letter s] + logsumexp(alpha[t-1, s], alpha[t-1, s-1], alpha[t-1, s-2] if it may be skipped)

(skipped may be a blank between two different letters). beta[t, s] is the same for the ends, from the last step
backward. Then alpha + beta - logp is the log-probability of all alignments through (t, s), which the gradient needs:

    d loss / d logits[t, c] = p[t, c] - Σ_{s: letter s = c} exp(alpha + beta - logp + loss)

(Graves et al. 2006.) All sequences of a batch go through the recursion side by side, padded to the longest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinytorch.kernels.layout import Array


class Text(NamedTuple):
    """Targets with blanks around: ``letters`` (N, 2S + 1), ``ends`` (N,) their lengths 2·target + 1, ``may_skip``."""

    letters: Array
    ends: Array
    may_skip: Array

    @classmethod
    def of(cls, targets: Array, lengths: Array, blank: int) -> Text:
        """From padded targets (N, S)."""
        letters = np.full((targets.shape[0], 2 * targets.shape[1] + 1), blank, np.int64)
        letters[:, 1::2] = targets
        may_skip = np.zeros(letters.shape, bool)
        may_skip[:, 3::2] = letters[:, 3::2] != letters[:, 1:-2:2]
        ends = 2 * lengths + 1
        letters[np.arange(letters.shape[1]) >= ends[:, None]] = blank  # what is beyond the end may be no class at all
        return cls(letters, ends, may_skip)


def ctc_forward(log_probs: Array, text: Text, steps: Array) -> tuple[Array, Array]:
    """log_probs (T, N, C), ``steps`` (N,) how many of the T count: the losses (N,) and alpha (T, N, L)."""
    logp = _of_letters(log_probs, text)
    start = np.full(logp.shape[1:], -np.inf, logp.dtype)
    start[:, 0] = 0
    start[text.ends > 1, 1:2] = 0
    alpha = _recursion(logp, text.may_skip, start, np.zeros_like(steps))
    n = np.arange(len(steps))
    with np.errstate(divide="ignore"):
        none_left = np.where(text.ends == 1, 0.0, -np.inf).astype(logp.dtype)  # no step: only the empty text
    if not len(alpha):
        return -none_left, alpha
    at_end = alpha[steps - 1, n, text.ends - 1]
    before = np.where(text.ends > 1, alpha[steps - 1, n, np.maximum(text.ends - 2, 0)], -np.inf)
    return -np.where(steps > 0, np.logaddexp(at_end, before), none_left).astype(logp.dtype), alpha


def ctc_backward(log_probs: Array, text: Text, steps: Array, losses: Array, alpha: Array) -> Array:
    """The gradient of each loss for the logits behind ``log_probs``: (T, N, C), 0 after a sequence's end."""
    logp = _of_letters(log_probs, text)
    n = np.arange(len(steps))
    start = np.full(logp.shape[1:], -np.inf, logp.dtype)
    start[n, text.ends - 1] = 0
    start[n[text.ends > 1], text.ends[text.ends > 1] - 2] = 0
    skip_ahead = np.zeros_like(text.may_skip)
    skip_ahead[:, :-2] = text.may_skip[:, 2:]
    # the same from the last step and the last place: mirrored, the recursion runs as for alpha
    mirrored = _recursion(logp[::-1, :, ::-1], skip_ahead[:, ::-1], start[:, ::-1], len(logp) - steps)
    through = alpha + mirrored[::-1, :, ::-1]
    with np.errstate(invalid="ignore"):
        share = np.exp(through - logp + losses[:, None])
    share[np.isneginf(through)] = 0
    grad = np.exp(log_probs, order="C")  # so that below it is seen flat, and not copied
    rows = np.arange(grad.size // max(1, grad.shape[2])).reshape(*grad.shape[:2], 1)
    np.subtract.at(grad.reshape(-1), rows * grad.shape[2] + text.letters, share)
    grad[np.arange(len(grad))[:, None] >= steps] = 0
    return grad


def _of_letters(log_probs: Array, text: Text) -> Array:
    """The log-probability of every place's letter at every step: (T, N, L)."""
    return np.take_along_axis(log_probs, text.letters[None], axis=2)


_FLOOR = -1e30
"""A maximum below all numbers that are no -inf."""


def _recursion(logp: Array, may_skip: Array, start: Array, begin: Array) -> Array:
    """alpha (T, N, L), where sequence n begins at step ``begin[n]`` from ``start[n]``, and before that is nowhere.

    The logsumexp over staying, coming from the place before, and from two before where that may be skipped.
    """
    steps, n, places = logp.shape
    padded = np.full((steps, n, places + 2), -np.inf, logp.dtype)  # two places before the first
    cost_of_skipping = np.where(may_skip, 0, -np.inf).astype(logp.dtype)
    paths = np.empty((3, n, places), logp.dtype)
    largest = np.empty((n, places), logp.dtype)
    beginnings = set(begin.tolist())
    with np.errstate(divide="ignore"):
        for t in range(steps):
            alpha = padded[t, :, 2:]
            if t:
                before = padded[t - 1]
                paths[0], paths[1] = before[:, 2:], before[:, 1:-1]
                np.add(before[:, :-2], cost_of_skipping, out=paths[2])
                np.maximum.reduce(paths, out=largest)
                np.maximum(largest, _FLOOR, out=largest)  # -inf - -inf would be nan
                np.subtract(paths, largest, out=paths)
                np.exp(paths, out=paths)
                np.add.reduce(paths, out=alpha)
                np.log(alpha, out=alpha)
                alpha += largest
            if t in beginnings:
                np.copyto(alpha, start, where=(begin == t)[:, None])
            alpha += logp[t]
    return padded[:, :, 2:]
