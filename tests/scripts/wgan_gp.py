import torch
from torch import autograd, nn

torch.manual_seed(0)
critic = nn.Sequential(nn.Linear(2, 24), nn.LeakyReLU(0.2), nn.Linear(24, 24), nn.LeakyReLU(0.2), nn.Linear(24, 1))
generator = nn.Sequential(nn.Linear(3, 24), nn.Tanh(), nn.Linear(24, 2))
critic_optimizer = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.0, 0.9))
generator_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.9))


def circle(n):
    angle = torch.rand(n) * 2 * torch.pi
    return torch.stack([angle.cos(), angle.sin()], dim=1) + 0.05 * torch.randn(n, 2)


def gradient_penalty(real, fake):
    alpha = torch.rand(real.size(0), 1).expand_as(real)
    between = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
    score = critic(between)
    (gradient,) = autograd.grad(score, between, grad_outputs=torch.ones_like(score), create_graph=True, retain_graph=True)
    return ((gradient.norm(2, dim=1) - 1) ** 2).mean()


for step in range(12):
    for p in critic.parameters():
        p.requires_grad_(True)
    for _ in range(2):
        real, fake = circle(32), generator(torch.randn(32, 3)).detach()
        penalty = gradient_penalty(real, fake)
        distance = critic(real).mean() - critic(fake).mean()
        critic_optimizer.zero_grad(set_to_none=True)
        (10 * penalty - distance).backward()
        critic_optimizer.step()
    for p in critic.parameters():
        p.requires_grad_(False)
    generator_optimizer.zero_grad()
    loss = -critic(generator(torch.randn(32, 3))).mean()
    loss.backward()
    generator_optimizer.step()
    if step % 3 == 0:
        print(f"{step}: penalty {penalty.item():.5f} distance {distance.item():.5f} generator {loss.item():.5f}")
with torch.no_grad():
    print(generator(torch.randn(4, 3)))
