"""PyTorch without the notes that it takes for graphics cards: they cost more than most of our tests.

``torch.manual_seed`` has each of three kinds of accelerators keep the seed, with the stack as text, until there is such a
device. Random numbers on the CPU stay the same without.
"""

from __future__ import annotations

import torch
import torch.cuda
import torch.mtia
import torch.xpu


def forget(seed: int) -> None:
    """Stands for an accelerator's ``manual_seed_all``."""


for accelerator in (torch.cuda, torch.mtia, torch.xpu):
    accelerator.manual_seed_all = forget  # type: ignore[attr-defined]
