"""The IDX reader reads every type and refuses everything that is not a whole IDX file."""

from __future__ import annotations

import gzip
import struct
import tracemalloc

import numpy as np
import pytest

from tinytorch.datasets import read_idx

CODES = {0x08: np.uint8, 0x09: np.int8, 0x0B: np.int16, 0x0C: np.int32, 0x0D: np.float32, 0x0E: np.float64}


def encode(array: np.ndarray, code: int) -> bytes:
    header = struct.pack(f">2xBB{array.ndim}I", code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


@pytest.fixture
def write(tmp_path):
    def write(content: bytes):
        path = tmp_path / "file.idx"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("shape", [(1,), (7,), (3, 4), (2, 3, 5), (0,), (0, 4_000_000_000), (1, 2, 1, 2, 1)])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_round_trip(write, code, shape, pack):
    rng = np.random.default_rng(code)
    array = (rng.standard_normal(shape) * 50).astype(CODES[code])
    result = read_idx(write(pack(encode(array, code))))
    assert result.shape == shape
    assert result.dtype == CODES[code]
    assert result.dtype.isnative
    assert result.flags.writeable
    np.testing.assert_array_equal(result, array)


def test_gzip_is_recognized_by_content_not_by_name(tmp_path):
    array = np.arange(6, dtype=np.uint8)
    path = tmp_path / "really-plain.gz"
    path.write_bytes(encode(array, 8))
    np.testing.assert_array_equal(read_idx(str(path)), array)


WHOLE = encode(np.arange(12, dtype=np.uint8).reshape(3, 4), 8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with b''"),
        (b"\0\0\x08", "begins with"),
        (b"<html>not found</html>", "begins with b'<htm'"),
        (b"\0\0\x07\x01" + bytes(8), "unknown element type 0x07"),
        (b"\0\0\x08\x00\x01", "0 dimensions"),
        (b"\0\0\x08\xff" + bytes(1020), "255 dimensions"),
        (WHOLE[:7], "header ends after 7 of 12 bytes"),
        (WHOLE[:-1], "promises 12 bytes|ends after 11 of 12"),
        (WHOLE + b"x", "promises 12 bytes|data after the 12 bytes"),
        (struct.pack(">2xBB2I", 8, 2, 2**32 - 1, 2**32 - 1), "promises 18446744065119617025 bytes"),
        (b"\0\0\x0e\x20" + b"\xff" * 128, "promises [0-9]{300,} bytes"),
        (struct.pack(">2xBB3I", 8, 3, 2**32 - 1, 2**32 - 1, 0) + b"x", "promises 0 bytes|after the 0 bytes"),
    ],
    ids=range(12),
)
def test_damaged_files(write, content, message, pack):
    with pytest.raises(ValueError, match=f"file.idx: not a valid IDX file: .*({message})"):
        read_idx(write(pack(content)))


def test_every_truncation_of_a_compressed_file_is_found(write):
    packed = gzip.compress(WHOLE)
    for length in range(len(packed)):
        with pytest.raises(ValueError, match="not a valid IDX file"):
            read_idx(write(packed[:length]))


def test_flipped_bits_in_a_compressed_file(write):
    array = np.random.default_rng(0).integers(0, 256, 500, dtype=np.uint8)
    packed = bytearray(gzip.compress(encode(array, 8)))
    found = 0
    for position in range(len(packed)):
        packed[position] ^= 0x10
        path = write(bytes(packed))
        packed[position] ^= 0x10
        try:
            result = read_idx(path)
        except ValueError as error:
            assert "not a valid IDX file" in str(error)
            found += 1
        else:  # a time stamp or a padding bit, which change nothing
            np.testing.assert_array_equal(result, array)
    assert found > len(packed) - 12


def peak_memory(path) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="not a valid IDX file"):
            read_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_large_promise_allocates_nothing(write):
    header = struct.pack(">2xBB1I", 8, 1, 2**32 - 1)
    for content in (header, header + bytes(1000), gzip.compress(header + bytes(1000))):
        assert peak_memory(write(content)) < 1_000_000


def test_a_bomb_is_not_unpacked_beyond_its_promise(write):
    bomb = gzip.compress(struct.pack(">2xBB1I", 8, 1, 1000) + bytes(100_000_000))
    assert peak_memory(write(bomb)) < 1_000_000


def test_missing_file_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "nothing")
