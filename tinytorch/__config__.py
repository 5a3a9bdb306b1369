"""How the library was built, as text for bug reports (``torch.__config__``)."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np

from tinytorch.kernels.threads import get_num_threads
from tinytorch.version import __version__

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The version, and what NumPy says of its own build."""
    with redirect_stdout(io.StringIO()) as text:
        np.show_config()
    return f"tinytorch {__version__}, pure Python on NumPy {np.__version__}\n{text.getvalue()}"


def parallel_info() -> str:
    """How many threads compute."""
    return f"ATen/Parallel:\n\tat::get_num_threads() : {get_num_threads()}\n"
