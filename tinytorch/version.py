"""Which version this is, and of which accelerator toolkits: none."""

__all__ = ["__version__", "cuda", "debug", "git_version", "hip", "xpu"]

__version__ = "0.1.0"
debug = False
cuda = hip = xpu = git_version = None
