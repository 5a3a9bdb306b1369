"""Messages along the edges of a graph: sums by scatter_add and index_add, attention by a softmax over neighbours."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parameter import Parameter


class Convolution(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = Parameter(torch.FloatTensor(inputs, outputs))
        self.register_parameter("bias", None)
        bound = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-bound, bound)

    def extra_repr(self):
        return f"{self.weight.size(0)} -> {self.weight.size(1)}"

    def forward(self, x, edges):
        source, target = edges
        degree = torch.zeros(x.size(0)).scatter_add_(0, target, torch.ones(target.numel()))
        scale = degree.clamp(min=1).rsqrt()
        messages = (x @ self.weight)[source] * (scale[source] * scale[target]).unsqueeze(1)
        return torch.zeros(x.size(0), messages.size(1)).index_add(0, target, messages)


class Attention(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.project = nn.Linear(inputs, outputs, bias=False)
        self.score = nn.Parameter(torch.empty(2 * outputs))
        nn.init.normal_(self.score, std=0.5)

    def forward(self, x, edges):
        source, target = edges
        h = self.project(x)
        e = F.leaky_relu(torch.cat([h[source], h[target]], dim=-1) @ self.score, 0.2)
        most = torch.full((x.size(0),), -torch.inf).scatter_reduce(0, target, e, reduce="amax", include_self=False)
        e = (e - most.detach()[target]).exp()
        weights = e / torch.zeros(x.size(0)).scatter_add(0, target, e)[target]
        index = target.unsqueeze(-1).expand(-1, h.size(1))
        return torch.zeros_like(h).scatter_add_(0, index, weights.unsqueeze(-1) * h[source]), weights


if __name__ == "__main__":
    torch.manual_seed(0)
    nodes = 10
    adjacency = (torch.rand(nodes, nodes) > 0.6).float()
    adjacency = ((adjacency + adjacency.t()) > 0).float().fill_diagonal_(1)
    edges = adjacency.nonzero().t().contiguous()
    x, label = torch.randn(nodes, 4), torch.randint(0, 3, (nodes,))
    first, second = Convolution(4, 6), Attention(6, 3)
    print(first, second, edges.shape)
    optimizer = torch.optim.Adam([*first.parameters(), *second.parameters()], lr=0.05, weight_decay=5e-4)
    known = torch.zeros(nodes, dtype=torch.bool).index_fill_(0, torch.tensor([0, 2, 3, 7]), True)
    for epoch in range(6):
        optimizer.zero_grad()
        out, weights = second(F.dropout(F.elu(first(x, edges)), 0.3), edges)
        loss = F.nll_loss(F.log_softmax(out, dim=1)[known], label[known])
        loss.backward()
        optimizer.step()
        right = (out.argmax(1) == label)[known].float().mean()
        print(f"{epoch} loss {loss.item():.4f} right {right:.2f} attention {weights.std():.4f}")
    batch = torch.tensor([0] * 4 + [1] * 6)
    print(torch.stack([out[batch == graph].mean(0) for graph in (0, 1)]))
    laplacian = torch.diag(adjacency.sum(1)) - adjacency
    values, vectors = torch.linalg.eigh(laplacian)
    print(values[1:4], vectors[:, 1].abs()[:4], torch.linalg.matrix_rank(laplacian))
