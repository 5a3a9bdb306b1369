"""Replacing a file whole or not at all.

``open(path, "wb")`` empties the old file at once: whoever loses power, or is killed, before the last byte is
written has lost both the old checkpoint and the new one. So the new content goes to a temporary file beside
the old one, is forced to the disk, and only then takes over the name, with one ``rename``, which the file
system does entirely or not at all::

    write a temporary file -> fsync -> rename it -> fsync of the folder, so that the rename lasts

Where the system can, the temporary file has no name while it is written (``O_TMPFILE``), so that a killed process
leaves nothing behind, unless it is killed between the two system calls that name and rename it. Then, and where files
always have names, a hidden file can stay whose name ends in ``.tmp``, which nothing ever reads.
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

    Raises RuntimeError if the folder does not exist, and OSError, naming ``path``, when it cannot be written: the
    disk is full, the folder is read-only.
    """
    target = os.path.realpath(os.fspath(path))
    folder = os.path.dirname(target)
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {folder} does not exist.")
    temporary = os.path.join(folder, f".tinytorch-{secrets.token_hex(8)}.tmp")
    try:
        old = os.stat(target) if os.path.exists(target) else None
        if old is not None and not stat.S_ISREG(old.st_mode):
            with open(target, "wb") as file:
                yield file
            return
        with os.fdopen(_create(folder, temporary), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            nameless = os.fstat(file.fileno()).st_nlink == 0
            if old is not None:
                os.chmod(file.fileno() if nameless else temporary, stat.S_IMODE(old.st_mode))
            if nameless:
                _give_name(file.fileno(), temporary, target)
        if not nameless:
            os.replace(temporary, target)
    except BaseException as error:  # also KeyboardInterrupt: whatever the reason, leave nothing behind
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, temporary):
            raise OSError(error.errno, os.strerror(error.errno), target) from error  # "No space left", but where?
        raise
    _sync_folder(folder)


def _create(folder: str, temporary: str) -> int:
    """A descriptor of a new file in ``folder``: without a name if the system and the file system know that."""
    if hasattr(os, "O_TMPFILE") and os.path.isdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            return os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o666)
    binary = getattr(os, "O_BINARY", 0)  # Windows would change line ends otherwise
    return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | binary, 0o666)


def _give_name(descriptor: int, temporary: str, target: str) -> None:
    """Enter a file without a name into its folder, in the place of ``target``: a link alone can replace nothing."""
    here = os.open("/proc/self/fd", os.O_RDONLY)
    try:
        os.link(str(descriptor), temporary, src_dir_fd=here)  # links are followed with a dir_fd, and not without one
        os.replace(temporary, target)
    finally:
        os.close(here)


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
