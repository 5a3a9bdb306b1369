"""Optimizers and learning rate schedulers, under PyTorch's names.

Read :mod:`~tinytorch.optim.optimizer`, :mod:`~tinytorch.optim.sgd`, :mod:`~tinytorch.optim.adam` and
:mod:`~tinytorch.optim.blocks` first; then :mod:`tinytorch.optim.lr_scheduler`.
"""

from typing import Any

from tinytorch.optim import lr_scheduler
from tinytorch.optim.adadelta import Adadelta
from tinytorch.optim.adafactor import Adafactor
from tinytorch.optim.adagrad import Adagrad
from tinytorch.optim.adam import Adam
from tinytorch.optim.adamax import Adamax
from tinytorch.optim.adamw import AdamW
from tinytorch.optim.asgd import ASGD
from tinytorch.optim.lbfgs import LBFGS
from tinytorch.optim.muon import Muon
from tinytorch.optim.nadam import NAdam
from tinytorch.optim.optimizer import Optimizer
from tinytorch.optim.radam import RAdam
from tinytorch.optim.rmsprop import RMSprop
from tinytorch.optim.rprop import Rprop
from tinytorch.optim.sgd import SGD
from tinytorch.optim.sparse_adam import SparseAdam

__all__ = ["ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam",
           "Optimizer", "RAdam", "RMSprop", "Rprop", "SparseAdam", "lr_scheduler"]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "swa_utils":  # loaded when first asked for
        import importlib

        return importlib.import_module("tinytorch.optim.swa_utils")
    from tinytorch.missing import missing

    raise missing(__name__, name)
