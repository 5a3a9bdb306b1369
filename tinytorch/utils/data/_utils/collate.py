"""``torch.utils.data._utils.collate``, where many programs import ``default_collate`` from."""

import re

from tinytorch.utils.data.collate import (
    collate,
    collate_float_fn,
    collate_int_fn,
    collate_numpy_array_fn,
    collate_numpy_scalar_fn,
    collate_str_fn,
    collate_tensor_fn,
    default_collate,
    default_collate_fn_map,
    default_convert,
)

__all__ = ["collate", "collate_float_fn", "collate_int_fn", "collate_numpy_array_fn", "collate_numpy_scalar_fn",
           "collate_str_fn", "collate_tensor_fn", "default_collate", "default_collate_fn_map",
           "default_convert", "np_str_obj_array_pattern"]  # fmt: skip

#: Kinds of NumPy arrays that are no tensors: text and objects.
np_str_obj_array_pattern = re.compile(r"[SaUO]")
