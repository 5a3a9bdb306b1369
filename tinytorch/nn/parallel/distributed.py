"""``torch.nn.parallel.distributed``, where scripts also import it from."""

from tinytorch.nn.parallel import DistributedDataParallel

__all__ = ["DistributedDataParallel"]
