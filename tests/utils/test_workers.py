"""Loaders with worker processes: PyTorch's batches, random numbers and errors; and nothing is left when they end."""

from __future__ import annotations

import gc
import os
import random
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils.data

import tinytorch
import tinytorch.utils.data
from tinytorch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

LIBRARIES = [tinytorch, torch]
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning"),
    pytest.mark.filterwarnings("ignore:This process:DeprecationWarning"),
]


class Numbers(Dataset):
    """``function(i)`` for i below n."""

    def __init__(self, n, function=lambda i: i):
        self.n, self.function = n, function

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.function(i)


def loader(n, function, **options):
    return DataLoader(Numbers(n, function), multiprocessing_context="fork", **{"num_workers": 2, **options})


def children():
    """The numbers of this process's children that have not ended, or that nobody has waited for."""
    found = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True)
    return {line for line in found.stdout.splitlines() if not line.endswith(" ps")}


@pytest.fixture(autouse=True, scope="module")
def no_process_is_left():
    before = children()
    yield
    gc.collect()  # errors that tests caught may keep iterators alive
    assert not children() - before


# ------------------------------------------------------------------------------------- beside PyTorch


def noisy(library):
    class Noisy(library.utils.data.Dataset):
        """Draws from all three generators."""

        def __len__(self):
            return 7

        def __getitem__(self, i):
            return i, library.rand(1).item(), np.random.rand(), random.random()

    return Noisy()


def stream(library):
    class Stream(library.utils.data.IterableDataset):
        """The first worker has less to give than the others."""

        def __iter__(self):
            info = library.utils.data.get_worker_info()
            start, step = (0, 1) if info is None else (info.id, info.num_workers)
            return iter(range(start, 9 if start else 4, step))

    return Stream()


def batches(library, dataset, epochs=1, **options):
    library.manual_seed(1)
    random.seed(2)
    np.random.seed(3)
    loader = library.utils.data.DataLoader(dataset(library), multiprocessing_context="fork", **options)
    read = [
        [[getattr(part, "tolist", lambda p=part: p)() for part in batch] for batch in loader] for _ in range(epochs)
    ]
    return read, library.rand(1).item(), random.random(), np.random.rand()


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 2, "batch_size": 2, "shuffle": True},
        {"num_workers": 3, "batch_size": 2, "persistent_workers": True},
        {"num_workers": 1, "batch_size": 3, "worker_init_fn": lambda worker: np.random.seed(worker + 5)},
    ],
    ids=lambda options: ",".join(f"{key}={value}" for key, value in options.items() if not callable(value)),
)
def test_the_dataset_draws_the_same_numbers(options):
    mine, theirs = (batches(library, noisy, epochs=2, **options) for library in LIBRARIES)
    for epoch, expected in zip(mine[0], theirs[0], strict=True):
        for batch, expected_batch in zip(epoch, expected, strict=True):
            np.testing.assert_allclose(batch, expected_batch, rtol=1e-6)
    np.testing.assert_allclose(mine[1:], theirs[1:], rtol=1e-6)  # the main process's generators are left alone


