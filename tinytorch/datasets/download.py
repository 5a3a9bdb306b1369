"""Fetching a file so that it is either there, whole and right, or not there at all.

Downloads break off, mirrors serve an error page under the file's name, disks fill up. Hence the order here:
write to a temporary name in the same folder, check length and checksum, force the bytes to disk, and only
then rename. Renaming within a folder is atomic, so nobody ever sees half a file under the real name.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import secrets
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

_TIMEOUT = 30  # seconds without any byte
_CHUNK = 1 << 16


class Resource(NamedTuple):
    """A published file: what a right copy of it looks like."""

    name: str
    md5: str
    size: int


class DownloadError(RuntimeError):
    """No mirror gave a right copy; the message lists what each of them said."""


def download(resource: Resource, mirrors: Iterable[str], folder: str | os.PathLike[str]) -> Path:
    """Fetch ``resource`` from the first mirror that has a right copy, into ``folder`` (made if missing).

    Args:
        resource: name below each mirror, MD5 checksum and length.
        mirrors: base addresses, tried in order.
        folder: where the file goes.

    Returns:
        The path of the file.

    Raises:
        DownloadError: a RuntimeError; no mirror worked. Nothing is left in the folder.
    """
    path = Path(folder) / resource.name
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    for mirror in mirrors:
        url = mirror.rstrip("/") + "/" + resource.name
        try:
            _download_one(url, resource, path)
        except (OSError, ValueError, http.client.HTTPException) as error:
            reasons.append(f"  {url}: {error or type(error).__name__}")
        else:
            return path
    raise DownloadError(f"could not download {resource.name}; tried:\n" + "\n".join(reasons))


def _download_one(url: str, resource: Resource, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response, open(temporary, "xb") as file:
            _copy_checked(response, file, resource)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)  # after the rename there is nothing under this name


def _copy_checked(source: BinaryIO, target: BinaryIO, resource: Resource) -> None:
    """Copy, then compare length and checksum. Stops at the first byte too many: nobody can fill the disk."""
    digest = hashlib.md5(usedforsecurity=False)
    received = 0
    advance, close = _progress(resource)
    try:
        while piece := source.read(_CHUNK):
            received += len(piece)
            if received > resource.size:
                raise ValueError(f"longer than the expected {resource.size} bytes")
            digest.update(piece)
            target.write(piece)
            advance(len(piece))
    finally:
        close()
    if received != resource.size:
        raise ValueError(f"broke off after {received} of {resource.size} bytes")
    if digest.hexdigest() != resource.md5:
        raise ValueError(f"MD5 checksum {digest.hexdigest()}, expected {resource.md5}")


def _progress(resource: Resource) -> tuple[Callable[[int], object], Callable[[], object]]:
    """A tqdm bar where tqdm is installed, else nothing."""
    try:
        from tqdm import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        return lambda count: None, lambda: None
    bar = tqdm(total=resource.size, desc=resource.name, unit="B", unit_scale=True)
    return bar.update, bar.close
