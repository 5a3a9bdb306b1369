"""PyTorch made quicker for tests beside it; what it computes stays the same.

One thread: the arrays of tests are small, and beside other processes PyTorch's threads mostly wait for each other, at full speed.
(How many threads tinytorch has is left alone.)

No notes for graphics cards: ``torch.manual_seed`` has each of three kinds of accelerators keep the seed, with the stack as
text, until there is such a device. With pytest's stack that takes longer than most tests.
"""

from __future__ import annotations

import torch
import torch.cuda
import torch.mtia
import torch.xpu


def forget(seed: int) -> None:
    """Stands for an accelerator's ``manual_seed_all``."""


torch.set_num_threads(1)
for accelerator in (torch.cuda, torch.mtia, torch.xpu):
    accelerator.manual_seed_all = forget  # type: ignore[attr-defined]
