"""The older name of :func:`tinytorch.hub.load_state_dict_from_url` (``torch.utils.model_zoo``)."""

from tinytorch.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
