import numpy as np
import torch

torch.manual_seed(7)
data = [[1, 2], [3, 4]]
x = torch.tensor(data)
print(x, torch.from_numpy(np.array(data)), torch.ones_like(x), torch.rand_like(x, dtype=torch.float))
tensor = torch.rand(3, 4)
print(f"Shape: {tensor.shape}, type: {tensor.dtype}, device: {tensor.device}, layout: {tensor.layout}")
tensor[:, 1] = 0
print(tensor, tensor[0], tensor[..., -1], torch.cat([tensor, tensor], dim=1).shape)
y1, y2, y3 = tensor @ tensor.T, tensor.matmul(tensor.T), torch.empty(3, 3)
torch.matmul(tensor, tensor.T, out=y3)
print(torch.equal(y1, y2), torch.allclose(y1, y3), tensor.sum().item(), type(tensor.sum().item()))
n = np.ones(3)
t = torch.from_numpy(n)
np.add(n, 1, out=n)
t.add_(5)
print(t, n)
print(torch.arange(0, 1, 0.25), torch.linspace(0, 1, 3), torch.logspace(0, 2, 3), torch.full((2,), 7), torch.eye(2))
print(torch.tensor([1e-8, 1.0, 1e8]), torch.tensor([1.5, float("nan"), float("inf")]), torch.tensor([True, False]))
print(torch.randn(2, 3).to(torch.float64), torch.randint(0, 10, (2, 2)), torch.randperm(5), torch.zeros(0), torch.tensor(3))
a = torch.arange(24).reshape(2, 3, 4)
print(a.permute(2, 0, 1).shape, a.transpose(0, 2).stride(), a.is_contiguous(), a.view(-1, 8)[1], a.unsqueeze(1).squeeze().size(-1))
print(a.float().mean(dim=(0, 2)), a.max(dim=1).values, a.float().std(), a.argmin(), torch.cumsum(a, 0)[1, 0], a.flip(0)[0, 0])
print(torch.split(a, [1, 2], dim=1)[1].shape, torch.chunk(a, 2, dim=2)[0].shape, torch.stack([a, a]).ndim, a.numel())
print(torch.where(a % 2 == 0, a, -1)[0], a[a > 20], torch.gather(a[0], 1, torch.tensor([[0, 1], [1, 2], [3, 0]])))
print(torch.einsum("bij,bkj->bik", a.float(), a.float())[1], torch.tensordot(a.float(), torch.ones(4, 2), dims=1).shape)
u, s, v = torch.linalg.svd(torch.tensor([[3.0, 1.0], [1.0, 2.0]]))
print(s, torch.linalg.solve(torch.tensor([[3.0, 1.0], [1.0, 2.0]]), torch.tensor([9.0, 8.0])), torch.linalg.det(torch.eye(3) * 2))
print(a.dtype, (a + 1.5).dtype, (a / 2).dtype, (a // 2).dtype, torch.tensor(1) + torch.tensor(2.5), (a > 3).dtype)
w = torch.tensor([2.0, 3.0], requires_grad=True)
b = torch.tensor([6.0, 4.0], requires_grad=True)
q = 3 * w**3 - b**2
print(q, q.grad_fn.name(), q.requires_grad, w.is_leaf)
q.backward(gradient=torch.tensor([1.0, 1.0]))
print(9 * w**2 == w.grad, -2 * b == b.grad, w.grad)
z = (w * b).sum()
with torch.no_grad():
    print((w * 2).requires_grad, z.detach().requires_grad, z)
for _ in range(2):
    (w.sum() ** 2).backward(retain_graph=True)
    print(w.grad)
w.grad.zero_()
print(w.grad, torch.autograd.functional.jacobian(lambda v: v**2, torch.tensor([1.0, 2.0])))
try:
    torch.ones(2, 3) @ torch.ones(2, 3)
except RuntimeError as error:
    print(type(error).__name__, error)
device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)).to(device)
print(f"Using {device} device", model)
probabilities = torch.nn.Softmax(dim=1)(model(torch.rand(1, 28, 28, device=device)))
print(f"Predicted class: {probabilities.argmax(1)}", probabilities)
for name, param in model.named_parameters():
    print(f"Layer: {name} | Size: {param.size()} | Values : {param[:2]} \n")
