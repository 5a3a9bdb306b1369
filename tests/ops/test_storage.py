"""Storages, tensors that get other memory, functions called for each element: beside PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.compare import compare, compare_errors

COMPARED = (
    "as_strided_scatter", "empty_permuted", "empty_strided", "resize_", "resize_as_", "set_", "apply_", "map_", "map2_", "as_strided_",
    "is_set_to", "dim_order", "untyped_storage", "frombuffer", "from_file", "to_dlpack", "get_device", "is_distributed", "is_inference",
    "is_storage", "typename", "detach", "to_sparse",
)  # fmt: skip
LIBRARIES = (torch, tinytorch)


@pytest.mark.parametrize(
    "expression",
    ["x.to('cpu', T.float32, False, True)", "x.to(T.float32, True, False)", "F.pixel_shuffle(x, 1)", "F.pixel_unshuffle(x, 1)",
     "F.pad(x, (-1, -1, 0, 0), 'replicate')", "F.pad(x, (0, 0, 0, 0), 'reflect')", "T.constant_pad_nd(x, (0, -1))", "x[0, 0, 0, 0].sum_to_size(())"],
)  # fmt: skip
def test_copies_and_views(expression: str) -> None:
    """What changes nothing, or only cuts off, gives the same memory where it does in PyTorch."""

    def same_memory(T: Any) -> bool:
        x = T.ones(1, 1, 4, 4)
        result = eval(expression, {"T": T, "F": T.nn.functional, "x": x})
        return bool(result.untyped_storage().data_ptr() == x.untyped_storage().data_ptr())

    assert same_memory(tinytorch) == same_memory(torch)


@pytest.mark.filterwarnings("ignore:TypedStorage")  # PyTorch says once in a process that it is to be removed
def test_storage() -> None:
    def facts(T: Any) -> Any:
        x = T.arange(6.0).reshape(2, 3)
        untyped, typed = x[1].untyped_storage(), x.storage()
        untyped.fill_(0)
        typed[1] = 5.0
        return (untyped.nbytes(), untyped.size(), len(untyped), typed.size(), typed.tolist(), x.tolist(), typed.nbytes(),
                str(typed.dtype), untyped.data_ptr() == x.untyped_storage().data_ptr(), untyped[4], typed.element_size())  # fmt: skip

    assert facts(tinytorch) == facts(torch)
    storage = tinytorch.UntypedStorage(4)
    assert (len(storage), storage.clone().tolist(), storage == storage[:], storage.is_cuda) == (4, [0] * 4, True, False)
    assert "UntypedStorage(device=cpu) of size 4" in repr(storage)
    typed = tinytorch.TypedStorage(wrap_storage=storage, dtype=tinytorch.int16)
    assert typed.tolist() == [0, 0] and typed.untyped() == storage and list(typed.copy_(typed.clone())) == [0, 0]
    assert "dtype=torch.int16" in repr(typed)


def test_writing_to_a_storage_is_noticed_by_autograd() -> None:
    x = tinytorch.ones(3, requires_grad=True)
    y = x * 1
    z = y.exp() * y
    y.untyped_storage().fill_(0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


def test_resize() -> None:
    def facts(T: Any) -> Any:
        x = T.arange(6)
        y = x[1:]
        smaller = x.resize_(2, 2).tolist()
        y = T.empty(0)
        grown = y.resize_(2, 3).fill_(1).tolist()
        z = T.zeros(3).resize_as_(T.zeros(1, 3)).tolist()
        return smaller, grown, z, x.resize_(2, 3).stride()

    assert facts(tinytorch) == facts(torch)
    compare_errors(lambda T, x: x.clone().requires_grad_().resize_(9), np.zeros(3))
    compare_errors(lambda T, x: x.clone().resize_(-1), np.zeros(3))
    x = tinytorch.zeros(2)
    _view = x[:1]
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(5)


def test_set() -> None:
    def facts(T: Any) -> Any:
        x, y = T.arange(6.0), T.zeros(2)
        y.set_(x)
        y[0] = 9
        z = T.empty(0).set_(x.untyped_storage(), 1, (2, 2), (2, 1))
        w = T.zeros(3).set_()
        return x.tolist(), z.tolist(), w.shape[0], y.is_set_to(x), z.is_set_to(x), T.empty(0).set_(x, 2, (2,)).tolist()

    assert facts(tinytorch) == facts(torch)
    compare_errors(lambda T, x: x.set_(T.zeros(3, dtype=T.int64)), np.zeros(3))
    compare_errors(lambda T, x: T.empty(0, dtype=T.float64).set_(x, 0, (9,)), np.zeros(3), match="out of bounds")
    compare_errors(lambda T, x: x.set_(3), np.zeros(3))


def test_strides() -> None:
    for T in LIBRARIES:
        assert T.empty_strided((2, 3), (1, 5)).stride() == (1, 5)
        assert T.empty_permuted((2, 3, 4), (0, 2, 1), dtype=T.int64).stride() == (12, 1, 3)
        assert T.zeros(1).new_empty_strided((2, 2), (1, 2)).stride() == (1, 2)
        assert T.zeros(2, 3, 4).permute(2, 0, 1).dim_order() == (1, 2, 0)
        x = T.arange(6.0)
        assert x.as_strided_((2, 2), (1, 2), 1).tolist() == [[1, 3], [2, 4]]
    compare_errors(lambda T: T.empty_strided((2,), (1, 2)))
    compare_errors(lambda T: T.empty_permuted((2, 3), (0, 0)))
    compare_errors(lambda T: T.empty_permuted((2, 3), (0,)))


def test_as_strided_scatter() -> None:
    """The input's gradient is 0 in the region and the cotangent elsewhere; PyTorch 2.13 has it the other way round."""
    x, s = np.arange(9.0).reshape(3, 3), np.ones((2, 2))
    compare(
        lambda T, x, s: (T.as_strided_scatter(x, s, (2, 2), (1, 2), 1), x.as_strided_scatter(s, (2, 2), (3, 1))),
        x,
        s,
        gradient=False,
    )
    compare_errors(lambda T, x, s: T.as_strided_scatter(x, s, (2, 2), (200, 200)), x, s, match="out of bounds")
    ours, source = tinytorch.from_numpy(x.copy()).requires_grad_(), tinytorch.from_numpy(s.copy()).requires_grad_()
    (ours.as_strided_scatter(source, (2, 2), (3, 1)) * tinytorch.from_numpy(x)).sum().backward()
    assert ours.grad is not None and source.grad is not None
    assert ours.grad.tolist() == [[0, 0, 2], [0, 0, 5], [6, 7, 8]] and source.grad.tolist() == [[0, 1], [3, 4]]
    part = tinytorch.arange(9.0)[:2]
    with pytest.raises(RuntimeError, match="the tensor that the input is a view of"):
        part.as_strided_scatter(tinytorch.zeros(2), (2,), (1,), 5)


