"""Handwritten digits: the full MNIST, and a sample of it that needs no network.

Both datasets look the same from outside (``data``, ``targets``, ``classes``, ``len``, indexing), as
torchvision's:

>>> digits = MNISTSample(train=True)
>>> len(digits), len(MNISTSample(train=False))
(4000, 1000)
>>> image, label = digits[0]
>>> tuple(image.shape), image.dtype, label
((1, 28, 28), torch.float32, 6)

**One difference from torchvision**: without a transform, torchvision returns a PIL image, which nearly every
script turns into numbers with ``transforms.ToTensor()``. Here the image is already that: a float32 tensor of
shape (1, 28, 28) in [0, 1]. A ``transform`` receives this tensor, so that normalizing is
``transform=lambda x: (x - 0.1307) / 0.3081``.
"""

from __future__ import annotations

import hashlib
import io
import operator
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from tinytorch.datasets.download import DownloadError, Resource, download
from tinytorch.datasets.idx import read_idx
from tinytorch.utils.data import Dataset

if TYPE_CHECKING:
    from tinytorch.tensor import Tensor

Transform = Callable[[Any], Any]

_SAMPLE_FILE = Path(__file__).resolve().parent / "data" / "mnist_5k.npz"
_SAMPLE_SHA256 = "246e0c30eeea57c8d0037d3f38c8e00651ec204cc61b8022563e9aeeb9d756f4"
_SPLIT_SEED = 0
_HELD_OUT_PER_CLASS = 100


def _to_tensor(array: np.ndarray) -> Tensor:
    """The one place where arrays become tensors (imported late: ``tinytorch`` imports this package)."""
    from tinytorch import from_numpy

    return from_numpy(array)


