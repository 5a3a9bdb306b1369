"""Processes that share tensors: torch.multiprocessing's functions, and tensors in shared memory."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.multiprocessing

import tinytorch
import tinytorch.multiprocessing as mp
from tinytorch import nn

ROOT = Path(tinytorch.__file__).parents[1]
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


# ------------------------------------------------------------------------------------------- shared tensors


def in_a_fork(action: Any) -> None:
    child = os.fork()
    if child == 0:
        action()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_changes_in_a_forked_process_are_seen() -> None:
    counts, alone = tinytorch.zeros(2, 3).share_memory_(), tinytorch.zeros(2, 3)
    row = counts[1]
    assert counts.is_shared() and row.is_shared() and not alone.is_shared()
    in_a_fork(lambda: (counts.add_(1), row.mul_(5), alone.add_(1)))
    assert counts.tolist() == [[1, 1, 1], [5, 5, 5]] and alone.tolist() == [[0, 0, 0]] * 2


def test_a_shared_model_learns_in_another_process() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    optimizers = [tinytorch.optim.Adam(model.parameters()), tinytorch.optim.SGD(model.parameters(), 0.1, momentum=0.9)]
    assert model.share_memory() is model
    model.share_memory()  # once more changes nothing
    before = {key: value.clone() for key, value in model.state_dict().items()}

    def learn() -> None:
        for optimizer in optimizers:
            model(tinytorch.rand(5, 1, 4, 4)).square().sum().backward()
            optimizer.step()

    in_a_fork(learn)
    for key, value in model.state_dict().items():
        assert value.is_shared() and not tinytorch.equal(value, before[key]), key


@pytest.mark.parametrize(
    "make",
    [
        lambda T: T.tensor(1.5), lambda T: T.zeros(0, 3), lambda T: T.rand(300, 500), lambda T: T.arange(4).bool(),
        lambda T: T.rand(2, 3).t().contiguous(), lambda T: T.rand(2, 3).exp(), lambda T: T.rand(3, 4).T.clone(),
        lambda T: T.rand(3, requires_grad=True), lambda T: T.zeros(2, dtype=T.complex128),
    ],
)  # fmt: skip
def test_values_and_strides_stay(make: Any) -> None:
    found = []
    for library in (tinytorch, torch):
        library.manual_seed(0)
        x = make(library)
        y = x.clone()
        assert x.share_memory_() is x and x.is_shared()
        found.append((library.equal(x, y), x.stride(), str(x.dtype), x.requires_grad, x.is_leaf))
    assert found[0] == found[1]


def test_what_others_see_does_not_move_without_them() -> None:
    whole = tinytorch.rand(3, 4)
    view = whole[1]
    array = tinytorch.rand(3)
    numbers = array.numpy()
    detached = tinytorch.rand(3)
    same = detached.detach()
    given = np.zeros(3)
    for seen in (whole, view, array, detached, tinytorch.from_numpy(given[1:]), tinytorch.rand(3, 4).T):
        with pytest.raises(RuntimeError, match=r"would not move with it\. Call share_memory_\(\) before"):
            seen.share_memory_()
    del view, numbers, same
    for alone in (whole, array, detached):
        assert alone.share_memory_().is_shared()


def test_pickling_copies() -> None:
    x = tinytorch.ones(3).share_memory_()
    y = pickle.loads(pickle.dumps(x))
    y += 1
    assert not y.is_shared() and x.tolist() == [1, 1, 1]


# ------------------------------------------------------------------------------------------- processes


def test_the_names_are_there() -> None:
    assert set(torch.multiprocessing.__all__) <= set(dir(mp))
    assert tinytorch.multiprocessing is mp and mp.get_sharing_strategy() == torch.multiprocessing.get_sharing_strategy()
    mp.set_sharing_strategy("file_system")
    with pytest.raises(ValueError, match="unknown sharing strategy 'x'"):
        mp.set_sharing_strategy("x")


SCRIPT = """
import tinytorch as torch
import tinytorch.multiprocessing as mp

def fill(i, x, queue, taken):
    x[i] = i + 1
    queue.put((i, x))
    taken.wait()

if __name__ == "__main__":
    for method in ("spawn", "forkserver"):
        context = mp.get_context(method)
        queue, taken = context.Queue(), context.Event()
        x = torch.zeros(2).share_memory_()
        running = mp.start_processes(fill, (x, queue, taken), nprocs=2, join=False, start_method=method)
        received = [queue.get()[1] for _ in range(2)]
        taken.set()
        while not running.join():
            pass
        received[0] *= 10
        print(x.tolist(), [y.is_shared() for y in received])
"""


def test_tensors_sent_to_processes_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ran.stdout == "[10.0, 20.0] [True, True]\n" * 2, ran.stderr


def fail(i: int, how: str) -> None:
    if i == 1:
        exec(how)
    if "long" not in how:
        import time

        time.sleep(60)


@pytest.mark.parametrize(
    "how", ["raise ValueError('no')", "sys.exit(3)", "os.kill(os.getpid(), 9)", "raise ValueError('long' * 100_000)"]
)
def test_a_process_that_fails_ends_the_others(how: str) -> None:
    found = []
    for library in (mp, torch.multiprocessing):
        if "long" in how and library is not mp:
            continue
        with pytest.raises(Exception, match=r"(?i)process 1 terminated with") as caught:
            library.start_processes(fail, (how,), nprocs=2, start_method="fork")
        error: Any = caught.value
        found.append((type(error).__name__, error.error_index, getattr(error, "exit_code", 0), str(error)[:60]))
        assert error.__reduce__()[1][0] == error.msg
    assert found[0] == found[-1]


def test_spawn_warns_of_other_methods_and_returns_at_once_without_join(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    monkeypatch.setattr(mp, "start_processes", lambda *args: started.append(args))
    with pytest.warns(FutureWarning, match="use start_processes"):
        mp.spawn(fail, ("pass",), 2, start_method="fork")
    assert started == [(fail, ("pass",), 2, True, False, "spawn")]
    monkeypatch.undo()
    running = mp.start_processes(fail, ("'long'",), nprocs=2, join=False, start_method="fork")
    assert running is not None and len(running.pids()) == 2
    while not running.join(60):
        pass
    assert running.join()
