"""Milestone 6: what a trained CNN looks for, and what it makes of an image.

    python examples/06_inside_the_cnn.py [--fast]        # writes filters.png and feature_maps.png to runs/milestones

Chapters needed: 0 to 16. The network is milestone 5's. If ``examples/train_cnn.py`` has left its weights in runs/cnn,
they are used; otherwise two epochs of training come first.
"""

# %% A trained network
import sys
from pathlib import Path

from cnn_example import CNNExample

import tinytorch as torch
import tinytorch.nn.functional as F
from tinytorch import optim
from tinytorch.datasets import MNISTSample
from tinytorch.utils.data import DataLoader, TensorDataset

FAST = "--fast" in sys.argv[1:]
OUT, WEIGHTS = Path("runs/milestones"), Path("runs/cnn/best.pt")

torch.manual_seed(0)
model = CNNExample()
sample = MNISTSample(train=True)
images, labels = (sample.data.unsqueeze(1).float() / 255 - 0.1307) / 0.3081, sample.targets
if WEIGHTS.exists() and not FAST:
    model.load_state_dict(torch.load(WEIGHTS))
else:
    optimizer = optim.AdamW(model.parameters(), lr=0.01)
    few = TensorDataset(images[:192], labels[:192]) if FAST else TensorDataset(images, labels)
    for _ in range(2):
        for x, y in DataLoader(few, 64, shuffle=True):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
model.eval()

# %% The first layer's filters, each beside the patch of ink that it answers to most
first = model.block1[0]
weight, bias = first.weight.detach(), first.bias.detach()
few = images[:100] if FAST else images[:500]
with torch.no_grad():
    answers = first(few)  # (n, 20, 28, 28)
    patches = F.unfold(few, 3, padding=1)  # every 3x3 patch as a column: (n, 9, 784)
    by_hand = weight.view(20, 9) @ patches + bias.unsqueeze(1)
assert torch.allclose(by_hand.view_as(answers), answers, atol=1e-4)  # an answer is a dot product with the patch

# The strongest answer goes to a patch that looks like the filter: the angle between the two is small.
columns = patches.transpose(0, 1).flatten(1)  # (9, n · 784)
best = columns[:, answers.transpose(0, 1).flatten(1).argmax(1)].T  # (20, 9)
likeness = F.cosine_similarity(weight.view(20, 9), best, dim=1)
print(f"cosine between filter and favourite patch: mean {likeness.mean():.2f}, smallest {likeness.min():.2f}")
assert likeness.mean() > 0.5

# %% The feature maps of one digit, stage by stage
stages = {}
hooks = [
    model.get_submodule(name).register_forward_hook(lambda module, x, y, name=name: stages.update({name: y[0]}))
    for name in ("block1.2", "block1", "block2", "conv1")
]
digit = int((labels == 3).nonzero()[0])
with torch.no_grad():
    scores = model(images[digit : digit + 1])[0]
for hook in hooks:
    hook.remove()
print(f"a {labels[digit].item()} is taken for a {scores.argmax().item()}")
assert [tuple(maps.shape) for maps in stages.values()] == [(20, 28, 28), (20, 14, 14), (40, 7, 7), (60, 5, 5)]

# %% The pictures
try:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
except ImportError:
    raise SystemExit("no pictures: matplotlib is not installed (pip install matplotlib)") from None


def draw(axes, array, cmap, limit=None):
    axes.imshow(array.numpy(), cmap=cmap, vmin=-limit if limit else None, vmax=limit)
    axes.set(xticks=[], yticks=[])


OUT.mkdir(parents=True, exist_ok=True)
figure = Figure(figsize=(12, 2.2), layout="constrained")
grid = figure.subplots(2, 20)
for k in range(20):
    draw(grid[0, k], weight[k, 0], "RdBu_r", weight[k].abs().max().item())
    draw(grid[1, k], best[k].view(3, 3), "gray")
grid[0, 0].set_ylabel("filter")
grid[1, 0].set_ylabel("patch")
figure.suptitle("The 20 filters of the first layer (red adds, blue subtracts), and the patch that excites each most")
FigureCanvasAgg(figure).print_png(str(OUT / "filters.png"))

titles = ("first layer, 28x28", "after block1, 14x14", "after block2, 7x7", "after conv1, 5x5")
figure = Figure(figsize=(12, 4.4), layout="constrained")
for row, (title, maps) in enumerate(zip(titles, stages.values(), strict=True)):
    strongest = maps.flatten(1).sum(1).argsort(descending=True)[:12]
    for column in range(13):
        axes = figure.add_subplot(4, 13, row * 13 + column + 1)
        draw(axes, images[digit, 0] if column == 0 else maps[strongest[column - 1]], "gray" if column == 0 else "magma")
        if column == 1:
            axes.set_title(title, loc="left", fontsize=9)
figure.suptitle("One digit (left) and what the layers make of it: the 12 strongest feature maps of each stage")
FigureCanvasAgg(figure).print_png(str(OUT / "feature_maps.png"))
print(f"pictures: {OUT / 'filters.png'}, {OUT / 'feature_maps.png'}")
