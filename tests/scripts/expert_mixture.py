"""A mixture of experts that each see some tokens only; causal convolutions with weight normalization; masked tokens."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import weight_norm


class Mixture(nn.Module):
    def __init__(self, width, experts, chosen):
        super().__init__()
        self.route, self.chosen = nn.Linear(width, experts, bias=False), chosen
        self.experts = nn.ModuleList(
            [nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)) for _ in range(experts)]
        )

    def forward(self, x):
        flat = x.view(-1, x.size(-1))
        likely = F.softmax(self.route(flat), dim=-1, dtype=torch.float)
        weights, which = likely.topk(self.chosen, dim=-1)
        weights /= weights.sum(dim=-1, keepdim=True)
        result = torch.zeros_like(flat)
        for number, expert in enumerate(self.experts):
            rows, slot = torch.where(which == number)
            if len(rows):
                result.index_add_(0, rows, expert(flat[rows]) * weights[rows, slot, None])
        used = F.one_hot(which, len(self.experts)).float().sum(1).mean(0)
        return result.view_as(x), (used * likely.mean(0)).sum() * len(self.experts)


class Causal(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.pad = 2 * dilation
        self.conv = weight_norm(nn.Conv1d(width, width, 3, dilation=dilation))
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        y = self.conv(F.pad(x.transpose(1, 2), (self.pad, 0))).transpose(1, 2)
        return x + self.drop(F.relu(y))


class Model(nn.Module):
    def __init__(self, tokens=12, width=8):
        super().__init__()
        self.embed = nn.Embedding(tokens, width)
        self.layers = nn.Sequential(Causal(width, 1), Causal(width, 2))
        self.mixture, self.norm = Mixture(width, 4, 2), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(tokens))

    def forward(self, tokens):
        x = self.layers(self.embed(tokens))
        y, balance = self.mixture(self.norm(x))
        return F.linear(x + y, self.embed.weight, self.bias), balance


def hide(tokens, share=0.3, blank=0):
    target = tokens.clone()
    hidden = torch.bernoulli(torch.full(tokens.shape, share)).bool()
    target[~hidden] = -100
    replaced = hidden & torch.bernoulli(torch.full(tokens.shape, 0.8)).bool()
    return tokens.masked_fill(replaced, blank), target


if __name__ == "__main__":
    torch.manual_seed(0)
    model = Model()
    print(model, sum(p.numel() for p in model.parameters()))
    tokens = torch.randint(1, 12, (4, 9)).cumsum(1) % 11 + 1
    optimizer = torch.optim.NAdam(model.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=12)
    for step in range(12):
        seen, target = hide(tokens)
        logits, balance = model(seen)
        loss = F.cross_entropy(logits.transpose(1, 2), target) + 0.01 * balance
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        if step % 4 == 0:
            print(f"{step} {loss.item():.4f} {balance:.4f} {scheduler.get_last_lr()[0]:.6f}", target.ne(-100).sum())
    print(sorted(name for name, _ in model.layers[0].named_parameters()), logits.shape)
