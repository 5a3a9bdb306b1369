"""Milestone 2, 1969 and 1986: exclusive or needs a hidden layer.

    python examples/02_xor.py [--fast]

Chapters needed: 0 to 11. A perceptron draws one straight line, and no line has (0,1) and (1,0) on one side, (0,0) and
(1,1) on the other (Minsky and Papert, "Perceptrons", 1969). A hidden layer draws several lines and combines them; what
was missing was a way to train it (Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors",
Nature 323, 1986).
"""

# %% Four points
import math
import sys

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import optim

FAST = "--fast" in sys.argv[1:]
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([0.0, 1.0, 1.0, 0.0])


def train(model, steps):
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    for _ in range(steps):
        loss = F.binary_cross_entropy_with_logits(model(x).squeeze(1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item(), model(x).squeeze(1).detach()


# %% Without a hidden layer the best answer is "I do not know": probability 1/2 for all, loss log 2
torch.manual_seed(0)
loss, scores = train(nn.Linear(2, 1), 150 if FAST else 1000)
print(f"one layer:  loss {loss:.4f}, log 2 is {math.log(2):.4f}; scores {scores}")
assert abs(loss - math.log(2)) < 1e-2 and scores.abs().max() < 0.3

# %% With three hidden units it is easy
model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
loss, scores = train(model, 150 if FAST else 1000)
print(f"two layers: loss {loss:.4f}; scores {scores}")
assert loss < 0.05
assert torch.equal(scores > 0, y > 0)

# %% What the hidden units made of the four points: a straight line separates them now
hidden = model[:2](x).detach()
print(hidden)
w, b = model[2].weight.detach()[0], model[2].bias.detach()
assert torch.allclose(hidden @ w + b, scores)
