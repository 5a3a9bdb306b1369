"""Milestone 8, 2017: a small GPT reads the first chapters of Alice's Adventures in Wonderland.

    python examples/08_gpt.py [--fast]

Chapters needed: 0 to 11, and 15 for the normalization. Every letter asks (query) all letters before it (keys) and takes
a mean of what they have to say (values), weighted by how well question and key fit. (Vaswani et al., "Attention is all
you need", 2017; Radford et al., "Improving language understanding by generative pre-training", 2018.)
"""

# %% The text, letter by letter; its last tenth is kept for the test
import sys
import time
from pathlib import Path

import tinytorch as torch
import tinytorch.nn as nn
import tinytorch.nn.functional as F
from tinytorch import optim

FAST = "--fast" in sys.argv[1:]
DATA = (Path(__file__).parent if "__file__" in globals() else Path()) / "data"
CONTEXT, WIDTH, HEADS, BLOCKS = (32, 32, 2, 1) if FAST else (64, 96, 4, 3)

text = (DATA / "alice.txt").read_text(encoding="utf-8")
letters = sorted(set(text))
code = {letter: i for i, letter in enumerate(letters)}
data = torch.tensor([code[letter] for letter in text])
cut = len(data) * 9 // 10
train, held_out = data[:cut], data[cut:]

# %% The model


class Block(nn.Module):
    """Attention to the letters before, then a small network for each; the input flows on beside both."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH), nn.Dropout(0.1))

    def attend(self, x):
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(seen.transpose(1, 2).reshape(n, t, WIDTH))

    def forward(self, x):
        x = x + self.attend(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.letter, self.place = nn.Embedding(len(letters), WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(letters))

    def forward(self, codes):
        x = self.letter(codes) + self.place(torch.arange(codes.shape[1]))
        return self.head(self.norm(self.blocks(x)))


torch.manual_seed(0)
model = GPT()
print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(data):,} letters, {len(letters)} kinds")

# %% The future stays unseen: changing a letter changes no answer before it
model.eval()
with torch.no_grad():
    codes = data[:CONTEXT].unsqueeze(0)
    changed = codes.clone()
    changed[0, 20] = (codes[0, 20] + 1) % len(letters)
    difference = (model(codes) - model(changed)).abs().amax(2)[0]
assert difference[:20].max() == 0 and difference[20:].min() > 0

# %% Training


@torch.no_grad()
def surprise(part):
    """Mean loss per letter over a whole text, in windows that do not overlap."""
    model.eval()
    windows = (len(part) - 1) // CONTEXT
    x, y = part[: windows * CONTEXT].view(windows, CONTEXT), part[1 : windows * CONTEXT + 1].view(windows, CONTEXT)
    total = sum(
        F.cross_entropy(model(x[i : i + 64]).flatten(0, 1), y[i : i + 64].flatten(), reduction="sum").item()
        for i in range(0, windows, 64)
    )
    return total / y.numel()


counts = torch.ones(len(letters), len(letters)).index_put((train[:-1], train[1:]), torch.tensor(1.0), accumulate=True)
counted = F.nll_loss((counts / counts.sum(1, keepdim=True)).log()[held_out[:-1]], held_out[1:]).item()

steps, size = (100, 16) if FAST else (600, 24)
optimizer = optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1e-2 if FAST else 3e-3, total_steps=steps, pct_start=0.1)
start = time.perf_counter()
for step in range(steps):
    model.train()
    places = torch.randint(len(train) - CONTEXT, (size, 1)) + torch.arange(CONTEXT + 1)
    windows = train[places]
    loss = F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    if (step + 1) % 100 == 0:
        print(f"step {step + 1}: loss {loss.item():.3f}, {time.perf_counter() - start:.0f} s")
reached = surprise(held_out)
print(f"surprise per letter on pages it has not read: counting pairs {counted:.3f}, the GPT {reached:.3f}")
assert reached < (2.8 if FAST else counted - 0.4)

# %% It goes on by itself


@torch.no_grad()
def go_on(text, length, warmth=0.8):
    model.eval()
    codes = torch.tensor([[code[letter] for letter in text]])
    for _ in range(length):
        scores = model(codes[:, -CONTEXT:])[:, -1] / warmth
        codes = torch.cat([codes, torch.multinomial(scores.softmax(1), 1)], 1)
    return "".join(letters[i] for i in codes[0].tolist())


continued = go_on("Alice ", 60 if FAST else 400)
print(continued)
assert continued.startswith("Alice ") and continued.count(" ") > 5
