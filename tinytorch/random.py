"""Random state: the same seed gives the same numbers as PyTorch.

How the numbers are made stands in :mod:`tinytorch.kernels.rng`; which tensors are filled with them in
:mod:`tinytorch.ops.random`. This file holds the generator that everybody shares.

>>> _ = manual_seed(0)
>>> import tinytorch
>>> tinytorch.rand(2)                                         # what torch.manual_seed(0); torch.rand(2) prints
tensor([0.4963, 0.7682])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinytorch.device import CPU
from tinytorch.device import device as as_device
from tinytorch.kernels import rng
from tinytorch.tensor import Tensor

__all__ = [
    "Generator",
    "default_generator",
    "fork_rng",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "seed",
    "set_rng_state",
]


class Generator(rng.Generator):
    """A source of random numbers with its own state (``torch.Generator``): ``Generator().manual_seed(0)``."""

    device = CPU

    def __init__(self, device: Any = "cpu") -> None:
        super().__init__(device)
        self.device = as_device(device)

    def get_state(self) -> Tensor:  # type: ignore[override]
        """The state as a uint8 tensor of PyTorch's own layout."""
        return Tensor._wrap(super().get_state())

    def set_state(self, new_state: Tensor) -> Generator:  # type: ignore[override]
        """Take over a state, this library's or PyTorch's."""
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        if new_state._array.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        return super().set_state(new_state._array)


default_generator = Generator()


def manual_seed(seed: Any) -> Generator:
    """Seed the default generator; returns it. Negative seeds are mapped as PyTorch maps them."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number from the operating system, and return that number."""
    return default_generator.seed()


def initial_seed() -> int:
    """The number that the default generator was last seeded with."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The default generator's state, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Put the default generator in a state from :func:`get_rng_state`."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(
    devices: Any = None, enabled: bool = True, _caller: str = "fork_rng", _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Iterator[None]:  # fmt: skip
    """What is drawn inside leaves the default generator as it was. The devices are for accelerators: there is none."""
    before = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(before)


def generator_or_default(generator: Generator | None) -> rng.Generator:
    """The generator that an op draws from."""
    if generator is None:
        return default_generator
    if not isinstance(generator, rng.Generator):
        raise TypeError(f"argument 'generator' must be tinytorch.Generator, not {type(generator).__name__}")
    return generator


def draw_seed(generator: Generator | None = None) -> int:
    """One int64 from the generator, as ``torch.empty((), dtype=int64).random_()`` draws it."""
    from tinytorch.kernels.rng_integers import random_integers

    return int(random_integers(generator_or_default(generator), (), np.int64))
