"""What public programs set in ``torch._inductor``, the back end of PyTorch's compiler: nothing listens."""

from __future__ import annotations

import types

__all__ = ["config"]

#: Takes any setting.
config = types.SimpleNamespace(
    cpp=types.SimpleNamespace(), triton=types.SimpleNamespace(), fx_graph_cache=False, max_autotune=False,
    coordinate_descent_tuning=False, epilogue_fusion=True, freezing=False,
)  # fmt: skip
