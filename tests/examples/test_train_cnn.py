"""The main program, run as a user runs it: from the command line, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinytorch

PROGRAM = Path(__file__).resolve().parents[2] / "examples" / "train_cnn.py"
SMALL = ["--limit", "320", "--held-out", "100", "--batch-size", "32", "--epochs", "3"]


def command(out, *options):
    return [sys.executable, str(PROGRAM), *SMALL, "--out", str(out), *options]


def run(out, *options):
    return subprocess.run(
        command(out, *options), capture_output=True, text=True, timeout=280, check=False, env=environment()
    )


def environment():
    root = str(PROGRAM.parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    out = tmp_path_factory.mktemp("unbroken")
    done = run(out)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def test_it_trains_evaluates_and_leaves_its_files(unbroken):
    out, text = unbroken
    assert "epoch 3/3" in text and "taken for" in text and "held-out digits" in text
    assert {p.name for p in out.iterdir()} == {"best.pt", "last.pt", "curves.png", "history.json"}
    history = json.loads((out / "history.json").read_text())
    assert len(history) == 3 and history[-1]["train_loss"] < history[0]["train_loss"]
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_best_weights_load_in_pytorch(unbroken):
    torch = pytest.importorskip("torch")
    out, _ = unbroken
    weights = torch.load(out / "best.pt", weights_only=True)
    assert weights["block1.0.weight"].shape == (20, 1, 3, 3)


@pytest.mark.slow
def test_stopped_by_ctrl_c_and_resumed_it_gives_the_numbers_of_an_unbroken_run(unbroken, tmp_path):
    process = subprocess.Popen(
        command(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    while not (tmp_path / "last.pt").exists():  # the first epoch is done
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1 and "--resume" in errors
    resumed = run(tmp_path, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed from" in resumed.stdout
    expected = tinytorch.load(unbroken[0] / "last.pt")
    got = tinytorch.load(tmp_path / "last.pt")
    assert got["history"] == expected["history"] and got["best"] == expected["best"]
    for name, value in expected["model"].items():
        np.testing.assert_array_equal(got["model"][name].numpy(), value.numpy(), err_msg=name)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--resume"], "there is no checkpoint"),
        (["--epochs", "0"], "at least 1"),
        (["--download"], "--data"),
        (["--data", "nowhere"], "not found"),
    ],
)
def test_misuse_is_explained(options, text, tmp_path):
    done = run(tmp_path, *options)
    assert done.returncode != 0 and text in done.stderr
