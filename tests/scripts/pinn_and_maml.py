import torch
from torch import autograd, nn
from torch.func import functional_call, grad, hessian, jacrev, vmap

torch.manual_seed(0)


class Solution(nn.Module):
    """u(t) with u'' + u = 0, u(0) = 1, u'(0) = 0: the cosine."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, t):
        return self.net(t)


model = Solution()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
times = torch.linspace(0, 2, 20).view(-1, 1).requires_grad_(True)
for step in range(15):
    u = model(times)
    du = autograd.grad(u, times, torch.ones_like(u), create_graph=True)[0]
    ddu = autograd.grad(du, times, torch.ones_like(du), create_graph=True)[0]
    start = torch.zeros(1, 1, requires_grad=True)
    u0 = model(start)
    du0 = autograd.grad(u0, start, torch.ones_like(u0), create_graph=True)[0]
    loss = (ddu + u).pow(2).mean() + (u0 - 1).pow(2).squeeze() + du0.pow(2).squeeze()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 0:
        print(f"{step}: {loss.item():.5f}")
polish = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5, line_search_fn="strong_wolfe")


def closure():
    polish.zero_grad()
    u = model(times)
    du = autograd.grad(u.sum(), times, create_graph=True)[0]
    ddu = autograd.grad(du.sum(), times, create_graph=True)[0]
    loss = (ddu + u).pow(2).mean() + (model(torch.zeros(1, 1)) - 1).pow(2).sum()
    loss.backward()
    return loss


print(f"LBFGS {polish.step(closure).item():.5f} -> {closure().item():.5f}")

learner = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 1))
meta = torch.optim.Adam(learner.parameters(), lr=5e-3)


def prediction_loss(parameters, x, y):
    return (functional_call(learner, parameters, (x,)) - y).pow(2).mean()


for iteration in range(4):
    outer = 0.0
    for _ in range(3):
        amplitude, phase = torch.rand(1) * 4 + 1, torch.rand(1) * 3
        x = torch.rand(10, 1) * 6 - 3
        y = amplitude * torch.sin(x + phase)
        parameters = dict(learner.named_parameters())
        gradients = autograd.grad(prediction_loss(parameters, x[:5], y[:5]), list(parameters.values()), create_graph=True)
        adapted = {name: p - 0.05 * g for (name, p), g in zip(parameters.items(), gradients)}
        outer = outer + prediction_loss(adapted, x[5:], y[5:])
    meta.zero_grad()
    outer.backward()
    meta.step()
    print(f"meta {iteration}: {outer.item():.4f}")

state = {name: p.detach() for name, p in learner.named_parameters()}
x, y = torch.randn(4, 1), torch.randn(4, 1)
per_sample = vmap(grad(prediction_loss), in_dims=(None, 0, 0))(state, x, y)
print({name: tuple(g.shape) for name, g in per_sample.items()}, per_sample["2.bias"].flatten())
print(hessian(lambda v: (v.sin() * v).sum())(torch.tensor([0.3, 0.7])), jacrev(torch.sigmoid)(torch.tensor([0.0, 1.0])))
