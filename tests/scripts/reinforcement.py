import random
from collections import deque, namedtuple

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.distributions import Categorical, Normal

Transition = namedtuple("Transition", "state action reward following done")


class Corridor:
    """Walk right along seven cells to the goal; every step costs."""

    def reset(self):
        self.place, self.time = 2, 0
        return self.state()

    def state(self):
        return torch.tensor([self.place / 6.0, self.time / 20.0])

    def step(self, action):
        self.place = max(0, self.place + (1 if action == 1 else -1))
        self.time += 1
        done = self.place == 6 or self.time == 20
        return self.state(), 1.0 if self.place == 6 else -0.05, done


torch.manual_seed(543)
random.seed(1)
environment = Corridor()


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.actor, self.critic = nn.Linear(2, 16), nn.Linear(16, 2), nn.Linear(16, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return F.softmax(self.actor(h), dim=-1), self.critic(h)


model = ActorCritic()
optimizer = optim.Adam(model.parameters(), lr=3e-2)
for episode in range(6):
    state, done, saved, rewards, entropies = environment.reset(), False, [], [], []
    while not done:
        probabilities, value = model(state)
        chances = Categorical(probabilities)
        action = chances.sample()
        saved.append((chances.log_prob(action), value))
        entropies.append(chances.entropy())
        state, reward, done = environment.step(action.item())
        rewards.append(reward)
    returns, total = [], 0.0
    for reward in rewards[::-1]:
        total = reward + 0.95 * total
        returns.insert(0, total)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    policy_losses = [-log_prob * (r - value.item()) for (log_prob, value), r in zip(saved, returns)]
    value_losses = [F.smooth_l1_loss(value, r.unsqueeze(0)) for (_, value), r in zip(saved, returns)]
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum() - 0.01 * torch.stack(entropies).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"episode {episode}: {len(rewards)} steps, return {sum(rewards):.2f}, loss {loss.item():.4f}")

memory = deque([], maxlen=200)
policy = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2))
target = nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2))
target.load_state_dict(policy.state_dict())
optimizer = optim.RMSprop(policy.parameters(), lr=1e-3)
for episode in range(4):
    state, done = environment.reset(), False
    while not done:
        with torch.no_grad():
            action = policy(state).max(0).indices.item() if random.random() > 0.3 else random.randrange(2)
        following, reward, done = environment.step(action)
        memory.append(Transition(state, torch.tensor([action]), torch.tensor([reward]), following, done))
        state = following
        if len(memory) < 16:
            continue
        batch = Transition(*zip(*random.sample(list(memory), 16)))
        going = torch.tensor([not over for over in batch.done], dtype=torch.bool)
        values = policy(torch.stack(batch.state)).gather(1, torch.stack(batch.action))
        next_values = torch.zeros(16)
        with torch.no_grad():
            next_values[going] = target(torch.stack([s for s, over in zip(batch.following, batch.done) if not over])).max(1)[0]
        expected = next_values.unsqueeze(1) * 0.95 + torch.stack(batch.reward)
        loss = nn.SmoothL1Loss()(values, expected)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(policy.parameters(), 1)
        optimizer.step()
        blended = target.state_dict()
        for key, value in policy.state_dict().items():
            blended[key] = value * 0.05 + blended[key] * 0.95
        target.load_state_dict(blended)
    print(f"episode {episode}: memory {len(memory)}, loss {loss.item():.6f}, {policy(state).tolist()}")

mean, log_std = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
optimizer = optim.Adam([mean, log_std], lr=0.05)
for step in range(5):
    actions = Normal(mean, log_std.exp()).rsample((32,))
    reward = -((actions - torch.tensor([1.0, -1.0])) ** 2).sum(-1)
    optimizer.zero_grad()
    (-reward.mean()).backward()
    optimizer.step()
print(mean, log_std)
