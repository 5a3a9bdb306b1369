"""Checks of chapter 11: optimizers."""

from typing import Any

import numpy as np

from tinytorch import optim
from tinytorch.learn.checking import check_close, leaf, numbers


def walked(kind: Any, gradients: np.ndarray, **options: Any) -> list[np.ndarray]:
    """Where an optimizer leads a parameter from 1, given the gradients of some steps."""
    p = leaf(np.ones(gradients.shape[1:]))
    optimizer = kind([p], **options)
    places = []
    for gradient in gradients:
        p.grad = leaf(gradient).detach()
        optimizer.step()
        places.append(p._array.copy())
    return places


def test_sgd_update() -> None:
    g = numbers(3, 2)
    check_close("p after a step of lr 0.1", walked(optim.SGD, g, lr=0.1)[0], 1 - 0.1 * g[0])
    buffers = [g[0], 0.9 * g[0] + g[1], 0.9 * (0.9 * g[0] + g[1]) + g[2]]
    path = walked(optim.SGD, g, lr=0.1, momentum=0.9)
    check_close("p after two steps with momentum", path[1], 1 - 0.1 * (buffers[0] + buffers[1]))
    check_close("p after three steps with momentum", path[2], 1 - 0.1 * sum(buffers))
    ahead = walked(optim.SGD, g, lr=0.1, momentum=0.9, nesterov=True)
    check_close("p after a step with nesterov", ahead[0], 1 - 0.1 * 1.9 * g[0])
    decayed = walked(optim.SGD, g, lr=0.1, weight_decay=0.5)
    check_close("p after a step with weight decay", decayed[0], 1 - 0.1 * (g[0] + 0.5))
    damped = walked(optim.SGD, g, lr=0.1, momentum=0.9, dampening=0.5)
    check_close("p after two steps with dampening", damped[1], 1 - 0.1 * (g[0] + 0.9 * g[0] + 0.5 * g[1]))


def test_adam_update() -> None:
    g = numbers(2, 3)
    first = walked(optim.Adam, g, lr=0.1, eps=0.0)[0] - 1
    check_close("the first step: lr against the sign of the gradient", first, -0.1 * np.sign(g[0]))
    m = 0.9 * 0.1 * g[0] + 0.1 * g[1]
    v = 0.999 * 0.001 * g[0] ** 2 + 0.001 * g[1] ** 2
    step = -0.1 * (m / (1 - 0.9**2)) / np.sqrt(v / (1 - 0.999**2))
    path = walked(optim.Adam, g, lr=0.1, eps=0.0)
    check_close("the second step", path[1] - path[0], step)
    decoupled = walked(optim.AdamW, g, lr=0.1, eps=0.0, weight_decay=0.5)[0]
    check_close("p after a step of AdamW", decoupled, 1 - 0.1 * 0.5 - 0.1 * np.sign(g[0]))


def test_rmsprop_update() -> None:
    g = numbers(2, 3)
    path = walked(optim.RMSprop, g, lr=0.1, alpha=0.75, eps=0.0)
    check_close("the first step: twice lr, as v is a quarter of g²", path[0] - 1, -0.1 * np.sign(g[0]) * 2)
    v = 0.75 * 0.25 * g[0] ** 2 + 0.25 * g[1] ** 2
    check_close("the second step", path[1] - path[0], -0.1 * g[1] / np.sqrt(v))
    heavy = walked(optim.RMSprop, g, lr=0.1, alpha=0.75, eps=0.0, momentum=0.5)
    check_close("two steps with momentum", heavy[1] - 1, -0.1 * (1.5 * np.sign(g[0]) * 2 + g[1] / np.sqrt(v)))
