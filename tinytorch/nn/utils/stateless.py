"""The older home of :func:`tinytorch.func.functional_call` (``torch.nn.utils.stateless``)."""

from tinytorch.func.functional_call import functional_call

__all__ = ["functional_call"]
