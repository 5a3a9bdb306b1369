"""Which of PyTorch's public names tinytorch has.

    python -m tinytorch.compat                  # the page COMPATIBILITY.md, as Markdown
    python -m tinytorch.compat --missing torch  # the names that one namespace lacks
    python -m tinytorch.compat --update         # list PyTorch's names again, from the installed torch

The names stand in ``pytorch_names.txt``, so none of this needs PyTorch, except the last. The same list lets the
AttributeError for a missing name say whether it is a name of PyTorch's at all.
"""

from __future__ import annotations

import dataclasses
import importlib
import types
from pathlib import Path
from typing import Any

__all__ = ["Coverage", "coverage", "pytorch_names"]

NAMES_FILE = Path(__file__).with_name("pytorch_names.txt")

#: The namespaces compared. ``torch.Tensor`` is a class, the others are modules.
NAMESPACES = (
    "torch",
    "torch.Tensor",
    "torch.nn",
    "torch.nn.functional",
    "torch.nn.init",
    "torch.nn.utils",
    "torch.nn.utils.rnn",
    "torch.nn.utils.parametrizations",
    "torch.optim",
    "torch.optim.lr_scheduler",
    "torch.optim.swa_utils",
    "torch.autograd",
    "torch.autograd.functional",
    "torch.linalg",
    "torch.fft",
    "torch.special",
    "torch.distributions",
    "torch.func",
    "torch.random",
    "torch.utils.data",
    "torch.signal.windows",
)


@dataclasses.dataclass(frozen=True)
class Coverage:
    """What tinytorch has of one namespace.

    Attributes:
        namespace: PyTorch's name of it, such as ``"torch.nn"``.
        present: the names that are there.
        missing: those that are not.
    """

    namespace: str
    present: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def share(self) -> float:
        """Between 0 and 1."""
        return len(self.present) / (len(self.present) + len(self.missing))


def pytorch_names() -> dict[str, tuple[str, ...]]:
    """PyTorch's public names by namespace, from the list that comes with the package."""
    names = {}
    for section in NAMES_FILE.read_text(encoding="utf-8").split("\n\n"):
        title, *words = section.split()
        names[title.strip("[]")] = tuple(words)
    return names


def coverage() -> list[Coverage]:
    """Compare every namespace.

    >>> [c.share for c in coverage() if c.namespace == "torch.nn.init"]
    [1.0]
    """
    return [_compare(namespace, names) for namespace, names in pytorch_names().items()]


def _compare(namespace: str, names: tuple[str, ...]) -> Coverage:
    here = find(namespace.replace("torch", "tinytorch", 1))
    present = tuple(name for name in names if hasattr(here, name))
    return Coverage(namespace, present, tuple(name for name in names if name not in present))


def find(path: str) -> Any:
    """The module or class of a dotted path; None if there is none."""
    here: Any = None
    for end, name in enumerate(path.split("."), 1):
        try:
            here = importlib.import_module(".".join(path.split(".")[:end]))
        except ModuleNotFoundError:
            here = getattr(here, name, None)
    return here


def names_of(namespace: str) -> list[str]:
    """The public names of a namespace of the installed PyTorch.

    A module's are those of its ``__all__`` where it keeps one, otherwise all it defines; submodules, type variables and
    the classes of PyTorch's compiler are left out.
    """
    found = find(namespace)
    names = [name for name in getattr(found, "__all__", dir(found)) if not name.startswith("_")]
    return sorted(name for name in names if _is_public(found, name))


def _is_public(found: Any, name: str) -> bool:
    value = getattr(found, name, None)
    if value is None or isinstance(value, types.ModuleType):
        return False
    origin = getattr(value, "__module__", None) or "torch"
    if isinstance(value, type) and (origin in ("torch._C", "torch.jit") or type(value).__name__ == "pybind11_type"):
        return name in ("Generator", "Stream", "Event")
    return origin.startswith("torch") or isinstance(found, type) or not callable(value)
