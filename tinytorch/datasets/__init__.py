"""Data to learn with: MNIST, whole (:class:`MNIST`) or as a bundled sample (:class:`MNISTSample`)."""

from tinytorch.datasets.idx import read_idx
from tinytorch.datasets.mnist import MNIST, MNISTSample

__all__ = ["MNIST", "MNISTSample", "read_idx"]
