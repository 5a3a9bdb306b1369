"""Classic models in tensors: a Gaussian process by its marginal likelihood, k-means, principal components."""
import math

import torch
from torch import nn


class Process(nn.Module):
    def __init__(self):
        super().__init__()
        self.logs = nn.ParameterDict({name: nn.Parameter(torch.tensor(value))
                                      for name, value in (("length", 0.0), ("scale", 0.0), ("noise", -2.0))})

    def kernel(self, a, b):
        squares = (a[:, None, :] - b[None, :, :]).pow(2).sum(-1)
        return self.logs["scale"].exp() ** 2 * torch.exp(-0.5 * squares / self.logs["length"].exp() ** 2)

    def forward(self, x, y):
        k = self.kernel(x, x) + self.logs["noise"].exp() ** 2 * torch.eye(len(x), dtype=x.dtype)
        lower = torch.linalg.cholesky(k)
        solved = torch.cholesky_solve(y[:, None], lower)
        return 0.5 * (y @ solved).squeeze() + lower.diagonal().log().sum() + 0.5 * len(x) * math.log(2 * math.pi)

    @torch.no_grad()
    def predict(self, x, y, new):
        k = self.kernel(x, x) + self.logs["noise"].exp() ** 2 * torch.eye(len(x), dtype=x.dtype)
        cross = self.kernel(new, x)
        mean = cross @ torch.linalg.solve(k, y)
        return mean, (self.kernel(new, new) - cross @ torch.linalg.solve(k, cross.T)).diagonal().clamp_min(0).sqrt()


def k_means(points, k, rounds=8):
    centers = points[torch.randperm(len(points))[:k]].clone()
    for _ in range(rounds):
        nearest = torch.cdist(points, centers).argmin(dim=1)
        for j in range(k):
            if (nearest == j).any():
                centers[j] = points[nearest == j].mean(dim=0)
    return centers, nearest


if __name__ == "__main__":
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float64)
    x = torch.linspace(0, 5, 15).unsqueeze(1)
    y = torch.sin(2 * x).squeeze() + 0.1 * torch.randn(15)
    process = Process()
    optimizer = torch.optim.LBFGS(process.parameters(), lr=0.3, max_iter=8)

    def closure():
        optimizer.zero_grad()
        loss = process(x, y)
        loss.backward()
        return loss

    for _ in range(3):
        print(f"{optimizer.step(closure):.5f}", {n: round(p.exp().item(), 4) for n, p in process.logs.items()})
    mean, spread = process.predict(x, y, torch.tensor([[0.5], [2.2], [7.0]]))
    print(mean, spread)
    torch.set_default_dtype(torch.float32)
    points = torch.cat([torch.randn(20, 3) + 3, torch.randn(20, 3) - 3])
    centers, nearest = k_means(points, 2)
    print(centers, torch.bincount(nearest), nearest.unique(return_counts=True))
    centered = points - points.mean(0)
    _, sizes, axes = torch.linalg.svd(centered, full_matrices=False)
    print(sizes, (centered @ axes[0]).abs()[:3], (sizes**2 / (sizes**2).sum()).cumsum(0))
    torch.set_printoptions(precision=2, sci_mode=False)
    print(torch.cov(points.T), torch.quantile(points, torch.tensor([0.1, 0.5]), dim=0))
    torch.set_printoptions(profile="default")
