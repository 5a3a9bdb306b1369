import torch
from torch import nn


class MixerBlock(nn.Module):
    def __init__(self, patches, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.tokens = nn.Sequential(nn.Linear(patches, 16), nn.GELU(), nn.Linear(16, patches))
        self.channels = nn.Sequential(nn.Linear(channels, 32), nn.GELU(approximate="tanh"), nn.Linear(32, channels))

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


class ViT(nn.Module):
    def __init__(self, image=12, patch=4, dim=16, depth=2, heads=4, classes=3):
        super().__init__()
        count = (image // patch) ** 2
        self.patch = nn.Conv2d(1, dim, kernel_size=patch, stride=patch)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.position = nn.Parameter(torch.randn(1, count + 1, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, heads, 32, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.position
        return self.head(self.encoder(x)[:, 0])


torch.manual_seed(0)
images, labels = torch.rand(24, 1, 12, 12), torch.randint(0, 3, (24,))
mixer = nn.Sequential(
    nn.Unfold(4, stride=4), MixerBlock(16, 9), nn.Flatten(), nn.Linear(144, 3)
)
vit = ViT()
print(vit.encoder.layers[0])
for name, model in (("mixer", mixer), ("vit", vit)):
    print(name, sum(p.numel() for p in model.parameters()))
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], lr=3e-3)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=2)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[2])
    for step in range(6):
        share = torch.distributions.Beta(0.4, 0.4).sample().item()
        order = torch.randperm(len(images))
        mixed = share * images + (1 - share) * images[order]
        logits = model(mixed)
        losses = nn.functional.cross_entropy(logits, labels, reduction="none"), nn.functional.cross_entropy(logits, labels[order], reduction="none")
        loss = (share * losses[0] + (1 - share) * losses[1]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        print(f"{step}: share {share:.4f} loss {loss.item():.5f} lr {scheduler.get_last_lr()[0]:.6f}")
    model.eval()
    with torch.inference_mode():
        print(model(images).softmax(-1)[0])
