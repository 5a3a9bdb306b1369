"""The container of a checkpoint: a ZIP archive of uncompressed members, each on a 64-byte boundary.

A ZIP archive is a list of members, each behind a small header, and at the end a directory of all of them::

    header, "archive/data.pkl", padding | bytes | header, "archive/data/0", padding | bytes | ... | directory

Why uncompressed, and why the boundary? Because then a storage in the file is exactly the storage in memory:
it can be read in one go, or not read at all but mapped (``load(..., mmap=True)``), and still lies as vector
instructions want it. The padding that moves a member to its boundary hides in the header's "extra field",
which every ZIP reader skips.

Python's ``zipfile`` reads such archives, so the directory is left to it. It cannot be told to align, so
writing is done here; that also makes the bytes depend on nothing but the content: no times, no names of users
or systems.
"""

from __future__ import annotations

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO

__all__ = ["ArchiveReader", "ArchiveWriter", "damaged"]

ALIGNMENT = 64
MAGIC = b"PK\x03\x04"
_ELSEWHERE, _MANY = 0xFFFFFFFF, 0xFFFF  # in a 4-byte or 2-byte field: too large for it, see the "ZIP64" field
_ZIP64_FROM = _ELSEWHERE
_UTF8_NAMES = 0x0800
_DATE = 0x21  # 1 January 1980, the first that ZIP knows
# Signature, version, flags, method, time, date, checksum, size, size, length of the name, of the extra field.
_HEADER = struct.Struct("<IHHHHHIIIHH")
_ENTRY = struct.Struct("<IHHHHHHIIIHHHHHII")  # the same in the directory, with the header's position
_ZIP_ERRORS = (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, EOFError)
_READABLE_VERSIONS = range(1, 11)  # of PyTorch's format


def damaged(reason: str) -> RuntimeError:
    """The error for a file that is not what ``save`` wrote; begins as PyTorch's does."""
    return RuntimeError(
        f"PytorchStreamReader failed reading zip archive: {reason}. The file is damaged, incomplete, or no checkpoint."
    )


class ArchiveWriter:
    """Writes members one after the other. ``write`` is a file's method; nothing is read or rewound."""

    def __init__(self, write: Callable[[Any], Any], name: str = "archive") -> None:
        self._write, self._name = write, name
        self._position = 0
        self._directory: list[bytes] = []
        self._names, self._contents = hashlib.sha256(), hashlib.sha256()

    def add(self, name: str, data: Any) -> None:
        """Append the member ``name`` with the bytes of ``data``, a contiguous buffer."""
        view = memoryview(data).cast("B") if len(data) else memoryview(b"")
        path = f"{self._name}/{name}".encode()
        size, crc, start = len(view), zlib.crc32(view), self._position
        extra = struct.pack("<HHQQ", 1, 16, size, size) if size >= _ZIP64_FROM else b""
        padding = -(start + _HEADER.size + len(path) + len(extra) + 4) % ALIGNMENT
        extra += b"FB" + struct.pack("<H", padding) + b"Z" * padding
        version = 45 if max(size, start) >= _ZIP64_FROM else 20
        about = (_UTF8_NAMES, 0, 0, _DATE, crc, _short(size), _short(size), len(path))
        self._put(_HEADER.pack(0x04034B50, version, *about, len(extra)) + path + extra)
        self._put(view)
        large = [n for n in (size, size, start) if n >= _ZIP64_FROM]
        extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        entry = _ENTRY.pack(0x02014B50, version, version, *about, len(extra), 0, 0, 0, 0, _short(start))
        self._directory.append(entry + path + extra)
        self._names.update(path)
        self._contents.update(struct.pack("<IQ", crc, size))

    def fingerprint(self) -> str:
        """40 digits that tell this content from others: 20 for the names, 20 for the bytes."""
        halves = (int.from_bytes(h.digest()[:8], "little") for h in (self._names, self._contents))
        return "".join(f"{half:020d}" for half in halves)

    def close(self) -> None:
        """Write the directory. Nobody can open an archive without it, so half of one is never used."""
        start, count = self._position, len(self._directory)
        self._put(b"".join(self._directory))
        size = self._position - start
        if max(start, size) >= _ZIP64_FROM or count >= _MANY:
            end = self._position
            self._put(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, count, count, size, start))
            self._put(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        some = min(count, _MANY)
        self._put(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, some, some, _short(size), _short(start), 0))

    def _put(self, data: Any) -> None:
        self._position += len(data)
        written = self._write(data)
        while isinstance(written, int) and written < len(data):  # an unbuffered file may take less at a time
            data = memoryview(data)[written:]
            written = self._write(data)


