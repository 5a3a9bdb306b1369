import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
features = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
    nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(inplace=False),
).eval()
for p in features.parameters():
    p.requires_grad_(False)
captured = {}
handles = [
    features[i].register_forward_hook(lambda module, inputs, output, i=i: captured.__setitem__(i, output)) for i in (0, 2, 5)
]


def gram(x):
    b, c, h, w = x.size()
    flat = x.view(b * c, h * w)
    return flat @ flat.t() / (b * c * h * w)


content, style = torch.rand(1, 3, 12, 12), torch.rand(1, 3, 12, 12)
features(content)
content_target = captured[5].detach()
features(style)
style_targets = {i: gram(captured[i]).detach() for i in (0, 2)}
image = content.clone().requires_grad_(True)
optimizer = torch.optim.LBFGS([image], max_iter=4)
history = []


def closure():
    with torch.no_grad():
        image.clamp_(0, 1)
    optimizer.zero_grad()
    features(image)
    loss = F.mse_loss(captured[5], content_target) + 1e4 * sum(F.mse_loss(gram(captured[i]), g) for i, g in style_targets.items())
    loss.backward()
    history.append(loss.item())
    return loss


for _ in range(3):
    optimizer.step(closure)
    print(f"style {len(history)}: {history[-1]:.6f}")
for handle in handles:
    handle.remove()

# Deep dream: gradient ascent on what a layer answers.
dream = torch.rand(1, 3, 10, 10, requires_grad=True)
for _ in range(3):
    activation = features[:4](dream).norm()
    activation.backward()
    dream.data += 0.05 * dream.grad / (dream.grad.abs().mean() + 1e-8)
    dream.grad.zero_()
    print(f"dream {activation.item():.5f}")

# Adversarial examples: one step of the gradient's sign, and several within a ball.
classifier = nn.Sequential(features, nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(48, 3))
x, y = torch.rand(5, 3, 12, 12), torch.tensor([0, 1, 2, 0, 1])
x.requires_grad = True
loss = F.nll_loss(F.log_softmax(classifier(x), dim=1), y)
classifier.zero_grad()
loss.backward()
attacked = torch.clamp(x + 0.1 * x.grad.data.sign(), 0, 1)
print(f"FGSM {loss.item():.5f} -> {F.cross_entropy(classifier(attacked), y).item():.5f}")
delta = torch.zeros_like(x).uniform_(-0.1, 0.1).requires_grad_()
for _ in range(3):
    F.cross_entropy(classifier(x.detach() + delta), y).backward()
    delta.data = (delta + 0.04 * delta.grad.sign()).clamp(-0.1, 0.1)
    delta.grad = None
print(f"PGD {F.cross_entropy(classifier(x + delta), y).item():.5f}")
saliency = torch.autograd.grad(classifier(x)[torch.arange(5), y].sum(), x)[0].abs().amax(dim=1)
print(saliency.shape, saliency.mean(dim=(1, 2)))
