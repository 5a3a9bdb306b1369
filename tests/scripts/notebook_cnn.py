import torch
import torch.nn as nn


def layer(inputs, outputs, size, padding=0):
    return [nn.Conv2d(inputs, outputs, size, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU()]


class CNNExample(nn.Module):
    def __init__(self):
        super(CNNExample, self).__init__()
        self.block1 = nn.Sequential(*layer(1, 20, 3, 1), *layer(20, 20, 3, 1), *layer(20, 20, 3, 1), nn.MaxPool2d(2, 2))
        self.block2 = nn.Sequential(*layer(20, 40, 3, 1), *layer(40, 40, 3, 1), *layer(40, 40, 3, 1), nn.MaxPool2d(2, 2))
        self.conv1 = nn.Sequential(*layer(40, 60, 3))
        self.conv2 = nn.Sequential(*layer(60, 40, 1))
        self.conv3 = nn.Sequential(*layer(40, 20, 1))
        self.avg1 = nn.AvgPool2d(5)
        self.fc1 = nn.Linear(20, 10)

    def forward(self, x):
        c5 = self.conv3(self.conv2(self.conv1(self.block2(self.block1(x)))))
        return self.fc1(torch.flatten(self.avg1(c5), 1))


torch.set_default_dtype(torch.float64)  # in single precision 50 steps let rounding grow to percents, in any library
torch.manual_seed(0)
model = CNNExample()
print(sum(p.numel() for p in model.parameters()), [round(p.std().item(), 6) for p in model.parameters() if p.dim() > 1])
images, labels = torch.rand(8, 1, 28, 28), torch.randint(10, (8,))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
for step in range(50):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    print(f"{step} {loss.item():.5f}")
model.eval()
print(model(images).argmax(1))
torch.set_default_dtype(torch.float32)