def test_each_element() -> None:
    def facts(T: Any) -> Any:
        x, y = T.arange(4.0).reshape(2, 2), T.tensor([1.0, 10.0])
        return (
            x.apply_(lambda v: v * v + 1).tolist(),
            x.map_(y, lambda a, b: a * b).tolist(),
            T.arange(3).apply_(lambda v: v + 1).tolist(),
        )

    assert facts(tinytorch) == facts(torch)
    x = tinytorch.tensor([1.0, 2.0])
    assert x.map2_(x, x, lambda a, b, c: a + b * c).tolist() == [2, 6]
    compare_errors(lambda T, x: x.requires_grad_().apply_(abs), np.zeros(3))
    compare_errors(lambda T, x: x.requires_grad_().map_(x, max), np.zeros(3))
    with pytest.raises(TypeError):
        x.map_(3, max)  # type: ignore[arg-type]


def test_in_place_functions() -> None:
    """``torch.relu_(x)`` and the others: the methods under the module's name."""
    for T in LIBRARIES:
        x = T.tensor([-1.0, 4.0])
        assert (
            T.relu_(x) is x
            and T.sqrt_(x).tolist() == [0, 2]
            and T.zero_(x).tolist() == [0, 0]
            and T.clamp_(x, 1).tolist() == [1, 1]
        )