@pytest.mark.parametrize("options", [{"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"num_workers": 3}])
def test_streams_are_read_by_all_workers_in_turn(options):
    options = {"num_workers": 2, "persistent_workers": True, **options}
    mine, theirs = (batches(library, stream, epochs=2, **options)[0] for library in LIBRARIES)
    assert mine == theirs


def test_what_a_worker_knows_of_itself():
    def look(library):
        def info(i):
            found = library.utils.data.get_worker_info()
            assert found.dataset[0] is None if i else True
            with pytest.raises(Exception, match="id"):
                found.id = 3
            return [found.id, found.num_workers, found.seed, found.worker_method, library.get_num_threads()]

        class Asking(library.utils.data.Dataset):
            def __len__(self):
                return 4

            def __getitem__(self, i):
                return info(i) if i else None

        library.manual_seed(0)
        loader = library.utils.data.DataLoader(Asking(), None, sampler=[1, 2, 3], num_workers=2)
        return [list(sample) for sample in loader], library.utils.data.get_worker_info()

    assert look(tinytorch) == look(torch)


class Picky(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


@pytest.mark.parametrize(
    "error", [ValueError("no sample"), KeyError("name"), IndexError(), Picky(1, 2), StopAsyncIteration("x")], ids=repr
)
def test_errors_in_a_worker_are_raised_with_their_traceback(error):
    def first_error(library):
        class Failing(library.utils.data.Dataset):
            def __len__(self):
                return 8

            def __getitem__(self, i):
                if i == 4:
                    raise error
                return i

        found = []
        batches = iter(library.utils.data.DataLoader(Failing(), 2, num_workers=2, multiprocessing_context="fork"))
        while True:
            try:
                found.append(next(batches).tolist())
            except StopIteration:
                return found
            except Exception as raised:
                lines = str(raised).splitlines()
                found.append((type(raised).__name__, *lines[:2], lines[-1]))

    assert first_error(tinytorch) == first_error(torch)


@pytest.mark.parametrize("where", ["worker_init_fn", "collate_fn", "__iter__"])
def test_errors_in_other_places(where):
    def fail(*_):
        raise ZeroDivisionError(where)

    class Stream(IterableDataset):
        __iter__ = fail if where == "__iter__" else lambda self: iter(range(3))

    functions = {} if where == "__iter__" else {where: fail}
    for _ in range(2):
        with pytest.raises(ZeroDivisionError, match=rf"Caught .* worker process 0\.\nOriginal(.*\n)*.*{where}"):
            list(DataLoader(Stream(), num_workers=1, multiprocessing_context="fork", **functions))


def test_a_warning_about_more_workers_than_processors_and_the_length_of_a_stream():
    for library in LIBRARIES:
        with pytest.warns(UserWarning, match="This DataLoader will create 999 worker processes in total"):
            library.utils.data.DataLoader([1], num_workers=999)

        class Stream(library.utils.data.IterableDataset):
            def __len__(self):
                return 3

            def __iter__(self):
                return iter(range(3))

        loader = library.utils.data.DataLoader(Stream(), num_workers=2, multiprocessing_context="fork")
        assert len(loader) == 3
        with pytest.warns(UserWarning, match="Length of Iterable") as warned:
            assert len(list(loader)) == 6
        assert [re.findall(r"but (\d) samples have", str(warning.message)) for warning in warned] == [
            ["4"],
            ["5"],
            ["6"],
        ]


def test_a_prefetch_factor_bounds_what_is_made_ahead(tmp_path):
    def touch(i):
        (tmp_path / str(i)).touch()
        return i

    batches = iter(loader(20, touch, prefetch_factor=3))
    next(batches)
    until = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 7 and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.1)
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == list(range(7))  # the one that was taken, and 2 · 3


def test_out_of_order_all_come():
    slow = loader(12, lambda i: time.sleep(0.2 * (i == 0)) or i, in_order=False)
    values = [batch.item() for batch in slow]
    assert sorted(values) == list(range(12)) and values != list(range(12))


# ------------------------------------------------------------------------------------- shared memory


def image(i):
    return tinytorch.full((3, 100, 100), float(i))


def test_batches_that_are_kept_are_not_overwritten():
    kept = []
    for x in loader(400, image, batch_size=2, persistent_workers=True):
        kept.append(x)
        if len(kept) % 3 == 0:
            kept[-2] = kept[-2][1, 0, :2]  # a view of it
    for number, x in enumerate(kept):
        last = x if x.dim() == 1 else x[1]
        assert (last == 2 * number + 1).all(), number


def test_memory_goes_back_and_is_used_again():
    seen = set()
    for x in loader(200, image, num_workers=1):
        assert x.untyped_storage().nbytes() == 120_000
        x += 1  # a batch may be changed
        seen.add(x.data_ptr())
        del x
    assert len(seen) < 8


def test_arrays_of_every_kind_and_size_arrive():
    def sample(i):
        rng = np.random.default_rng(i)
        long = rng.standard_normal((200, 300))
        return {
            "long": tinytorch.tensor(long), "turned": tinytorch.tensor(long).T, "part": tinytorch.tensor(long)[::2, 5:],
            "half": tinytorch.tensor(long).half(), "complex": tinytorch.tensor(long).to(tinytorch.complex64),
            "flags": tinytorch.tensor(long) > 0, "nothing": tinytorch.zeros(0, 1000), "array": long[i:], "text": "é" * 99,
            "bytes": bytes(100_000), "leaf": tinytorch.tensor(long, requires_grad=True), "none": None, "i": i,
        }  # fmt: skip

    for i, got in enumerate(DataLoader(Numbers(5, sample), None, num_workers=2, collate_fn=lambda x: x)):
        for key, value in sample(i).items():
            if isinstance(value, tinytorch.Tensor):
                assert got[key].dtype == value.dtype and got[key].requires_grad == value.requires_grad
                assert tinytorch.equal(got[key], value), key
            elif isinstance(value, np.ndarray):
                np.testing.assert_array_equal(got[key], value)
            else:
                assert got[key] == value


def test_sizes_may_vary():
    sizes = [int(10 ** (4 + 2 * ((7 * i) % 10) / 10)) for i in range(60)]
    for i, x in enumerate(loader(60, lambda i: tinytorch.full((sizes[i],), i), batch_size=None)):
        assert len(x) == sizes[i] and (x == i).all()


def test_what_is_lent_at_a_fork_is_not_written_again():
    """The forked process goes on reading what this one has given back."""
    batches = iter(loader(60, image, num_workers=1))
    x = next(batches)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(read, 1)
        os._exit(0 if (x == 0).all() else 1)
    del x
    for y in batches:
        assert (y > 0).all()
    os.write(write, b"x")
    assert os.waitpid(child, 0)[1] == 0
    os.close(read)
    os.close(write)


def test_many_batches_kept_need_few_file_descriptors():
    before = len(os.listdir("/proc/self/fd"))
    kept = list(loader(300, image))
    assert all((x == i).all() for i, x in enumerate(kept))
    assert len(os.listdir("/proc/self/fd")) < before + 150


def test_no_more_memory_is_an_error_that_says_so(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RuntimeError, match=r"(?s)worker process 0.*no shared memory for .* 0.1 MiB .*No space left"):
        next(iter(loader(4, image)))


def test_without_memfd_an_unlinked_file_serves(monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    assert [x.mean().item() for x in loader(6, image)] == list(range(6))


@pytest.mark.parametrize("bad", [lambda: lambda: 0, lambda: tinytorch.ones(3, requires_grad=True) * 2])
def test_what_cannot_be_sent_is_an_error(bad):
    with pytest.raises(Exception, match=r"(?s)Caught .* worker process 0.*(pickle|detach)"):
        next(iter(loader(4, lambda i: (image(i), bad()), batch_size=None, collate_fn=lambda x: x)))


def test_long_lists_of_indices_and_long_texts_do_not_block_each_other():
    texts = loader(1_000_000, lambda i: "x" * 20, batch_size=50_000, num_workers=2)
    assert [len(texts) for texts in texts] == [50_000] * 20


# ------------------------------------------------------------------------------------- beginnings and ends


@pytest.mark.parametrize("death", ["os._exit(3)", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_a_worker_that_dies_is_noticed(death):
    how = "killed by SIGKILL" if "kill" in death else "with exit code 3"
    dying = loader(8, lambda i: exec(death) if i == 5 else i, persistent_workers=True)
    for _ in range(2):  # and the next epoch has new workers
        with pytest.raises(RuntimeError, match=rf"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly.*{how}"):
            list(dying)


def test_a_timeout():
    with pytest.raises(RuntimeError, match=re.escape("DataLoader timed out after 0.1 seconds")):
        next(iter(loader(4, lambda i: time.sleep(1), timeout=0.1)))


def test_leaving_a_loop_ends_the_processes():
    before = children()
    for _ in loader(100, image):
        break
    assert not children() - before
    batches = iter(loader(100, image))
    next(batches)
    del batches
    assert not children() - before


def test_persistent_workers_stay_and_an_epoch_may_be_broken_off():
    def process(i):
        return os.getpid(), i

    persistent = loader(9, process, batch_size=None, persistent_workers=True)
    first = [next(iter(persistent)) for _ in range(3)]
    whole = list(persistent)
    assert [i for _, i in first] == [0] * 3 and [i for _, i in whole] == list(range(9))
    assert {pid for pid, _ in first + whole} == {pid for pid, _ in persistent}


def test_after_ctrl_c_the_next_epoch_has_new_workers():
    slow = loader(4, lambda i: time.sleep(i == 1) or i, persistent_workers=True)
    batches = iter(slow)
    next(batches)
    threading.Timer(0.3, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        next(batches)
    assert [x.item() for x in slow] == list(range(4))


def test_a_forked_copy_of_a_loader_has_workers_of_its_own():
    persistent = loader(4, image, persistent_workers=True)
    next(iter(persistent))
    child = os.fork()
    if child == 0:
        os._exit(0 if [x.mean().item() for x in persistent] == list(range(4)) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [x.mean().item() for x in persistent] == list(range(4))


def test_a_worker_that_must_be_killed_does_not_run_the_scripts_handler(tmp_path, monkeypatch):
    monkeypatch.setattr("tinytorch.utils.data.workers.PATIENCE", 0.1)
    before = signal.signal(signal.SIGTERM, lambda *_: (tmp_path / str(os.getpid())).touch())
    try:
        batches = iter(loader(4, lambda i: time.sleep(60 * (i == 1)) or i))
        next(batches)
        del batches
    finally:
        signal.signal(signal.SIGTERM, before)
    assert not list(tmp_path.iterdir())


def test_a_prefetch_factor_of_0_makes_nothing():
    with pytest.raises(AssertionError, match="prefetch_factor"):  # as in PyTorch
        iter(DataLoader(range(3), num_workers=1, prefetch_factor=0))


def test_threads_used_before_the_fork_do_not_matter():
    """The libraries' threads do not exist in the worker; whoever waited for one would wait for ever."""
    before = tinytorch.get_num_threads()
    tinytorch.set_num_threads(2)
    try:
        layer = tinytorch.nn.Conv2d(3, 16, 3)
        x = tinytorch.rand(32, 3, 64, 64)
        expected = layer(x).sum().item(), (x[0, 0] @ x[0, 0]).sum().item()

        def compute(i):
            return layer(x).sum().item(), (x[0, 0] @ x[0, 0]).sum().item()

        for got in loader(4, compute, batch_size=None):
            np.testing.assert_allclose(got, expected, rtol=1e-6)
    finally:
        tinytorch.set_num_threads(before)


def run(script, *, method="fork", guard=True, **options):
    """Run a script that uses workers, in a process of its own."""
    body = textwrap.dedent(script).strip()
    if guard:
        body = 'if __name__ == "__main__":\n' + textwrap.indent(body, "    ")
    source = f"METHOD = {method!r}\n" + HEAD + body
    folder = Path(options.pop("folder"))
    (folder / "script.py").write_text(source, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(tinytorch.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "script.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, **options,
    )  # fmt: skip


HEAD = """\
import os, time
import tinytorch as torch
from tinytorch.utils.data import DataLoader, Dataset

class Images(Dataset):
    def __len__(self):
        return 6
    def __getitem__(self, i):
        return torch.full((3, 100, 100), i), os.getpid()

class Slow(Images):
    def __getitem__(self, i):
        if i:
            time.sleep(30)
        return os.getpid()

def loader(dataset, **options):
    return DataLoader(dataset, num_workers=2, multiprocessing_context=METHOD, **options)

"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_start_processes(method, tmp_path):
    script = "print([int(x.max()) for x, _ in loader(Images(), persistent_workers=True)])"
    out, errors = run(script, method=method, folder=tmp_path).communicate()
    assert (out.strip(), errors) == ("[0, 1, 2, 3, 4, 5]", "")


def test_a_script_that_ends_with_workers_running(tmp_path):
    """No guard, no end of the iteration, and at the very end the loader is still alive."""
    script = """
        batches = iter(loader(Images(), persistent_workers=True))
        print(int(next(batches)[0].max()), flush=True)
    """
    process = run(script, folder=tmp_path, guard=False)
    assert process.communicate() == ("0\n", "") and process.returncode == 0
    assert group_ends(process.pid)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_script_that_is_stopped(sent, tmp_path):
    """Ctrl-C reaches all processes of a terminal; the other signals only the first."""
    script = """
        for pid in loader(Slow()):
            print(int(pid), flush=True)
    """
    process = run(script, folder=tmp_path)
    assert process.stdout.readline().strip().isdigit()
    (os.killpg if sent == signal.SIGINT else os.kill)(process.pid, sent)
    _, errors = process.communicate()
    assert process.returncode == -sent
    assert group_ends(process.pid)
    assert errors.count("Traceback") == (sent == signal.SIGINT), errors
    assert ("KeyboardInterrupt" in errors) == (sent == signal.SIGINT)


def test_a_worker_interrupted_as_it_begins_says_nothing(tmp_path):
    """Ctrl-C may come when one worker works already and the other one is on its way."""
    script = """
        import signal
        os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGINT))
        next(iter(loader(Images())))
    """
    process = run(script, folder=tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 1 and group_ends(process.pid)
    assert "KeyboardInterrupt" not in errors and "DataLoader worker" in errors


def group_ends(group):
    """Whether all processes of a group end within a minute."""
    for _ in range(1200):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_dataset_of_tensors_with_workers_and_without_gives_the_same():
    data = TensorDataset(tinytorch.randn(100, 50, 40), tinytorch.arange(100))
    read = []
    for workers in (0, 2):
        tinytorch.manual_seed(3)
        read.append(list(DataLoader(data, 8, shuffle=True, num_workers=workers)))
    for (x, i), (y, j) in zip(*read, strict=True):
        assert tinytorch.equal(x, y) and tinytorch.equal(i, j)
