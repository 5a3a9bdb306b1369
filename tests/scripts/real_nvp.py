import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, TransformedDistribution, kl_divergence
from torch.distributions import transforms as T


class Coupling(nn.Module):
    def __init__(self, mask, hidden=16):
        super().__init__()
        self.register_buffer("mask", mask)
        self.scale = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 2), nn.Tanh())
        self.shift = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 2))

    def inverse(self, x):
        kept = x * self.mask
        s, t = self.scale(kept) * (1 - self.mask), self.shift(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (x - t) * torch.exp(-s), -s.sum(-1)

    def forward(self, z):
        kept = z * self.mask
        s, t = self.scale(kept) * (1 - self.mask), self.shift(kept) * (1 - self.mask)
        return kept + (1 - self.mask) * (z * s.exp() + t)


torch.manual_seed(0)
masks = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(2, 1)
layers = nn.ModuleList(Coupling(mask) for mask in masks)
prior = MultivariateNormal(torch.zeros(2), torch.eye(2))
optimizer = torch.optim.Adam(layers.parameters(), lr=5e-3)
for step in range(12):
    angle = torch.rand(64) * 3.14159
    data = torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(64, 2)
    z, log_det = data, torch.zeros(64)
    for layer in reversed(layers):
        z, change = layer.inverse(z)
        log_det = log_det + change
    loss = -(prior.log_prob(z) + log_det).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 3 == 0:
        print(f"{step}: {loss.item():.5f}")
with torch.no_grad():
    x = prior.sample((3,))
    for layer in layers:
        x = layer(x)
    print(x)

base = Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
loc, log_scale = nn.Parameter(torch.tensor([0.5, -0.5, 0.1])), nn.Parameter(torch.zeros(3))
flow = TransformedDistribution(base, [T.AffineTransform(loc, log_scale.exp(), event_dim=1), T.SigmoidTransform()])
print(flow.event_shape, flow.batch_shape, flow.support)
value = flow.rsample((4,))
(-flow.log_prob(value.detach()).mean()).backward()
print(loc.grad, log_scale.grad)
print(kl_divergence(Normal(loc, 1.0), Normal(0.0, 2.0)), base)
