"""Which version this is, and of which accelerator toolkits: none.

Scripts compare ``torch.__version__`` with the version that brought something they want to call. So ``__version__``
begins with the version of PyTorch whose interface this one follows; tinytorch's own stands behind the plus sign, where
version schemes keep what does not order versions.
"""

from tinytorch.torch_version import TorchVersion

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

__version__ = TorchVersion("2.13.0+tinytorch.0.1.0")
debug = False
cuda = hip = xpu = git_version = None
