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
    alpha = np.full(logp.shape, -np.inf, logp.dtype)
    if len(alpha):
        alpha[0, :, 0] = logp[0, :, 0]
        several = text.ends > 1
        alpha[0, several, 1:2] = logp[0, several, 1:2]
    for t in range(1, len(alpha)):
        alpha[t] = logp[t] + _arrivals(alpha[t - 1], text.may_skip)
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
    grad = np.zeros_like(log_probs)
    beta = np.full(logp.shape[1:], -np.inf, logp.dtype)
    skip_ahead = np.zeros_like(text.may_skip)
    skip_ahead[:, :-2] = text.may_skip[:, 2:]
    ends = np.full(beta.shape, -np.inf, logp.dtype)
    ends[n, text.ends - 1] = 0
    ends[n[text.ends > 1], text.ends[text.ends > 1] - 2] = 0
    for t in reversed(range(len(logp))):
        onward = _arrivals(beta[:, ::-1], skip_ahead[:, ::-1])[:, ::-1]
        beta = logp[t] + np.where((steps - 1 == t)[:, None], ends, onward)
        active = steps > t
        with np.errstate(invalid="ignore"):
            share = np.exp(alpha[t] + beta - logp[t] + losses[:, None])
        share = np.where(np.isneginf(alpha[t] + beta), 0, share)
        np.add.at(grad[t], (n[:, None], text.letters), -share)
        grad[t] += np.exp(log_probs[t])
        grad[t, ~active] = 0
    return grad


def _of_letters(log_probs: Array, text: Text) -> Array:
    """The log-probability of every place's letter at every step: (T, N, L)."""
    return np.take_along_axis(log_probs, text.letters[None], axis=2)


def _arrivals(before: Array, may_skip: Array) -> Array:
    """logsumexp over staying, coming from the place before, and from two before where that may be skipped: (N, L)."""
    one = np.full_like(before, -np.inf)
    one[:, 1:] = before[:, :-1]
    two = np.full_like(before, -np.inf)
    two[:, 2:] = np.where(may_skip[:, 2:], before[:, :-2], -np.inf)
    return np.logaddexp(np.logaddexp(before, one), two)
