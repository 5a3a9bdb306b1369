"""Checks of chapter 16: the CNN."""

import tinytorch
from tinytorch import nn
from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers
from tinytorch.learn.workshop import receptive_field


def test_quiz_cnn() -> None:
    conv = nn.Conv2d(1, 6, 5)
    convolved = conv(tinytorch.zeros(64, 1, 28, 28))
    pooled = nn.MaxPool2d(2)(convolved.relu())
    count = sum(parameter.numel() for parameter in conv.parameters())
    check_answers(
        quiz.cnn(), {"parameters": count, "convolved": tuple(convolved.shape), "pooled": tuple(pooled.shape)}, pooled
    )


def test_receptive_field() -> None:
    def conv(kernel: int, stride: int = 1) -> nn.Module:
        return nn.Conv2d(1, 1, (kernel, kernel), stride)

    for layers in (
        [conv(3)],
        [conv(3), conv(3)],
        [conv(3), nn.ReLU(), nn.AvgPool2d(2), conv(3)],
        [conv(5, 2), nn.AvgPool2d(2), conv(3), conv(3)],
    ):
        model = nn.Sequential(*layers)
        yours, truth = receptive_field(model), pixels_seen(model)
        assert yours == truth, f"one number sees {truth} pixels in a row, not {yours}, behind {model}"


def pixels_seen(model: nn.Module) -> int:
    """How many columns of an image have an influence on one number of the output: those with a gradient."""
    for parameter in model.parameters():
        nn.init.ones_(parameter)  # so that nothing cancels, and no ReLU is dead
    image = tinytorch.rand(1, 1, 40, 40, requires_grad=True)
    model(image)[0, 0, 1, 1].backward()
    assert image.grad is not None
    return int((image.grad[0, 0] != 0).any(0).sum())
