import copy
import io
import os
import tempfile

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(60, 5)
y = x @ torch.randn(5, 1) + 0.1 * torch.randn(60, 1)
train, held_out = DataLoader(TensorDataset(x[:40], y[:40]), 20, shuffle=True), (x[40:], y[40:])


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = parametrizations.weight_norm(nn.Linear(5, 12, bias=False))
        self.body = nn.Sequential(nn.BatchNorm1d(12), nn.ELU(), nn.Linear(12, 12), nn.Dropout(0.1), nn.Softplus())
        self.head = parametrizations.spectral_norm(nn.Linear(12, 1))

    def forward(self, x):
        return self.head(checkpoint(self.body, self.stem(x), use_reentrant=False))


net = Net()
print(net)
print([name for name, _ in net.named_parameters()])
optimizer = torch.optim.NAdam(net.parameters(), lr=1e-2)
plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=0.05)
best, best_state, waited = float("inf"), None, 0
path = os.path.join(tempfile.mkdtemp(), "best.pt")
for epoch in range(8):
    net.train()
    for bx, by in train:
        optimizer.zero_grad()
        nn.functional.huber_loss(net(bx), by).backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        error = nn.functional.mse_loss(net(held_out[0]), held_out[1]).item()
    plateau.step(error)
    if error < best:
        best, waited = error, 0
        torch.save({"epoch": epoch, "model": net.state_dict(), "optimizer": optimizer.state_dict(), "error": error}, path)
    else:
        waited += 1
        if waited == 2:
            print("early stop")
            break
    print(f"{epoch}: {error:.5f} lr {optimizer.param_groups[0]['lr']:.5f}")
saved = torch.load(path)
other = Net()
print(other.load_state_dict(saved["model"]), saved["epoch"])
other.eval()
print(f"restored {nn.functional.mse_loss(other(held_out[0]), held_out[1]).item():.5f} best {best:.5f}")

sizes, gradients = [], {}
hook = net.body[2].register_full_backward_hook(lambda module, gin, gout: sizes.append((tuple(gin[0].shape), tuple(gout[0].shape))))
net.body[2].bias.register_hook(lambda grad: gradients.__setitem__("bias", grad.norm().item()))
net(x[:4]).sum().backward()
hook.remove()
print(sizes, {key: round(value, 4) for key, value in gradients.items()})
parametrize.remove_parametrizations(net.stem, "weight")
print(type(net.stem).__name__, net.stem)

plain = nn.Sequential(nn.Linear(5, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
averaged = AveragedModel(plain)
optimizer = torch.optim.SGD(plain.parameters(), lr=0.05)
schedule = SWALR(optimizer, swa_lr=0.02, anneal_epochs=2)
for epoch in range(4):
    for bx, by in train:
        optimizer.zero_grad()
        (plain(bx) - by).pow(2).mean().backward()
        optimizer.step()
    averaged.update_parameters(plain)
    schedule.step()
update_bn(train, averaged)
averaged.eval()
print(f"averaged {(averaged(held_out[0]) - held_out[1]).pow(2).mean().item():.5f} of {averaged.n_averaged.item()}")
prune.l1_unstructured(plain[0], "weight", amount=0.5)
prune.random_unstructured(plain[3], "weight", amount=2)
prune.remove(plain[0], "weight")
prune.remove(plain[3], "weight")
print((plain[0].weight == 0).sum().item(), "weights pruned", sorted(plain.state_dict()))
buffer = io.BytesIO()
torch.save(plain.state_dict(), buffer)
buffer.seek(0)
twin = copy.deepcopy(plain)
print(twin.load_state_dict(torch.load(buffer)))
print(f"{twin.eval()(x[:1]).item():.5f} {plain.eval()(x[:1]).item():.5f}")
