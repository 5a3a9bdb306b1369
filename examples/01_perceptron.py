"""Milestone 1, 1958: the perceptron learns to tell handwritten zeros from ones.

    python examples/01_perceptron.py [--fast]

Chapters needed: 0 to 6. Rosenblatt's machine looked at 20x20 photocells, added them up with adjustable weights, and
answered yes if the sum was positive. When it was wrong, the weights were moved by the image itself. (F. Rosenblatt,
"The Perceptron", Psychological Review 65, 1958.)
"""

# %% The data: real digits, with a 1 appended to each image, whose weight is the threshold
import sys

import tinytorch as torch
from tinytorch.datasets import MNISTSample

FAST = "--fast" in sys.argv[1:]


def zeros_and_ones(train):
    digits = MNISTSample(train=train)
    chosen = digits.targets < 2
    images = digits.data[chosen].flatten(1).float() / 255
    return torch.cat([images, torch.ones(len(images), 1)], 1), digits.targets[chosen] * 2.0 - 1


x, target = zeros_and_ones(train=True)  # target is -1 for a zero, +1 for a one
if FAST:
    x, target = x[::2], target[::2]

# %% Rosenblatt's rule: only mistakes teach
torch.manual_seed(0)
order = torch.randperm(len(x)).tolist()
w = torch.zeros(x.shape[1])
for epoch in range(10):
    mistakes = 0
    for i in order:
        if (x[i] @ w) * target[i] <= 0:
            w += target[i] * x[i]
            mistakes += 1
    print(f"epoch {epoch}: {mistakes} mistakes")
    if mistakes == 0:
        break
assert mistakes == 0  # the classes can be separated, so the rule stops (Novikoff 1962)

# %% Autograd knows the rule: it is one step of size 1 down the loss max(0, -target · score)
v = torch.zeros(x.shape[1], requires_grad=True)
for _ in range(epoch + 1):
    for i in order:
        score = (x[i] @ v) * target[i]
        if score.item() <= 0:
            (-score).backward()
            with torch.no_grad():
                v -= v.grad
            v.grad = None
assert torch.equal(w, v.detach())

# %% On digits that it has not seen
x, target = zeros_and_ones(train=False)
accuracy = ((x @ w).sign() == target).float().mean().item()
print(f"{accuracy:.1%} of {len(x)} new digits right")
assert accuracy > 0.98
