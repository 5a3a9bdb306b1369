"""Tensors made of what is there already: memory shared or copied, history kept or dropped."""

import numpy as np
import pytest
import torch
import torch.utils.dlpack

import tinytorch
import tinytorch.utils.dlpack


def asarray_of_tensors(T):
    x = T.ones(2, requires_grad=True)
    choices = ({}, {"copy": True}, {"dtype": T.float64}, {"requires_grad": True}, {"requires_grad": False})
    found = []
    for y in (x * 2, x):
        for options in choices:
            made = T.asarray(y, **options)
            found.append((made.requires_grad, made.is_leaf, made.dtype == T.float64, made.data_ptr() == y.data_ptr()))
    return found


@pytest.mark.filterwarnings("ignore:torch.asarray")
def test_asarray_of_a_tensor_keeps_its_history_unless_told_otherwise():
    assert asarray_of_tensors(tinytorch) == asarray_of_tensors(torch)
    for T in (torch, tinytorch):
        for value, dtype in (([1, 2], None), (T.ones(2), T.float64), (np.ones(2), T.float32)):
            with pytest.raises(ValueError, match="can't alias"):
                T.asarray(value, dtype=dtype, copy=False)


def test_a_dlpack_capsule_by_itself():
    for T in (torch, tinytorch):
        assert T.from_dlpack(T.utils.dlpack.to_dlpack(T.arange(3))).tolist() == [0, 1, 2]


MIXED = """
[1, np.float64(1)] ; [np.float32(1), 2.5] ; [np.int64(1), 2.5] ; [np.float16(1), 1] ; [np.complex64(1), 1] ; [True, np.uint8(3)]
[T.tensor(1, dtype=T.int8), 2] ; [T.tensor(1.).half(), 2.5] ; [T.tensor(1.), np.float64(1)] ; [[1, 2], [3, np.float32(4)]]
[np.float64(1), np.float64(2)] ; [np.int32(1), np.int32(2)] ; [np.uint8(1), np.int8(1)] ; (1, np.float32(2)) ; [[T.tensor([1.])], [2]]
[range(3), range(3)] ; range(3) ; [] ; [[], []] ; [True, 2.] ; [1j, np.float64(1)] ; [np.array([1, 2], np.float32), [3, 4]]
"""


@pytest.mark.parametrize("text", [text.strip() for line in MIXED.strip().splitlines() for text in line.split(" ; ")])
@pytest.mark.filterwarnings("ignore:Creating a tensor from a list of numpy")
def test_numbers_of_several_kinds_meet_in_the_dtype_that_holds_all(text):
    for make in ("tensor", "as_tensor"):
        ours, theirs = (getattr(T, make)(eval(text, {"T": T, "np": np})) for T in (tinytorch, torch))
        assert str(ours.dtype) == str(theirs.dtype) and ours.tolist() == theirs.tolist()


def test_the_class_of_all_tensors_stands_for_the_default_dtype():
    for T in (tinytorch, torch):
        assert (T.ones(2) > 0).type(T.Tensor).dtype == T.float32
