import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
centers = torch.randn(4, 10)
labels = torch.arange(80) % 4
points = centers[labels] + 0.4 * torch.randn(80, 10)


class Embedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleDict({"in": nn.Linear(10, 16), "out": nn.Linear(16, 3)})
        self.slope = nn.PReLU()

    def forward(self, x):
        return F.normalize(self.layers["out"](self.slope(self.layers["in"](x))), dim=-1)


def triplets(labels):
    anchors = torch.randint(0, len(labels), (24,))
    same = torch.stack([torch.nonzero(labels == labels[a]).flatten()[0] for a in anchors])
    other = torch.stack([torch.nonzero(labels != labels[a]).flatten()[a % 5] for a in anchors])
    return anchors, same, other


net = Embedding()
print(net)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
for step in range(5):
    e = net(points)
    a, p, n = triplets(labels)
    triplet = nn.TripletMarginLoss(margin=0.5)(e[a], e[p], e[n])
    distance = torch.cdist(e, e)
    target = torch.where(labels[:, None] == labels, 1.0, -1.0)
    contrast = nn.HingeEmbeddingLoss(margin=1.0)(distance[torch.triu(torch.ones_like(distance), 1) > 0], target[torch.triu(torch.ones_like(target), 1) > 0])
    cosine = nn.CosineEmbeddingLoss(margin=0.1)(e[a], e[n], -torch.ones(24))
    similarity = (e @ e.T / 0.2).masked_fill(torch.eye(80, dtype=torch.bool), float("-inf"))
    info = F.cross_entropy(similarity, (torch.arange(80) + 4) % 80)
    loss = triplet + contrast + cosine + 0.1 * info
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{step}: {triplet.item():.5f} {contrast.item():.5f} {cosine.item():.5f} {info.item():.5f}")

with torch.no_grad():
    nearest = torch.cdist(net(points), net(points)).fill_diagonal_(float("inf")).topk(3, largest=False)
    votes = labels[nearest.indices].mode(dim=1).values
    print(f"accuracy {(votes == labels).float().mean():.3f}", nearest.values[0])

teacher, student = nn.Linear(10, 4), nn.Sequential(nn.Linear(10, 5), nn.Hardtanh(), nn.Linear(5, 4))
weights = torch.where(labels == 0, 3.0, 1.0)
loader = DataLoader(TensorDataset(points, labels), batch_size=20, sampler=WeightedRandomSampler(weights, 40))
optimizer = torch.optim.RAdam(student.parameters(), lr=1e-2)
for epoch in range(3):
    for x, y in loader:
        with torch.no_grad():
            soft = F.softmax(teacher(x) / 2.0, dim=-1)
        logits = student(x)
        distill = F.kl_div(F.log_softmax(logits / 2.0, dim=-1), soft, reduction="batchmean") * 4.0
        hard = F.cross_entropy(logits, y)
        mixed = 0.7 * distill + 0.3 * hard
        optimizer.zero_grad(set_to_none=True)
        mixed.backward()
        optimizer.step()
    print(f"distillation {epoch}: {distill.item():.5f} {hard.item():.5f}")
