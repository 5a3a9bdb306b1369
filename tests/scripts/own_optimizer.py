"""An optimizer of one's own, a schedule of one's own, and a checkpoint from which both go on."""
import io
import math

import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


class SignMomentum(Optimizer):
    def __init__(self, params, lr=1e-2, beta=0.9, decay=0.0):
        if lr <= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        super().__init__(params, dict(lr=lr, beta=beta, decay=decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["steps"], state["average"] = 0, torch.zeros_like(p, memory_format=torch.preserve_format)
                state["steps"] += 1
                state["average"].mul_(group["beta"]).add_(p.grad, alpha=1 - group["beta"])
                p.mul_(1 - group["lr"] * group["decay"]).add_(torch.sign(state["average"]), alpha=-group["lr"])
        return loss


def schedule(step):
    return (step + 1) / 3 if step < 3 else 0.5 * (1 + math.cos(math.pi * (step - 3) / 10))


def build():
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "decay": 0.1},
              {"params": [p for p in model.parameters() if p.ndim == 1]}]
    optimizer = SignMomentum(groups, lr=0.05)
    return model, optimizer, LambdaLR(optimizer, schedule)


def train(model, optimizer, scheduler, steps):
    for _ in range(steps):
        def closure():
            optimizer.zero_grad()
            loss = nn.functional.huber_loss(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        print(f"loss {loss:.5f} lr {scheduler.get_last_lr()[0]:.5f}")
        scheduler.step()


if __name__ == "__main__":
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    y = x.prod(1, keepdim=True)
    model, optimizer, scheduler = build()
    print(optimizer)
    train(model, optimizer, scheduler, 4)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
                "rng": torch.get_rng_state(), "note": "halfway"}, file)
    train(model, optimizer, scheduler, 2)
    file.seek(0)
    checkpoint = torch.load(file, map_location="cpu")
    model, optimizer, scheduler = build()
    print(model.load_state_dict(checkpoint["model"]))
    optimizer.load_state_dict(checkpoint["optimizer"])
    scheduler.load_state_dict(checkpoint["scheduler"])
    torch.set_rng_state(checkpoint["rng"])
    train(model, optimizer, scheduler, 2)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    print(torch.load(file, weights_only=False)(x[:2]), torch.rand(2))
    try:
        build()[1].__class__(model.parameters(), lr=0.0)
    except ValueError as error:
        print(error)
