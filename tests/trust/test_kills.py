"""A few of the runs of ``python -m tests.trust.kills``, and training on a disk that is full."""

import os
import subprocess
import sys

import pytest

import tinytorch
from tests.trust import kills

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")


def test_killed_and_resumed_training_ends_with_the_same_bits():
    command = [sys.executable, "-m", "tests.trust.kills", "--runs", "3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "every run ended with the bits of an unbroken one" in done.stdout


FULL_DISK = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
sys.path.insert(0, sys.argv[1])
sys.argv[:2] = ["train_cnn.py"]
runpy.run_path(sys.path[0] + "/train_cnn.py", run_name="__main__")
"""


def test_training_on_a_full_disk_keeps_the_old_checkpoint(tmp_path):
    path = tmp_path / "last.pt"
    tinytorch.save({"old": tinytorch.arange(3)}, path)
    before = path.read_bytes()
    command = [sys.executable, "-c", FULL_DISK, str(kills.EXAMPLES), *kills.SMALL, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"File too large: '{path}'" in done.stderr, done.stderr
    assert os.listdir(tmp_path) == ["last.pt"] and path.read_bytes() == before
