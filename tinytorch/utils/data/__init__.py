"""From a pile of samples to a stream of batches (``torch.utils.data``).

Four parts, one file each: a *dataset* knows the samples, a *sampler* decides their order, *collating* turns
a list of samples into a batch, and the *data loader* joins the three.
"""

from tinytorch.utils.data.collate import collate, default_collate, default_collate_fn_map, default_convert
from tinytorch.utils.data.dataloader import DataLoader, get_worker_info
from tinytorch.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from tinytorch.utils.data.distributed import DistributedSampler
from tinytorch.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "collate",
    "default_collate",
    "default_collate_fn_map",
    "default_convert",
    "get_worker_info",
    "random_split",
]
