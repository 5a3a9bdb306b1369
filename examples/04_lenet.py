"""Milestone 4, 1998: LeNet-5 reads handwritten digits.

    python examples/04_lenet.py [--fast]

Chapters needed: 0 to 14. Weights shared over the image, halved twice, then a small classifier: 61,706 parameters read
the amounts on a good part of America's bank checks. (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied
to document recognition", Proceedings of the IEEE 86, 1998.) Of the original's refinements the trainable averages, the
sparse table between S2 and C3, and the radial outputs are left out.
"""

# %% The bundled digits
import sys
import time

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import optim
from tinytorch.datasets import MNISTSample
from tinytorch.utils.data import DataLoader, TensorDataset

FAST = "--fast" in sys.argv[1:]


def digits(train):
    sample = MNISTSample(train=train)
    return TensorDataset((sample.data.unsqueeze(1).float() / 255 - 0.1307) / 0.3081, sample.targets)


train, held_out = digits(True), digits(False)
if FAST:
    train = TensorDataset(*train[:1280])

# %% The network
model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2),  # C1: 28x28
    nn.Tanh(),
    nn.AvgPool2d(2),  # S2: 14x14
    nn.Conv2d(6, 16, 5),  # C3: 10x10
    nn.Tanh(),
    nn.AvgPool2d(2),  # S4: 5x5
    nn.Conv2d(16, 120, 5),  # C5: 1x1
    nn.Tanh(),
    nn.Flatten(),
    nn.Linear(120, 84),  # F6
    nn.Tanh(),
    nn.Linear(84, 10),
)
assert sum(p.numel() for p in model.parameters()) == 61_706

# %% Training
torch.manual_seed(0)
for module in model:
    if hasattr(module, "reset_parameters"):
        module.reset_parameters()
epochs, batch = (4, 32) if FAST else (12, 32)
optimizer = optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
schedule = optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=4e-3, epochs=epochs, steps_per_epoch=-(-len(train) // batch), pct_start=0.2
)
start = time.perf_counter()
for epoch in range(epochs):
    total = 0.0
    for images, labels in DataLoader(train, batch, shuffle=True):
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item() * len(labels)
    print(f"epoch {epoch + 1}: loss {total / len(train):.4f}, {time.perf_counter() - start:.1f} s")

# %% The result
with torch.no_grad():
    images, labels = held_out[:]
    accuracy = (model(images).argmax(1) == labels).float().mean().item()
print(f"{accuracy:.1%} of {len(labels):,} held-out digits right")
assert accuracy > (0.87 if FAST else 0.96)
