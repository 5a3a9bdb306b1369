"""A small decoder with rotary positions as complex numbers, grouped queries and a cache, which then writes on."""
import math
from dataclasses import dataclass
from typing import Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    width: int = 24
    heads: int = 4
    groups: int = 2
    vocabulary: int = 11
    longest: int = 16


class Scale(nn.Module):
    def __init__(self, width: int, eps: float = 1e-6):
        super().__init__()
        self.eps, self.gain = eps, nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.float() * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)).type_as(x) * self.gain


def angles(width: int, longest: int) -> torch.Tensor:
    rates = 1.0 / 10000 ** (torch.arange(0, width, 2)[: width // 2].float() / width)
    grid = torch.outer(torch.arange(longest), rates)
    return torch.polar(torch.ones_like(grid), grid)


def rotate(x: torch.Tensor, turn: torch.Tensor) -> torch.Tensor:
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn[None, :, None, :]).flatten(3).type_as(x)


class Attention(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c, self.size = c, c.width // c.heads
        self.q = nn.Linear(c.width, c.width, bias=False)
        self.kv = nn.Linear(c.width, 2 * c.groups * self.size, bias=False)
        self.out = nn.Linear(c.width, c.width, bias=False)
        self.register_buffer("turns", angles(self.size, c.longest), persistent=False)

    def forward(self, x, cache: Optional[Tuple[torch.Tensor, torch.Tensor]] = None):
        b, t, _ = x.shape
        seen = 0 if cache is None else cache[0].size(1)
        q = rotate(self.q(x).view(b, t, self.c.heads, self.size), self.turns[seen : seen + t])
        k, v = self.kv(x).view(b, t, 2 * self.c.groups, self.size).chunk(2, dim=2)
        k = rotate(k, self.turns[seen : seen + t])
        if cache is not None:
            k, v = torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)
        repeat = self.c.heads // self.c.groups
        wide = [y.repeat_interleave(repeat, dim=2).transpose(1, 2) for y in (k, v)]
        scores = q.transpose(1, 2) @ wide[0].mT / math.sqrt(self.size)
        hidden = torch.full((t, seen + t), float("-inf")).triu_(seen + 1)
        y = F.softmax(scores + hidden, dim=-1) @ wide[1]
        return self.out(y.transpose(1, 2).reshape(b, t, -1)), (k, v)


class Model(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.embed, self.norm, self.attend = nn.Embedding(c.vocabulary, c.width), Scale(c.width), Attention(c)
        self.gate = nn.Linear(c.width, 2 * c.width, bias=False)
        self.head = nn.Linear(c.width, c.vocabulary, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, tokens, cache=None):
        x = self.embed(tokens)
        y, cache = self.attend(self.norm(x), cache)
        x = x + y
        a, g = self.gate(self.norm(x)).split(x.size(-1), dim=-1)
        return self.head(self.norm(x + F.silu(g) * a)), cache


if __name__ == "__main__":
    torch.manual_seed(0)
    model = Model(Config())
    print(model)
    tokens = (torch.arange(12)[None] * torch.tensor([[1], [2], [3]])) % 11
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-2, betas=(0.9, 0.95))
    for step in range(12):
        logits, _ = model(tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 4 == 0:
            print(f"{step:3d} loss {loss.item():.4f} norm {norm:.4f}")
    with torch.inference_mode():
        logits, cache = model(tokens[:1, :4])
        for _ in range(6):
            likely = F.softmax(logits[:, -1] / 0.7, dim=-1)
            best, places = torch.topk(likely, 3)
            token = places.gather(-1, torch.multinomial(best / best.sum(-1, keepdim=True), 1))
            logits, cache = model(token, cache)
            print(token.item(), [f"{p:.3f}" for p in best[0].tolist()])
