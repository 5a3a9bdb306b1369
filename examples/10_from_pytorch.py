"""Milestone 10: trained in PyTorch, loaded in tinytorch, and back.

    python examples/10_from_pytorch.py [--fast]

Chapters needed: 0 to 16. Needs PyTorch (pip install torch); without it the example says so and ends.
"""

# %% One network, written once, for both libraries
import sys
from pathlib import Path

import tinytorch
import tinytorch.nn.functional as F
from tinytorch.datasets import MNISTSample

try:
    import torch
except ImportError:
    print("skipped: PyTorch is not installed (pip install torch)")
    sys.exit(0)

FAST = "--fast" in sys.argv[1:]
OUT = Path("runs/milestones")


def network(nn):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),
    )  # fmt: skip


def digits(train):
    sample = MNISTSample(train=train)
    return (sample.data.unsqueeze(1).float() / 255 - 0.1307) / 0.3081, sample.targets


# %% Training in PyTorch
torch.manual_seed(0)
theirs = network(torch.nn)
optimizer = torch.optim.AdamW(theirs.parameters(), lr=3e-3)
x, y = (torch.from_numpy(part.numpy()) for part in digits(True))
for _ in range(15 if FAST else 200):
    batch = torch.randint(len(x), (64,))
    loss = torch.nn.functional.cross_entropy(theirs(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
theirs.eval()
OUT.mkdir(parents=True, exist_ok=True)
torch.save(theirs.state_dict(), OUT / "from_pytorch.pt")

# %% Loading in tinytorch: the same file, the same names, the same answers
ours = network(tinytorch.nn)
print(ours.load_state_dict(tinytorch.load(OUT / "from_pytorch.pt")))
ours.eval()
images, labels = digits(False)
with tinytorch.no_grad():
    scores = ours(images)
with torch.no_grad():
    expected = theirs(torch.from_numpy(images.numpy()))
accuracy = (scores.argmax(1) == labels).float().mean().item()
difference = abs(scores.numpy() - expected.numpy()).max()
print(f"{accuracy:.1%} of {len(labels):,} digits right; largest difference between the scores {difference:.1e}")
assert difference < 1e-3
assert accuracy > (0.5 if FAST else 0.93)

# %% One step of training here, and back
ours.train()
update = tinytorch.optim.SGD(ours.parameters(), lr=0.01)
before = F.cross_entropy(ours(images[:256]), labels[:256])
before.backward()
update.step()
tinytorch.save(ours.state_dict(), OUT / "to_pytorch.pt")
theirs.load_state_dict(torch.load(OUT / "to_pytorch.pt", weights_only=True))
theirs.train()
with torch.no_grad():
    after = torch.nn.functional.cross_entropy(
        theirs(torch.from_numpy(images[:256].numpy())), torch.from_numpy(labels[:256].numpy())
    )
print(f"loss before the step {before.item():.4f} (tinytorch), after it {after.item():.4f} (PyTorch)")
assert after.item() < before.item()
