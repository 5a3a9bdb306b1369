"""``SummaryWriter`` is not here: writing TensorBoard's event files needs the tensorboard package and its protobufs."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name not in ("SummaryWriter", "FileWriter", "RecordWriter"):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    raise ImportError(
        f"tinytorch.utils.tensorboard.{name} is not implemented. Write your scalars to a file with the csv module, or "
        "give them to the tensorboardX package, which needs no PyTorch: from tensorboardX import SummaryWriter."
    )
