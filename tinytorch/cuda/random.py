"""Random numbers on a GPU that is not there (``torch.cuda.random``): seeding does nothing."""

from tinytorch.cuda import manual_seed, manual_seed_all

__all__ = ["manual_seed", "manual_seed_all"]
