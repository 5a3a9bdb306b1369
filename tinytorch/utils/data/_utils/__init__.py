"""``torch.utils.data._utils``: where PyTorch keeps what its DataLoader is made of. The files are one folder up here."""

from tinytorch.utils.data._utils import collate, worker

__all__ = ["collate", "worker"]
