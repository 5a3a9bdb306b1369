import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    """Noisy squares and crosses."""

    def __init__(self, size):
        generator = torch.Generator().manual_seed(1)
        self.images = 0.3 * torch.randn(size, 1, 12, 12, generator=generator)
        self.labels = torch.arange(size) % 2
        self.images[::2, :, 3:9, 3:9] += 1
        self.images[1::2, :, 5:7, :] += 1

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return {"image": self.images[index], "label": int(self.labels[index])}


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        )
        self.skip = nn.Identity() if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(outputs, outputs, 1), nn.Sigmoid())

    def forward(self, x):
        y = self.body(x)
        return F.relu(self.skip(x) + y * self.gate(y))


torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), Block(8, 8, 1), Block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2))
for module in model.modules():
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
print(model)
print(sum(p.numel() for p in model.parameters() if p.requires_grad), "parameters")
loader = DataLoader(Shapes(96), batch_size=16, shuffle=True, drop_last=True)
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4, nesterov=True)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=3 * len(loader))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for epoch in range(3):
    model.train()
    seen, correct, total = 0, 0, 0.0
    for batch in loader:
        optimizer.zero_grad()
        logits = model(batch["image"])
        loss = criterion(logits, batch["label"])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(logits)
        correct += (logits.argmax(1) == batch["label"]).sum().item()
        seen += len(logits)
    print(f"epoch {epoch}: loss {total / seen:.4f}, {correct}/{seen}, lr {optimizer.param_groups[0]['lr']:.5f}")
