import copy
import math

import torch
import torch.nn.functional as F
from torch import nn


class TimeEmbedding(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, t):
        half = self.size // 2
        frequencies = torch.exp(torch.arange(half) * -(math.log(10000) / (half - 1)))
        angles = t[:, None] * frequencies[None, :]
        return torch.cat((angles.sin(), angles.cos()), dim=-1)


class Denoiser(nn.Module):
    def __init__(self, channels=8):
        super().__init__()
        self.time = nn.Sequential(TimeEmbedding(16), nn.Linear(16, channels), nn.SiLU())
        self.inner = nn.Conv2d(1, channels, 3, padding=1)
        self.down = nn.Conv2d(channels, channels * 2, 4, stride=2, padding=1)
        self.norm = nn.GroupNorm(4, channels * 2)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.out = nn.Conv2d(channels * 3, 1, 3, padding=1)

    def forward(self, x, t):
        h = F.silu(self.inner(x) + self.time(t)[:, :, None, None])
        deep = F.silu(self.norm(self.down(h)))
        return self.out(torch.cat([self.up(deep), h], dim=1))


def extract(values, t, shape):
    return values.gather(-1, t).reshape(t.shape[0], *((1,) * (len(shape) - 1)))


steps = 20
betas = torch.linspace(1e-4, 0.2, steps, dtype=torch.float64).float()
alphas = 1.0 - betas
cumulative = torch.cumprod(alphas, dim=0)
previous = F.pad(cumulative[:-1], (1, 0), value=1.0)
posterior_variance = betas * (1 - previous) / (1 - cumulative)

torch.manual_seed(0)
model = Denoiser()
average = copy.deepcopy(model).requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
images = torch.zeros(32, 1, 8, 8)
images[:, :, 2:6, 2:6] = 1
for step in range(15):
    t = torch.randint(0, steps, (32,)).long()
    noise = torch.randn_like(images)
    noisy = extract(cumulative.sqrt(), t, images.shape) * images + extract((1 - cumulative).sqrt(), t, images.shape) * noise
    loss = F.smooth_l1_loss(model(noisy, t), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for mean, new in zip(average.parameters(), model.parameters()):
            mean.lerp_(new, 0.1)
    if step % 5 == 4:
        print(f"{step + 1}: {loss.item():.5f}")


@torch.no_grad()
def sample(shape):
    x = torch.randn(shape)
    for i in reversed(range(steps)):
        t = torch.full((shape[0],), i, dtype=torch.long)
        mean = (x - betas[i] * average(x, t) / (1 - cumulative[i]).sqrt()) / alphas[i].sqrt()
        x = mean if i == 0 else mean + posterior_variance[i].sqrt() * torch.randn_like(x)
    return x


drawn = sample((2, 1, 8, 8))
print(f"{drawn.mean().item():.4f} {drawn.std().item():.4f} {drawn[0, 0, 4, 4].item():.4f}")
