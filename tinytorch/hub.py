"""Weights from the internet (``torch.hub``): downloaded once, then read from a cache.

Models themselves are Python code from other people's repositories, written against PyTorch: those are not loaded.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tinytorch.missing import missing
from tinytorch.serialization import load as load_file
from tinytorch.serialization.atomic import replacing

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]


class _Meter:
    """Stands for tqdm's bar where tqdm is not installed: counts, and writes the share done to standard error."""

    def __init__(self, total: int | None = None, disable: bool = False, **settings: Any) -> None:
        self.total, self.disable, self.n = total, disable, 0

    def update(self, n: int = 1) -> None:
        """``n`` more are done."""
        self.n += n
        if not self.disable:
            sys.stderr.write(f"\r{self.n} bytes" if self.total is None else f"\r{100 * self.n / self.total:.1f}%")

    def set_description(self, *args: Any, **keywords: Any) -> None:
        """Has no place to be shown."""

    def close(self) -> None:
        """End the line."""
        self.disable = True

    def __enter__(self) -> _Meter:
        return self

    def __exit__(self, *error: object) -> None:
        if not self.disable:
            sys.stderr.write("\n")


def __getattr__(name: str) -> Any:
    """``tqdm``, which programs take from here: imported when it is asked for."""
    if name != "tqdm":
        raise missing(__name__, name)
    try:
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return _Meter
    return tqdm


HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
_TIMEOUT = 30
_CHUNK = 1 << 20
_directory: str | None = None


def _get_torch_home() -> str:
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))


def get_dir() -> str:
    """Where downloads are kept: ``$TORCH_HOME/hub``, by default ``~/.cache/torch/hub``."""
    return _directory if _directory is not None else os.path.join(_get_torch_home(), "hub")


def set_dir(d: Any) -> None:
    """Keep downloads in another directory."""
    global _directory
    _directory = os.path.expanduser(d)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Fetch ``url`` into the file ``dst``, which appears when it is complete.

    Raises:
        RuntimeError: the file's SHA256 does not begin with ``hash_prefix``. OSError: it cannot be had.
    """
    path = Path(dst).expanduser()
    if progress:
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, replacing(path) as file:
        while part := response.read(_CHUNK):
            digest.update(part)
            file.write(part)
        if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
            raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """What was saved in the file at ``url``; from the cache ``get_dir()/checkpoints`` if it is there already.

    ``check_hash``: the name has to end in ``-<first digits of the SHA256>.<extension>``, and they are compared.
    Only tensors in plain containers are read, whatever ``weights_only`` says. Raises ValueError if the address ends in
    no file name.
    """
    folder = Path(model_dir) if model_dir is not None else Path(get_dir()) / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    if name in ("", ".", ".."):
        raise ValueError(f"{url} ends in no name for a file; give one: file_name=...")
    path = folder / name
    if not path.exists():
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, str(path), found.group(1) if found else None, progress)
    return load_file(path, map_location=map_location)


def _no_code(what: str, repo: Any) -> RuntimeError:
    return RuntimeError(
        f"hub.{what}({str(repo)!r}): the code in such a repository is written for PyTorch. Build the model from its "
        "class, and load its weights with hub.load_state_dict_from_url and model.load_state_dict."
    )


def load(repo_or_dir: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises RuntimeError: code from other repositories is not run."""
    raise _no_code("load", repo_or_dir)


def list(github: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises RuntimeError: code from other repositories is not run."""
    raise _no_code("list", github)


def help(github: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
    """Raises RuntimeError: code from other repositories is not run."""
    raise _no_code("help", github)
