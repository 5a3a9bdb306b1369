"""Checks of chapter 16: the CNN."""

import tinytorch
from tinytorch import nn
from tinytorch.learn import quiz
from tinytorch.learn.checking import check_answers


def test_quiz_cnn() -> None:
    conv = nn.Conv2d(1, 6, 5)
    convolved = conv(tinytorch.zeros(64, 1, 28, 28))
    pooled = nn.MaxPool2d(2)(convolved.relu())
    count = sum(parameter.numel() for parameter in conv.parameters())
    check_answers(
        quiz.cnn(), {"parameters": count, "convolved": tuple(convolved.shape), "pooled": tuple(pooled.shape)}, pooled
    )
