"""tinytorch: tensors with automatic differentiation on NumPy, under PyTorch's names.

    import tinytorch as torch
    import tinytorch.nn as nn
"""

import warnings as _warnings

# Division by zero, overflow and nan are values in PyTorch, not warnings. Only warnings raised from this package's own lines are
# silenced; NumPy's settings in the user's code stay as they are.
_warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"tinytorch\.")

from tinytorch import autograd  # noqa: E402, I001 - first: it closes the package's import circle
from tinytorch.autograd import enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled  # noqa: E402
from tinytorch.device import device  # noqa: E402
from tinytorch.dtypes import *  # noqa: E402, F403
from tinytorch.formatting import set_printoptions  # noqa: E402
from tinytorch.kernels.threads import get_num_threads, set_num_threads  # noqa: E402
from tinytorch.ops import *  # noqa: E402, F403
import tinytorch.linalg as linalg  # noqa: E402 - after ops, whose own module "linalg" came along with the names
from tinytorch.random import Generator, default_generator, fork_rng, get_rng_state, initial_seed, manual_seed, seed, set_rng_state  # noqa: E402
from tinytorch.serialization import load, save  # noqa: E402
from tinytorch.size import Size  # noqa: E402
from tinytorch.tensor import Tensor  # noqa: E402
from tinytorch import nn, optim, utils  # noqa: E402
