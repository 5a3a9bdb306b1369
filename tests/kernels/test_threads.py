"""The helper that runs blocks on several threads."""

import gc
import os
import threading
import time
import weakref

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import tinytorch
from tinytorch.kernels import activations, bell, layer_norm, layout, norm, scan, softmax, sums, threads
from tinytorch.ops import curves


@pytest.fixture(autouse=True)
def four_threads():
    before = threads.get_num_threads()
    threads.set_num_threads(4)
    yield
    threads.set_num_threads(before)


def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


def test_every_block_runs_once():
    seen = []
    threads.run_blocks(seen.append, range(100))
    assert sorted(seen) == list(range(100))


def test_blas_has_one_thread():
    inside = []
    threads.run_blocks(lambda _: inside.append(blas_threads()), range(3))
    assert inside == [{1}] * 3 and blas_threads() == {1}


def test_no_bit_depends_on_the_number_of_threads(monkeypatch):
    monkeypatch.setattr(threads, "MIN_PARALLEL_MICROSECONDS", 0.0)
    monkeypatch.setattr(threads, "SHARE_MICROSECONDS", 1.0)
    x, g = np.random.default_rng(0).standard_normal((2, 1200, 700)).astype(np.float32)
    w = np.ones(700, np.float32)

    def everything():
        yield from (sums.total(x, (0,)), sums.total(x, (1,)), scan.running_sums(x, 0), scan.running_sums(x, 1, True))
        yield from layer_norm.layer_norm_backward(g, x, *layer_norm.layer_norm(x, w, w, 1e-5)[1:], w, (True,) * 3)
        y, kept = softmax.log_softmax(x, 1, keep=True)
        yield from (y, softmax.log_softmax_backward(g, y, 1, kept))
        y = softmax.softmax(x, 1)
        yield from (y, softmax.softmax_backward(g, y, 1))
        y, mean, _, invstd = norm.batch_norm_train(x, w, w, 1e-5)
        yield from (y, *norm.batch_norm_backward(g, x, mean, invstd, w))
        yield activations.sigmoid(x)
        for curve, options in ((curves.Silu, {}), (curves.Gelu, {"approximate": "none"}), (curves.Mish, {})):
            leaf = tinytorch.from_numpy(x).requires_grad_()
            y = curve.apply(leaf, **options)
            yield from (y.detach().numpy(), tinytorch.autograd.grad(y, leaf, tinytorch.from_numpy(g))[0].numpy())

    found = []
    for count in (1, 2, 3):
        threads.set_num_threads(count)
        found.append([array.tobytes() for array in everything()])
    assert found[0] == found[1] == found[2]


def test_small_work_stays_in_this_thread():
    seen = set()
    threads.run_blocks(lambda _: seen.add(threading.get_ident()), range(50), microseconds=10)
    assert seen == {threading.get_ident()}


def test_large_work_leaves_it():
    gate = threading.Barrier(4, timeout=20)  # passes only if four threads meet
    threads.run_blocks(lambda _: gate.wait(), range(4))


def test_work_for_two_is_not_given_to_four(monkeypatch):
    monkeypatch.setattr(threads, "SHARE_MICROSECONDS", 125.0)
    pool, invited = threads._pool_or_none(), []
    monkeypatch.setattr(pool, "invite", invited.append)
    for microseconds, expected in ((249, 0), (250, 1), (374, 1), (375, 2), (600, 3), (float("inf"), 3)):
        invited.clear()
        threads.run_blocks(lambda _: None, range(8), microseconds)
        assert len(invited) == expected
    monkeypatch.setattr(threads, "MOST", 2)
    invited.clear()
    threads.run_blocks(lambda _: None, range(8))
    assert len(invited) == 1


@pytest.mark.parametrize("awake", [True, False])
def test_blocks_are_shared_whether_threads_wait_awake_or_asleep(awake, monkeypatch):
    monkeypatch.setattr(bell, "STAY_AWAKE", awake)
    gate = threading.Barrier(4, timeout=20)
    for pause in (0.0, 0.002, 0.0):  # longer than they stay awake
        time.sleep(pause)
        threads.run_blocks(lambda _: gate.wait(), range(4))


def test_who_waits_at_the_bell_leaves_the_lock_to_others_and_goes_on_when_it_rings(monkeypatch):
    monkeypatch.setattr(bell, "READS", 1_000_000_000)  # a quarter of a minute
    door, heard = bell.Bell(), []
    waiting = threading.Thread(target=lambda: heard.append(door.wait()))
    waiting.start()
    time.sleep(0.05)
    assert heard == []
    door.ring()
    waiting.join(timeout=10)
    assert heard == [True]
    monkeypatch.setattr(bell, "READS", 1000)
    assert bell.Bell().wait() is False


def test_nested_blocks_run_inline():
    seen = []

    def outer(_):
        me = threading.get_ident()
        threads.run_blocks(lambda _: seen.append(threading.get_ident() == me), range(3))

    threads.run_blocks(outer, range(8))
    assert seen == [True] * 24


def test_exceptions_arrive():
    def fail(i):
        if i == 5:
            raise ValueError("block 5")

    for _ in range(20):
        with pytest.raises(ValueError, match="block 5"):
            threads.run_blocks(fail, range(8))
    test_every_block_runs_once()


def test_several_python_threads_at_once():
    totals = np.zeros((6, 200), np.int64)

    def work(row):
        for _ in range(10):
            threads.run_blocks(lambda i: totals[row].__setitem__(i, totals[row, i] + 1), range(200))

    callers = [threading.Thread(target=work, args=(row,)) for row in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert (totals == 10).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_works_after_fork():
    threads.run_blocks(lambda _: None, range(8))
    pid = os.fork()
    if pid == 0:
        seen = []
        threads.run_blocks(seen.append, range(20))
        os._exit(0 if sorted(seen) == list(range(20)) else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_set_num_threads():
    threads.set_num_threads(3)
    assert threads.get_num_threads() == 3 and blas_threads() == {1}
    with pytest.raises(RuntimeError, match="positive"):
        threads.set_num_threads(0)
    with pytest.raises(TypeError):
        threads.set_num_threads(1.5)


def test_scratch_is_reused_and_never_shared():
    with layout.scratch((10,), np.dtype(np.float32)) as a:
        first = a.ctypes.data
        with layout.scratch((10,), np.dtype(np.float64)) as b:
            assert not np.shares_memory(a, b)
    with layout.scratch((5, 2), np.dtype(np.int32)) as c:
        assert c.shape == (5, 2) and c.ctypes.data == first


def test_a_region_that_nobody_came_to_keeps_no_arrays(monkeypatch):
    pool = threads._pool_or_none()
    monkeypatch.setattr(pool, "idle", type(pool.idle)())  # all seem to be busy
    x = np.zeros(10)
    alive = weakref.ref(x)
    threads.run_blocks(lambda block, x=x: x.sum(), range(4))
    assert len(pool.late) == 3
    del x
    gc.collect()
    assert alive() is None
    pool.late.clear()
