"""``torch.autograd.profiler``, the older home of :mod:`tinytorch.profiler`."""

from tinytorch.profiler import profile, record_function

__all__ = ["profile", "record_function"]
