"""Milestone 9: gradients of gradients. Newton's method, and a critic that must not be too steep.

    python examples/09_gradient_penalty.py [--fast]

Chapters needed: 0 to 11, and 18.
"""

# %% Newton's method: the Hessian tells how long the step has to be
import math
import sys

import tinytorch as torch
import tinytorch.nn as nn
from tinytorch import optim

FAST = "--fast" in sys.argv[1:]


def rosenbrock(p):
    """A narrow, bent valley with its lowest point at (1, 1)."""
    return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2


p = torch.tensor([-1.2, 1.0], dtype=torch.float64)
for step in range(1, 20):
    slope = torch.autograd.functional.jacobian(rosenbrock, p)
    p = p - torch.linalg.solve(torch.autograd.functional.hessian(rosenbrock, p), slope)
    print(f"Newton step {step}: {p.tolist()}")
    if slope.norm() < 1e-6:
        break
assert torch.allclose(p, torch.ones(2, dtype=torch.float64)) and step < 10

q = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
descent = optim.SGD([q], lr=1e-3)
for _ in range(100 if FAST else 1000):
    descent.zero_grad()
    rosenbrock(q).backward()
    descent.step()
print(f"gradient descent after {100 if FAST else 1000} steps: {q.tolist()}")
assert (q.detach() - 1).norm() > 0.3  # the first derivative alone is still far away

# %% A gradient penalty
#
# How far apart are two clouds of points? As far as the steepest allowed critic can tell: the largest difference of its
# mean answers, over all critics with slope at most 1 (Kantorovich and Rubinstein). The slope is held at 1 by adding
# (|∂critic/∂x| - 1)² to the loss - and the derivative of that is a derivative of a derivative. (Gulrajani et al.,
# "Improved training of Wasserstein GANs", 2017.) Here the answer is known: cloud b is cloud a, moved by 3. The best
# slope s under a penalty of strength c is where 3 s - c (s - 1)² is largest, 1 + 3/(2c): with c = 100, 1.5 % too steep.
torch.manual_seed(0)
move = 3 * torch.tensor([math.cos(0.5), math.sin(0.5)])
critic = nn.Sequential(nn.Linear(2, 32), nn.Softplus(), nn.Linear(32, 32), nn.Softplus(), nn.Linear(32, 1))
optimizer = optim.Adam(critic.parameters(), lr=5e-3, betas=(0.5, 0.9))
for _ in range(150 if FAST else 800):
    a, b = torch.randn(128, 2), torch.randn(128, 2) + move
    between = a + torch.rand(128, 1) * (b - a)
    between.requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
    loss = critic(a).mean() - critic(b).mean() + 100 * penalty
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    a = torch.randn(4000, 2)
    distance = (critic(a + move) - critic(a)).mean().item()
print(f"the critic says {distance:.2f}; the clouds are 3 apart")
assert abs(distance - 3) < 0.3

# %% And it points the way: its slope is the direction of the move
(slope,) = torch.autograd.grad(critic(between).sum(), between)
direction = slope.mean(0) / slope.mean(0).norm()
print(f"direction {direction.tolist()}, the move's {(move / 3).tolist()}")
assert torch.dot(direction, move / 3) > 0.98
