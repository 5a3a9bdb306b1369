import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


def double_conv(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.InstanceNorm2d(outputs, affine=True), nn.LeakyReLU(0.1),
        nn.Conv2d(outputs, outputs, 3, padding=1, padding_mode="reflect"), nn.GELU(),
    )


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2 = double_conv(1, 6), double_conv(6, 12)
        self.pool, self.dropout = nn.MaxPool2d(2), nn.Dropout2d(0.2)
        self.up = nn.ConvTranspose2d(12, 6, 2, stride=2)
        self.merge, self.head = double_conv(12, 6), nn.Conv2d(6, 1, 1)

    def forward(self, x):
        first = self.down1(x)
        deep = self.dropout(self.down2(self.pool(first)))
        up = self.up(deep)
        up = F.pad(up, [0, first.size(3) - up.size(3), 0, first.size(2) - up.size(2)])
        return self.head(self.merge(torch.cat([first, up], dim=1)))


def dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    return (1 - (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


image = torch.rand(4, 1, 13, 13)
mask = (F.avg_pool2d(image, 3, 1, 1) > 0.5).float()
unet = UNet()
optimizer = torch.optim.Adam(unet.parameters(), lr=5e-3)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 4))
for step in range(6):
    logits = unet(image)
    loss = F.binary_cross_entropy_with_logits(logits, mask, pos_weight=torch.tensor(2.0)) + dice_loss(logits, mask)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    print(f"segmentation {step}: {loss.item():.5f} lr {scheduler.get_last_lr()[0]:.5f}")


class SuperResolution(nn.Module):
    def __init__(self, factor=2):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 5, padding=2)
        self.conv2 = nn.Conv2d(12, 8, 3, padding=1, groups=4)
        self.conv3 = nn.Conv2d(8, factor**2, 3, padding="same")
        self.shuffle = nn.PixelShuffle(factor)
        for conv in (self.conv1, self.conv2):
            nn.init.orthogonal_(conv.weight, nn.init.calculate_gain("relu"))

    def forward(self, x):
        return self.shuffle(self.conv3(F.relu(self.conv2(F.relu(self.conv1(x))))))


large = torch.rand(3, 1, 12, 12)
small = F.interpolate(large, scale_factor=0.5, mode="bilinear", align_corners=False)
net = SuperResolution()
optimizer = torch.optim.Adamax(net.parameters(), lr=1e-2)
for step in range(5):
    optimizer.zero_grad()
    mse = F.mse_loss(net(small), large)
    mse.backward()
    optimizer.step()
    print(f"super resolution {step}: psnr {(10 * torch.log10(1 / mse)).item():.4f} dB")
print(F.interpolate(small, size=(12, 12), mode="bilinear", align_corners=True)[0, 0, :2, :3])
