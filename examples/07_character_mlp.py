"""Milestone 7, 2003: a network that invents names.

    python examples/07_character_mlp.py [--fast]

Chapters needed: 0 to 11. Each letter becomes a point in a small space; the points of the last letters go through a
hidden layer, which says how probable each next letter is. Similar letters can come to lie close together, so that what
is learned about one holds for the other. (Bengio, Ducharme, Vincent, Jauvin, "A neural probabilistic language model",
JMLR 3, 2003.)
"""

# %% The names, as contexts of three letters and the letter that follows; "." begins and ends a name
import sys
from pathlib import Path

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import optim

FAST = "--fast" in sys.argv[1:]
CONTEXT = 3
DATA = (Path(__file__).parent if "__file__" in globals() else Path()) / "data"

names = (DATA / "names.txt").read_text().split()
LETTERS = ".abcdefghijklmnopqrstuvwxyz"
torch.manual_seed(0)
names = [names[i] for i in torch.randperm(len(names)).tolist()]


def examples(names):
    contexts, following = [], []
    for name in names:
        codes = [0] * CONTEXT + [LETTERS.index(letter) for letter in name + "."]
        for i in range(CONTEXT, len(codes)):
            contexts.append(codes[i - CONTEXT : i])
            following.append(codes[i])
    return torch.tensor(contexts), torch.tensor(following)


x, y = examples(names[300:])
new_x, new_y = examples(names[:300])

# %% What counting can do: how often does each letter follow each other?
counts = torch.ones(27, 27).index_put((x[:, -1], y), torch.tensor(1.0), accumulate=True)
counted = (counts / counts.sum(1, keepdim=True)).log()
bigram = F.nll_loss(counted[new_x[:, -1]], new_y).item()

# %% What the network can do
model = nn.Sequential(nn.Embedding(27, 10), nn.Flatten(), nn.Linear(10 * CONTEXT, 100), nn.Tanh(), nn.Linear(100, 27))
steps = 400 if FAST else 6000
optimizer = optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=steps)
for _ in range(steps):
    batch = torch.randint(len(x), (128,))
    loss = F.cross_entropy(model(x[batch]), y[batch])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
with torch.no_grad():
    network = F.cross_entropy(model(new_x), new_y).item()
print(f"surprise per letter on new names: counting {bigram:.3f}, network {network:.3f}, knowing nothing 3.296")
assert network < bigram - (0.05 if FAST else 0.1)

# %% Names that nobody has been given yet


@torch.no_grad()
def invent():
    codes = [0] * CONTEXT
    while True:
        probabilities = model(torch.tensor([codes[-CONTEXT:]])).softmax(1)
        codes.append(torch.multinomial(probabilities, 1).item())
        if codes[-1] == 0:
            return "".join(LETTERS[code] for code in codes[CONTEXT:-1])


invented = [invent() for _ in range(20)]
print(" ".join(invented))
assert 3 < sum(map(len, invented)) / 20 < 10
