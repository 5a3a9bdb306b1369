import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(3)
data = TensorDataset(torch.rand(160, 1, 12, 12))
train, held_out = random_split(data, [128, 32])
loader = DataLoader(train, batch_size=32, shuffle=True)


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 3, stride=2, padding=1), nn.ReLU()
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4, 8, 2, stride=2), nn.ReLU(), nn.ConvTranspose2d(8, 1, 2, stride=2), nn.Sigmoid()
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


model = AutoEncoder()
print(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=12)
criterion = nn.MSELoss()
for epoch in range(12):
    model.train()
    for (images,) in loader:
        optimizer.zero_grad()
        loss = criterion(model(images), images)
        loss.backward()
        optimizer.step()
    scheduler.step()
    model.eval()
    with torch.no_grad():
        errors = [criterion(model(images), images).item() for (images,) in DataLoader(held_out, batch_size=16)]
    print(f"epoch {epoch}: loss {loss.item():.6f}, held out {sum(errors) / len(errors):.6f}, lr {scheduler.get_last_lr()[0]:.5f}")
