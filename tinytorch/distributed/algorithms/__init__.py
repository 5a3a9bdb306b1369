"""Algorithms over several processes (``torch.distributed.algorithms``), as far as they mean something for one."""

from tinytorch.distributed.algorithms.join import Join, Joinable, JoinHook

__all__ = ["Join", "JoinHook", "Joinable"]
