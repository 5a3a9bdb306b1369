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
