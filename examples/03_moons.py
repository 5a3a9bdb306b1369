"""Milestone 3: two moons, and the boundary that a small network draws between them.

    python examples/03_moons.py [--fast]        # writes runs/milestones/moons.png

Chapters needed: 0 to 11.
"""

# %% Two half circles that reach into each other
import math
import sys
from pathlib import Path

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import optim

FAST = "--fast" in sys.argv[1:]
OUT = Path("runs/milestones")


def moons(n, noise=0.12):
    angle = torch.rand(n) * math.pi
    label = torch.arange(n) % 2
    side = 1 - 2.0 * label  # +1 the upper moon, -1 the lower one
    points = torch.stack([angle.cos() * side + label, angle.sin() * side + 0.5 * label], 1)
    return points + noise * torch.randn(n, 2), label


torch.manual_seed(0)
x, y = moons(400)
new_x, new_y = moons(400)

# %% A line is not enough, two hidden layers are
accuracy = {}
models = {
    "a line": nn.Linear(2, 2),
    "a network": nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)),
}
for name, model in models.items():
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    for _ in range(200 if FAST else 1000):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy[name] = (model(new_x).argmax(1) == new_y).float().mean().item()
    print(f"{name}: loss {loss.item():.4f}, {accuracy[name]:.1%} of new points right")
assert accuracy["a line"] < 0.92
assert accuracy["a network"] > 0.97

# %% The picture: how sure the model is, everywhere in the plane
try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError:
    raise SystemExit("no picture: matplotlib is not installed (pip install matplotlib)") from None

across, up = torch.linspace(-1.6, 2.6, 240), torch.linspace(-1.2, 1.7, 160)
plane = torch.stack(torch.meshgrid(across, up, indexing="xy"), 2)
figure = Figure(figsize=(10, 3.8), layout="constrained")
for axes, (name, model) in zip(figure.subplots(1, 2), models.items(), strict=True):
    with torch.no_grad():
        sure = model(plane).softmax(2)[:, :, 1]
    axes.contourf(across.numpy(), up.numpy(), sure.numpy(), levels=20, cmap="RdBu", alpha=0.55, vmin=0, vmax=1)
    axes.contour(across.numpy(), up.numpy(), sure.numpy(), levels=[0.5], colors="k", linewidths=1.5)
    for label, color in ((0, "#b2182b"), (1, "#2166ac")):
        axes.plot(*new_x[new_y == label].T.numpy(), "o", color=color, markersize=4, markeredgecolor="white", mew=0.5)
    axes.set(title=f"{name}: {accuracy[name]:.1%} of new points right", aspect="equal", xticks=[], yticks=[])
OUT.mkdir(parents=True, exist_ok=True)
FigureCanvasAgg(figure).print_png(str(OUT / "moons.png"))
print(f"picture: {OUT / 'moons.png'}")
