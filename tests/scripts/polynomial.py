import math

import torch

# Fit sin(x) with a cubic, first by gradients worked out by hand, then with a custom autograd.Function and an optimizer.
torch.manual_seed(0)
x = torch.linspace(-math.pi, math.pi, 2000)
y = torch.sin(x)
a, b, c, d = torch.randn(()), torch.randn(()), torch.randn(()), torch.randn(())
for t in range(200):
    y_pred = a + b * x + c * x**2 + d * x**3
    loss = (y_pred - y).pow(2).sum().item()
    if t % 40 == 0:
        print(t, loss)
    grad_y_pred = 2.0 * (y_pred - y)
    a -= 1e-6 * grad_y_pred.sum()
    b -= 1e-6 * (grad_y_pred * x).sum()
    c -= 1e-6 * (grad_y_pred * x**2).sum()
    d -= 1e-6 * (grad_y_pred * x**3).sum()
print(f"Result: y = {a.item():.4f} + {b.item():.4f} x + {c.item():.4f} x^2 + {d.item():.4f} x^3")


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


p = [torch.full((), value, requires_grad=True) for value in (0.0, -1.0, 0.0, 0.3)]
optimizer = torch.optim.SGD(p, lr=5e-6)
for t in range(200):
    y_pred = p[0] + p[1] * LegendrePolynomial3.apply(p[2] + p[3] * x)
    loss = (y_pred - y).pow(2).sum()
    if t % 40 == 0:
        print(t, loss)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
