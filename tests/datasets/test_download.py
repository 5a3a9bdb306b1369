"""A download is whole and right, or it leaves nothing behind."""

from __future__ import annotations

import builtins
import hashlib
import http.client
import io
import os
import urllib.error
import urllib.request

import pytest

from tinytorch.datasets.download import DownloadError, Resource, download

CONTENT = bytes(range(256)) * 700  # more than one chunk
RESOURCE = Resource("digits.gz", hashlib.md5(CONTENT).hexdigest(), len(CONTENT))


@pytest.fixture
def mirrors(tmp_path):
    """Three mirrors on disk; the function says what each of them serves (None: nothing)."""

    def make(*contents: bytes | None) -> list[str]:
        urls = []
        for number, content in enumerate(contents):
            folder = tmp_path / f"mirror{number}"
            folder.mkdir()
            if content is not None:
                (folder / RESOURCE.name).write_bytes(content)
            urls.append(folder.as_uri() + "/" * (number % 2))  # with and without a slash at the end
        return urls

    return make


@pytest.fixture
def target(tmp_path):
    return tmp_path / "deep" / "target"


def test_success(mirrors, target):
    path = download(RESOURCE, mirrors(CONTENT), target)
    assert path == target / RESOURCE.name
    assert path.read_bytes() == CONTENT
    assert os.listdir(target) == [RESOURCE.name]
    reference = target / "reference"
    reference.touch()
    assert path.stat().st_mode == reference.stat().st_mode  # readable for whom the umask says


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "No such file"),
        (b"", "broke off after 0 of 179200 bytes"),
        (CONTENT[:-1], "broke off after 179199 of 179200 bytes"),
        (CONTENT + b"x", "longer than the expected 179200 bytes"),
        (CONTENT[:-1] + b"x", "MD5 checksum [0-9a-f]{32}, expected " + RESOURCE.md5),
    ],
    ids=["missing", "empty", "truncated", "too long", "wrong"],
)
def test_bad_mirrors(mirrors, target, bad, reason):
    urls = mirrors(bad, bad)
    with pytest.raises(DownloadError, match=reason) as caught:
        download(RESOURCE, urls, target)
    for url in urls:
        assert url.rstrip("/") + "/digits.gz" in str(caught.value)
    assert os.listdir(target) == []


def test_second_mirror_helps(mirrors, target):
    assert download(RESOURCE, mirrors(CONTENT[:100], CONTENT), target).read_bytes() == CONTENT
    assert os.listdir(target) == [RESOURCE.name]


def test_an_old_file_survives_a_failed_download(mirrors, target):
    target.mkdir(parents=True)
    (target / RESOURCE.name).write_bytes(b"old")
    with pytest.raises(DownloadError):
        download(RESOURCE, mirrors(b"new but wrong"), target)
    assert (target / RESOURCE.name).read_bytes() == b"old"
    assert os.listdir(target) == [RESOURCE.name]


@pytest.mark.parametrize(
    "error",
    [
        urllib.error.URLError("no network"),
        TimeoutError("timed out"),
        ConnectionResetError("reset by peer"),
        http.client.IncompleteRead(b"abc", 10),
        http.client.BadStatusLine("?"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("when", ["open", "read"])
def test_network_errors(monkeypatch, target, error, when):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            piece = super().read(size)
            if piece:
                return piece
            raise error

    def urlopen(url, timeout):
        assert timeout > 0
        if when == "open":
            raise error
        return Broken(CONTENT[:1000])

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    with pytest.raises(DownloadError, match=r"http://a.example/digits.gz: .+\n.*http://b.example/digits.gz: "):
        download(RESOURCE, ["http://a.example", "http://b.example/"], target)
    assert os.listdir(target) == []


def test_interruption_leaves_nothing(monkeypatch, target):
    class Interrupted(io.BytesIO):
        def read(self, size=-1):
            raise KeyboardInterrupt

    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        download(RESOURCE, ["http://a.example"], target)
    assert os.listdir(target) == []


def test_endless_answer_is_cut_off(monkeypatch, target):
    served = 0

    class Endless(io.BytesIO):
        def read(self, size=-1):
            nonlocal served
            served += size
            return bytes(size)

    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Endless())
    with pytest.raises(DownloadError, match="longer than"):
        download(RESOURCE, ["http://a.example"], target)
    assert served < len(CONTENT) + 200_000


def test_synced_before_renamed(monkeypatch, mirrors, target):
    calls = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda number: (calls.append("fsync"), fsync(number)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("replace"), replace(a, b)))
    download(RESOURCE, mirrors(CONTENT), target)
    assert calls == ["fsync", "replace"]


def test_without_tqdm(monkeypatch, mirrors, target, capsys):
    real_import = builtins.__import__

    def no_tqdm(name, *args, **keywords):
        if name == "tqdm":
            raise ImportError(name)
        return real_import(name, *args, **keywords)

    monkeypatch.setattr(builtins, "__import__", no_tqdm)
    assert download(RESOURCE, mirrors(CONTENT), target).read_bytes() == CONTENT
    assert capsys.readouterr().err == ""
