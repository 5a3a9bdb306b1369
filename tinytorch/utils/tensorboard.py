"""``SummaryWriter`` is not here: writing TensorBoard's event files needs the tensorboard package and its protobufs."""

raise ImportError(
    "tinytorch.utils.tensorboard is not implemented. Write your scalars to a file with the csv module, or give them to "
    "the tensorboardX package, which needs no PyTorch: from tensorboardX import SummaryWriter."
)
