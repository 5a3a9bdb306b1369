"""The older name of :func:`tinytorch.hub.load_state_dict_from_url` (``torch.utils.model_zoo``)."""

from typing import Any

from tinytorch.hub import load_state_dict_from_url as load_url
from tinytorch.missing import missing

__all__ = ["load_url"]


def __getattr__(name: str) -> Any:
    """``tqdm`` is here too."""
    if name != "tqdm":
        raise missing(__name__, name)
    from tinytorch.hub import tqdm

    return tqdm
