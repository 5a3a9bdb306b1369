"""What programs import of it: a context in which :func:`vmap` may index with mapped tensors, as it may here always."""

from __future__ import annotations

import contextlib

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(contextlib.nullcontext[None]):
    """Changes nothing: ``x[index]`` under :func:`tinytorch.vmap` takes mapped indices always."""
