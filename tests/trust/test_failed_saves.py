"""Full disk, read-only folder, Ctrl-C while saving: an error that names the file, the old one whole, nothing beside it."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tinytorch
from tinytorch.serialization.safetensors import save_file

resource = pytest.importorskip("resource")


def raising(number: int) -> Callable[..., Any]:
    """A system call that fails, as Python tells it: with the file's name if it got one."""

    def fail(*args: Any, **options: Any) -> Any:
        raise OSError(number, os.strerror(number), *[name for name in args if isinstance(name, str)][:1])

    return fail


def interrupted(*args: Any, **options: Any) -> Any:
    raise KeyboardInterrupt


class HalfWay:
    """A file on a disk with room for 100 kB."""

    def __init__(self, file: Any) -> None:
        self.file, self.room = file, 100_000

    def __enter__(self) -> HalfWay:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, data: Any) -> int:
        fits, self.room = data[: max(self.room, 0)], self.room - len(data)
        self.file.write(fits)
        return len(data) if self.room >= 0 else raising(errno.ENOSPC)()


#: Which function fails, what it does instead, the number of the error.
FAILURES: dict[str, tuple[str, Callable[..., Any], int]] = {
    "disk full while writing": ("fdopen", lambda *args, fdopen=os.fdopen: HalfWay(fdopen(*args)), errno.ENOSPC),
    "disk full at the end": ("fsync", raising(errno.ENOSPC), errno.ENOSPC),
    "read-only folder": ("open", raising(errno.EROFS), errno.EROFS),
    "folder of another user": ("open", raising(errno.EACCES), errno.EACCES),
    "disk full at the renaming": ("replace", raising(errno.ENOSPC), errno.ENOSPC),
    "disk broken": ("fsync", raising(errno.EIO), errno.EIO),
}
SAVES = {"save": tinytorch.save, "safetensors": lambda tensor, path: save_file({"x": tensor}, path)}


@contextlib.contextmanager
def nothing_changes(path: Any, error: type[BaseException] = OSError) -> Iterator[pytest.ExceptionInfo]:
    """The ``with`` block fails to save, and the file is still the old one, alone in its folder."""
    tinytorch.save(tinytorch.arange(3), path)
    before = path.read_bytes()
    with pytest.raises(error) as caught:
        yield caught
    assert os.listdir(path.parent) == [path.name] and path.read_bytes() == before


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed", "named"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_save_changes_nothing(failure, unnamed, save, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    name, instead, number = FAILURES[failure]
    with nothing_changes(path) as caught, monkeypatch.context() as patched:
        if not unnamed:
            patched.delattr(os, "O_TMPFILE", raising=False)
        patched.setattr(os, name, instead)
        save(tinytorch.arange(50_000), path)
    assert str(caught.value) == f"[Errno {number}] {os.strerror(number)}: '{path}'"


@pytest.mark.parametrize("unnamed", [True, False], ids=["unnamed", "named"])
def test_interrupted_saves_leave_nothing(unnamed, tmp_path, monkeypatch):
    for name in ("fsync", "replace"):
        with nothing_changes(tmp_path / "model.pt", KeyboardInterrupt), monkeypatch.context() as patched:
            if not unnamed:
                patched.delattr(os, "O_TMPFILE", raising=False)
            patched.setattr(os, name, interrupted)
            tinytorch.save(tinytorch.arange(50_000), tmp_path / "model.pt")


def test_a_limit_of_the_system(tmp_path):
    path = tmp_path / "model.pt"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with nothing_changes(path) as caught:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
            tinytorch.save(tinytorch.arange(50_000), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(caught.value) == f"[Errno {errno.EFBIG}] {os.strerror(errno.EFBIG)}: '{path}'"


@pytest.mark.parametrize("path", ["/dev/full", "/proc/model.pt"])
def test_places_that_take_nothing(path):
    if not os.path.exists("/dev/full"):
        pytest.skip("Linux alone has it")
    with pytest.raises(OSError, match=path):
        tinytorch.save(tinytorch.arange(50_000), path)


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "folder").touch()
    with pytest.raises(RuntimeError, match="folder does not exist"):
        tinytorch.save(1, tmp_path / "folder" / "model.pt")
