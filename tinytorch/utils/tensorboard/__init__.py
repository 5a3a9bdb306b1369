"""``SummaryWriter``: scalars, histograms, images, graphs for TensorBoard (``torch.utils.tensorboard``).

The files are TensorBoard's own; to write them nothing is needed but this package, to look at them TensorBoard.
"""

from tinytorch.utils.tensorboard.records import FileWriter
from tinytorch.utils.tensorboard.writer import SummaryWriter

__all__ = ["FileWriter", "SummaryWriter"]
