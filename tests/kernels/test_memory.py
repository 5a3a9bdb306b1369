"""Memory that is lent again: never while a view lives, always afterwards."""

import gc
import threading

import numpy as np
import pytest

from tinytorch.kernels import layout, memory

F32 = np.dtype(np.float32)


@pytest.fixture(autouse=True)
def empty_shelf():
    memory.release()
    yield
    memory.release()


def test_memory_comes_back_without_the_garbage_collector():
    gc.disable()
    try:
        a = memory.empty((1 << 16,), F32)
        address = a.ctypes.data
        del a
        assert memory.empty((1 << 16,), F32).ctypes.data == address
    finally:
        gc.enable()


def test_views_keep_it():
    a = memory.empty((512, 512), F32)
    a[...] = 7
    views = [a[3:].T, a.reshape(-1)[5:], a.view(np.int32), np.asarray(memoryview(a))]
    del a
    while views:
        other = memory.empty((512, 512), F32)
        other[...] = 0
        assert not any(np.shares_memory(other, view) for view in views)
        assert all((view.view(F32) == 7).all() for view in views)
        del other
        views.pop()


def test_arrays_are_ordinary_and_aligned():
    for shape in [(1 << 16,), (3, 100, 1000), (7,), (0, 5)]:
        a = memory.empty(shape, np.dtype(np.float64))
        assert a.shape == shape and a.dtype == np.float64 and a.flags.c_contiguous and a.flags.writeable
        if a.nbytes >= memory.SMALLEST:
            assert a.ctypes.data % 64 == 0


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 2, 3, 0), (3, 1, 0, 2)])
def test_empty_like_keeps_the_memory_order(order):
    x = np.empty((8, 16, 20, 30), np.float32).transpose(order)
    like = memory.empty_like(x)
    assert like.shape == x.shape and like.strides == x.strides


def test_the_shelf_is_bounded(monkeypatch):
    monkeypatch.setattr(memory, "_LIMIT", 3 << 20)
    arrays = [memory.empty((1 << 18,), F32) for _ in range(10)]
    del arrays
    assert 0 < memory.idle_bytes() <= 3 << 20
    arrays = [memory.empty((n << 16,), F32) for n in range(1, 12)]  # of many sizes: when the next one is made
    del arrays
    memory.empty((12 << 16,), F32)
    assert 0 < memory.idle_bytes() <= (3 + 12) << 20


def test_several_threads():
    problems = []

    def work(mark):
        for _ in range(300):
            a = layout.empty_chwn((8, 16, 20, 20), F32)
            a[...] = mark
            if not (a == mark).all():
                problems.append(mark)

    workers = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not problems
    assert len({id(entry.buffer) for shelf in memory._idle.values() for entry in shelf}) > 0


@pytest.mark.parametrize("shape", [(64, 64), (100, 333), (3, 5), (0, 7)])
def test_aligned_begins_a_cache_line_from_a_page_on(shape):
    arrays = [memory.aligned(shape, F32) for _ in range(4)]
    for number, array in enumerate(arrays):
        array[...] = number
    for number, array in enumerate(arrays):
        assert array.shape == shape and array.dtype == F32 and array.flags.c_contiguous and array.flags.writeable
        assert (array == number).all()
        assert array.nbytes < 4096 or array.ctypes.data % 64 == 0
    assert memory.aligned((2000,), np.dtype(object)).dtype == object