def test_names_that_say_little_of_a_dense_tensor() -> None:
    def facts(T: Any) -> Any:
        x = T.ones(2, requires_grad=True)
        return (T.typename(x), T.typename(3), T.typename(T.nn.Linear), T.get_device(x), T.is_distributed(x), T.is_inference(x), T.is_storage(x), x.is_distributed(),
                T.is_storage(x.untyped_storage()), T.detach(x).requires_grad, x.sparse_dim(), x.dense_dim(), x.to_dense() is x, str(x.double().dequantize().dtype))  # fmt: skip

    assert facts(tinytorch) == facts(torch)
    x = tinytorch.ones(2, 2)
    for name in ("to_sparse_csr", "to_sparse_csc"):
        with pytest.raises(NotImplementedError, match="only torch"):
            getattr(x, name)()
    for name in ("to_sparse_bsr", "to_sparse_bsc"):
        with pytest.raises(NotImplementedError, match="only torch"):
            getattr(x, name)((1, 1))
    for name in ("is_coalesced", "coalesce", "indices", "values"):
        compare_errors(lambda T, x, n=name: getattr(x, n)(), np.ones(2), match="sparse")


def test_buffers(tmp_path: Any) -> None:
    data = bytearray(range(8))
    for options in ({}, {"count": 2}, {"offset": 2}, {"offset": 4, "count": 1}):
        theirs, ours = (T.frombuffer(data, dtype=T.int16, **options) for T in LIBRARIES)
        assert theirs.tolist() == ours.tolist()
    tinytorch.frombuffer(data, dtype=tinytorch.uint8)[0] = 9
    assert data[0] == 9
    for buffer, options in ((b"abc", {}), (b"", {}), (b"abcd", {"offset": 5}), (b"abcd", {"count": 3}), (3, {})):
        compare_errors(lambda T, b=buffer, o=options: T.frombuffer(b, dtype=T.int16, **o))
    path = str(tmp_path / "numbers")
    np.arange(4, dtype=np.float32).tofile(path)
    theirs, ours = (T.from_file(path, size=3) for T in LIBRARIES)
    assert theirs.tolist() == ours.tolist()
    shared = tinytorch.from_file(path, shared=True, size=6)
    shared[5] = 7
    assert tinytorch.from_file(path, size=6)[5] == 7
    for size in (9, -1, 10**15):
        compare_errors(lambda T, n=size: T.from_file(path, size=n, dtype=T.float32))
    assert torch.from_dlpack(tinytorch.arange(3)).tolist() == [0, 1, 2] and tinytorch.to_dlpack(shared) is not None


def test_errors() -> None:
    x = np.ones((3, 4))
    compare_errors(lambda T, x: x.sum_to_size(2, 4), x)
    compare_errors(lambda T, x: T.vander(x), x)
    compare_errors(lambda T, x: x.contiguous(memory_format=T.channels_last), x)
    compare_errors(lambda T, x: T.narrow(x, 0, T.tensor([1]), 1), x)
    compare_errors(lambda T: T.arange(0, 1, 0.5, dtype=T.int64))
    compare_errors(lambda T: T.arange(0, float("inf")))
    compare_errors(lambda T, x: T._chunk_cat([x], 0, 0), x)
    compare_errors(lambda T, x: T._chunk_cat([], 0, 2), x)
    compare_errors(lambda T, x: T._chunk_cat([x, x[:2]], 1, 2), x)
    compare_errors(lambda T, x: T.segment_reduce(x, "sum"), x)
    compare_errors(lambda T, x: T.segment_reduce(x, "sum", lengths=T.tensor([1, 1])), x)
    compare_errors(lambda T, x: T.segment_reduce(x, "sum", lengths=T.tensor([5, -2])), x)
    with pytest.raises(RuntimeError, match="expected reduce"):
        tinytorch.segment_reduce(tinytorch.zeros(3), "median", lengths=tinytorch.tensor([3]))
    with pytest.raises(RuntimeError, match="indices"):
        tinytorch.segment_reduce(tinytorch.zeros(3), "sum", indices=tinytorch.tensor([3]))
