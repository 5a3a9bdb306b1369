"""Functions of functions: derivatives, batching, modules as functions of their parameters (``torch.func``)."""

from typing import Any

from tinytorch.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from tinytorch.func.functional_call import (
    functional_call,
    functionalize,
    replace_all_batch_norm_modules_,
    stack_module_state,
)
from tinytorch.func.vmap import vmap

__all__ = ["functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp",
           "linearize", "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap"]  # fmt: skip


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