def _short(number: int) -> int:
    """``number`` as a 4-byte field says it."""
    return number if number < _ZIP64_FROM else _ELSEWHERE


class ArchiveReader:
    """The members of the archive that begins at the position of ``file``.

    Every claim of the directory is checked against the file's size before anything is read: a member must lie
    within the file, uncompressed, and all of them together may not be larger than the file. So a small file
    cannot ask for much memory.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        start = file.tell()
        self._size = file.seek(0, 2)
        try:
            infos = zipfile.ZipFile(file).infolist()
        except _ZIP_ERRORS as error:
            raise damaged(str(error) or type(error).__name__) from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            if info.filename in self._members:
                raise damaged(f"it has two members named {info.filename!r}")
            self._members[info.filename] = info
        if not infos or min(info.header_offset for info in infos) != start:
            raise damaged("it does not begin where its directory says")
        if sum(info.compress_size for info in infos) > self._size:
            raise damaged("its members are said to be larger than the file")
        self._root = infos[0].filename.split("/")[0] + "/"  # older files have other names than "archive"
        if "version" in self:
            version = self.read("version").strip()
            if not (version.isdigit() and len(version) < 4 and int(version) in _READABLE_VERSIONS):
                raise damaged(f"its format version is {version[:20]!r}, and versions 1 to 10 can be read")

    def __contains__(self, name: str) -> bool:
        return self._root + name in self._members

    def read(self, name: str) -> bytes:
        """The bytes of a member, checked by its checksum."""
        offset, size = self.locate(name)
        self._file.seek(offset)
        data = self._file.read(size)
        if len(data) != size:
            raise damaged(f"member {name!r} ends early")
        self._check(name, zlib.crc32(data))
        return data

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill ``target`` with the first bytes of a member; the checksum covers the whole member."""
        offset, size = self.locate(name)
        self._file.seek(offset)
        done, crc = 0, 0
        while done < len(target):
            part = self._file.read(min(len(target) - done, 1 << 24))  # of any file-like object
            if not part:
                raise damaged(f"member {name!r} ends early")
            target[done : done + len(part)] = part
            crc = zlib.crc32(part, crc)
            done += len(part)
        if done < size:
            crc = zlib.crc32(self._file.read(size - done), crc)
        self._check(name, crc)

    def locate(self, name: str) -> tuple[int, int]:
        """Where the bytes of a member begin in the file, and how many there are."""
        info = self._members.get(self._root + name)
        if info is None:
            raise damaged(f"there is no member {name!r}")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
            raise damaged(f"member {name!r} is compressed or encrypted, which checkpoints never are")
        self._file.seek(info.header_offset)
        header = self._file.read(_HEADER.size)
        if len(header) != _HEADER.size or not header.startswith(MAGIC):
            raise damaged(f"there is no header where member {name!r} should begin")
        name_length, extra_length = _HEADER.unpack(header)[-2:]
        offset = info.header_offset + _HEADER.size + name_length + extra_length
        if offset + info.file_size > self._size:
            raise damaged(f"member {name!r} is said to end behind the end of the file")
        return offset, info.file_size

    def _check(self, name: str, crc: int) -> None:
        if crc != self._members[self._root + name].CRC:
            raise damaged(f"the checksum of member {name!r} is wrong")
