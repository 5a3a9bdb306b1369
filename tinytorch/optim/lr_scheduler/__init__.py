"""Learning rate schedulers, under PyTorch's names. Read :mod:`~tinytorch.optim.lr_scheduler.base` first."""

from tinytorch.optim.lr_scheduler.base import LRScheduler
from tinytorch.optim.lr_scheduler.combined import ChainedScheduler, SequentialLR
from tinytorch.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from tinytorch.optim.lr_scheduler.curves import ExponentialLR, LinearLR, PolynomialLR
from tinytorch.optim.lr_scheduler.cyclic import CyclicLR
from tinytorch.optim.lr_scheduler.lambdas import LambdaLR, MultiplicativeLR
from tinytorch.optim.lr_scheduler.one_cycle import OneCycleLR
from tinytorch.optim.lr_scheduler.plateau import ReduceLROnPlateau
from tinytorch.optim.lr_scheduler.steps import ConstantLR, MultiStepLR, StepLR

_LRScheduler = LRScheduler  # the base's old name

__all__ = ["ChainedScheduler", "ConstantLR", "CosineAnnealingLR", "CosineAnnealingWarmRestarts", "CyclicLR",
           "ExponentialLR", "LRScheduler", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "OneCycleLR",
           "PolynomialLR", "ReduceLROnPlateau", "SequentialLR", "StepLR"]  # fmt: skip