class _Digits(Dataset[tuple[Any, Any]]):
    """What both share: ``data`` uint8 (N, 28, 28), ``targets`` int64 (N,), and how an item is made."""

    classes: ClassVar[list[str]] = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        train: bool,
        transform: Transform | None,
        target_transform: Transform | None,
    ) -> None:
        self.data = _to_tensor(images)
        self.targets = _to_tensor(labels.astype(np.int64))
        self.train = train
        self.transform = transform
        self.target_transform = target_transform

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class name."""
        return {name: index for index, name in enumerate(self.classes)}

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """``(image, label)``: a float32 tensor (1, 28, 28) in [0, 1] and an int, each through its transform.

        Raises:
            IndexError: there is no such image.
            TypeError: ``index`` is not an integer.
        """
        # From self.data, not from a private copy: scripts do replace `dataset.data` by a part of it.
        position = operator.index(index)
        image: Any = _to_tensor(_scaled(self.data.numpy()[position])[None])
        label: Any = int(self.targets.numpy()[position])
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            label = self.target_transform(label)
        return image, label

    def _collated_batch(self, indices: list[int]) -> list[Tensor] | None:
        """The batch that ``default_collate([self[i] for i in indices])`` gives, 64 images at once.

        The DataLoader's short cut (see ``dataloader.py``); None where transforms must see each image alone.
        """
        if self.transform is not None or self.target_transform is not None:
            return None
        images = _scaled(self.data.numpy()[indices])[:, None]
        return [_to_tensor(images), _to_tensor(self.targets.numpy()[indices])]

    def __repr__(self) -> str:
        lines = [f"Dataset {type(self).__name__}", f"    Number of datapoints: {len(self)}"]
        lines += [f"    {line}" for line in self._describe()]
        if self.transform is not None:
            lines.append(f"    Transform: {self.transform!r}")
        if self.target_transform is not None:
            lines.append(f"    Target transform: {self.target_transform!r}")
        return "\n".join(lines)

    def _describe(self) -> list[str]:
        return [f"Split: {'Train' if self.train else 'Test'}"]


def _scaled(pixels: np.ndarray) -> np.ndarray:
    """uint8 0..255 to float32 0..1; divided in float32, as ``ToTensor`` does, so the bits are the same."""
    return pixels.astype(np.float32) / np.float32(255)


class MNIST(_Digits):
    """The MNIST digits, 60,000 to train and 10,000 to test (``torchvision.datasets.MNIST``).

    Reads ``root/MNIST/raw/train-images-idx3-ubyte`` and its three companions, plain or with ``.gz``; files
    that lie directly in ``root`` are found too.

    Args:
        root: the folder.
        train: the training images, else the test images.
        transform: applied to each image tensor.
        target_transform: applied to each label.
        download: fetch missing files first (12 MB; needs a network).

    Raises:
        RuntimeError: files are missing and were not, or could not be, downloaded.
        ValueError: a file is damaged, or images and labels do not belong together.
    """

    mirrors: Sequence[str] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    )
    resources: Sequence[Resource] = (
        Resource("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873", 9912422),
        Resource("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432", 28881),
        Resource("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3", 1648877),
        Resource("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c", 4542),
    )

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        self.root = Path(root).expanduser()
        if download:
            self.download()
        part = "train" if train else "t10k"
        image_file = self._find(f"{part}-images-idx3-ubyte")
        label_file = self._find(f"{part}-labels-idx1-ubyte")
        if image_file is None or label_file is None:
            raise RuntimeError(
                f"Dataset not found. You can use download=True to download it (looked in {self.raw_folder} "
                f"and {self.root}). Without a network, tinytorch.datasets.MNISTSample() has 5,000 digits."
            )
        images, labels = read_idx(image_file), read_idx(label_file)
        _check(images, labels, image_file, label_file)
        super().__init__(images, labels, train, transform, target_transform)

    @property
    def raw_folder(self) -> Path:
        """Where downloads go: ``root/MNIST/raw``, as torchvision, so that both can share a folder."""
        return self.root / type(self).__name__ / "raw"

    def _find(self, name: str) -> Path | None:
        for folder in (self.raw_folder, self.root):
            for candidate in (folder / name, folder / f"{name}.gz"):
                if candidate.is_file():
                    return candidate
        return None

    def download(self) -> None:
        """Fetch the files that are missing.

        Raises:
            RuntimeError: no mirror gave a right copy; says what was tried and what to do instead.
        """
        for resource in self.resources:
            if self._find(resource.name.removesuffix(".gz")) is not None:
                continue
            try:
                download(resource, self.mirrors, self.raw_folder)
            except DownloadError as error:
                names = ", ".join(item.name for item in self.resources)
                raise RuntimeError(
                    f"{error}\nPut the files ({names}) into {self.raw_folder} by hand, or use "
                    "tinytorch.datasets.MNISTSample(), which has 5,000 digits and needs no network."
                ) from error

    def _describe(self) -> list[str]:
        return [f"Root location: {self.root}", *super()._describe()]


def _check(images: np.ndarray, labels: np.ndarray, image_file: Path, label_file: Path) -> None:
    """Two well-formed IDX files need not be MNIST."""
    if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (28, 28):
        raise ValueError(f"{image_file}: expected uint8 images (N, 28, 28), got {images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise ValueError(f"{label_file}: expected uint8 labels (N,), got {labels.dtype} {labels.shape}")
    if len(images) != len(labels):
        raise ValueError(f"{image_file} has {len(images)} images, but {label_file} has {len(labels)} labels")
    if labels.size and labels.max() > 9:
        raise ValueError(f"{label_file}: label {labels.max()} is not a digit")


class MNISTSample(_Digits):
    """5,000 MNIST digits inside the package: 4,000 to train and 1,000 held out, 100 of each digit.

    The images are all from MNIST; the split is this project's own (:func:`stratified_split`). Same interface
    as :class:`MNIST`. Where the digits come from, and under which licence: ``datasets/data/README.md``.

    Args:
        train: the 4,000 training images, else the 1,000 held-out ones.
        transform: applied to each image tensor.
        target_transform: applied to each label.

    Raises RuntimeError if the file with the digits is damaged.
    """

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        content = _SAMPLE_FILE.read_bytes()
        if hashlib.sha256(content).hexdigest() != _SAMPLE_SHA256:
            raise RuntimeError(f"{_SAMPLE_FILE} is not the file that belongs there: install tinytorch again")
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
        chosen = stratified_split(labels)[0 if train else 1]
        super().__init__(images[chosen], labels[chosen], train, transform, target_transform)


def stratified_split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the training and of the held-out images, the same on every machine.

    For each digit a permutation of its images is drawn; the first 100 are held out. Both parts are then
    mixed, because batches of a single digit would train badly when nobody shuffles. ``RandomState`` and not
    ``default_rng``: NumPy has frozen its stream for good.
    """
    random = np.random.RandomState(_SPLIT_SEED)
    train, held_out = [], []
    for digit in range(10):
        order = random.permutation(np.flatnonzero(labels == digit))
        held_out.append(order[:_HELD_OUT_PER_CLASS])
        train.append(order[_HELD_OUT_PER_CLASS:])
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(held_out))
