"""Replacing a file whole or not at all.

``open(path, "wb")`` empties the old file at once: whoever loses power, or is killed, before the last byte is
written has lost both the old checkpoint and the new one. So the new content goes to a temporary file beside
the old one, is forced to the disk, and only then takes over the name, with one ``rename``, which the file
system does entirely or not at all::

    write a temporary file -> fsync -> rename it -> fsync of the folder, so that the rename lasts

A killed process can leave a temporary file behind. It is hidden, its name ends in ``.tmp``, and nothing ever
reads it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file to write to. It becomes ``path`` when the ``with`` block ends well; else nothing changes.

    A new file gets the permissions that any new file gets (the process's umask), a replaced one keeps its
    own. A symbolic link stays a link: the file that it points to is replaced. What is no regular file
    (``/dev/null``, a pipe) is simply written to.

    Raises RuntimeError if the folder does not exist, OSError as ``open`` does.
    """
    target = os.path.realpath(os.fspath(path))
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    old = os.stat(target) if os.path.exists(target) else None
    if old is not None and not stat.S_ISREG(old.st_mode):
        with open(target, "wb") as file:
            yield file
        return
    temporary = os.path.join(folder, f".tinytorch-{secrets.token_hex(8)}.tmp")
    binary = getattr(os, "O_BINARY", 0)  # Windows would change line ends otherwise
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if old is not None:
            os.chmod(temporary, stat.S_IMODE(old.st_mode))
        os.replace(temporary, target)
    except BaseException:  # also KeyboardInterrupt: whatever the reason, leave nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _sync_folder(folder: str) -> None:
    """Force the folder's entries to the disk, where the system can do that."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    with contextlib.suppress(OSError):  # some network file systems refuse; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
