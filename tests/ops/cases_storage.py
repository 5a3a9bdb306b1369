"""Cases: copies of views, regions given by strides, segments, memory formats."""

from __future__ import annotations

from tests.ops.cases import Case, real, values, whole

FEW = ("rows",)
STARTS = {"sum": None, "mean": None, "max": -1.0, "min": 1.0, "prod": 2.0}

CASES = [
    Case("copies", lambda T, x: (T.alias_copy(x), T.detach_copy(x.detach()), T.expand_copy(x, (2, 3, 4)), T.permute_copy(x, (1, 0)), T.t_copy(x), T.transpose_copy(x, 0, 1),
                                 T.squeeze_copy(x[:1]), T.squeeze_copy(x[:1], 0), T.squeeze_copy(x[:1], (0, 1)), T.unsqueeze_copy(x, 1)), real(3, 4)),
    Case("copies of parts", lambda T, x: (T.diagonal_copy(x, 1), T.narrow_copy(x, 1, 1, 2), x.narrow_copy(0, -2, 1), T.select_copy(x, 1, -1), T.slice_copy(x, 1, 1, 4, 2),
                                          T.slice_copy(x, -1), T.unfold_copy(x, 1, 2, 1)), real(3, 4)),
    Case("copies of all parts", lambda T, x: (T.split_copy(x, 3, 1), T.split_with_sizes_copy(x, (1, 3), -1), T.unbind_copy(x), T.unbind_copy(x, -1)), real(3, 4)),
    Case("view_copy", lambda T, x: (T.view_copy(x, (4, 3)), T.view_copy(x, (-1,)), T.as_strided_copy(x, (2, 2), (1, 2), 1)), real(3, 4), layouts=FEW),
    Case("complex copies", lambda T, x: (T.view_as_real_copy(T.view_as_complex_copy(x)), T.view_as_complex_copy(x).real), real(3, 2), layouts=FEW, gradient=False),
    Case("unsafe parts", lambda T, x: (T.unsafe_chunk(x, 3, 1), x.unsafe_chunk(2), T.unsafe_split(x, 3, -1), x.unsafe_split(2), T.unsafe_split_with_sizes(x, (1, 2)),
                                       x.unsafe_split_with_sizes((3, 1), 1)), real(3, 4)),
    Case("sum_to_size", lambda T, x, n: (x.sum_to_size(1, 4), x.sum_to_size((3, 1)), x.sum_to_size([4]), x.sum_to_size(()), x.sum_to_size(3, 4), n.sum_to_size(1)), real(3, 4), whole(3, kind="int32")),
    *[Case(f"segment_reduce {r}", lambda T, x, r=r: (T.segment_reduce(x, r, lengths=T.tensor([2, 0, 3, 1])), T.segment_reduce(x, r, lengths=T.tensor([3, 3]), initial=STARTS[r]),
                                                     T.segment_reduce(x, r, offsets=T.tensor([0, 1, 6]))), real(6, 2), second=False) for r in STARTS],
    Case("segment_reduce along an axis", lambda T, x: T.segment_reduce(x, "sum", lengths=T.tensor([[1, 2, 1], [2, 2, 0]]), axis=1), real(2, 4, 3), second=False),
    Case("_chunk_cat", lambda T, x, y: (T._chunk_cat([x, y], 0, 2), T._chunk_cat([x, y], 1, 3), T._chunk_cat([x], -1, 4)), real(3, 4), real(3, 2), gradient=False),
    Case("_unsafe_masked_index", lambda T, x: (T._unsafe_masked_index(x, T.tensor([True, False, True]), [T.tensor([0, 7, 2]), T.tensor([1, 1, 3])], 5.0),
                                               T._unsafe_masked_index_put_accumulate(x, T.tensor([True, False, True]), [T.tensor([0, 7, 0]), T.tensor([1, 1, 1])], x[0, :3])), real(3, 4)),
    Case("hash_tensor", lambda T, x, n: (T.hash_tensor(x), T.hash_tensor(x, 1), x.hash_tensor((0, 1), keepdim=True), T.hash_tensor(n), T.hash_tensor(x.float())), real(3, 4), whole(5, kind="int32"), gradient=False),
    Case("memory formats", lambda T, x: (x.contiguous(memory_format=T.channels_last).stride(), x.clone(memory_format=T.channels_last).stride(), x.to(memory_format=T.channels_last).is_contiguous(),
                                         x.contiguous(memory_format=T.channels_last).is_contiguous(memory_format=T.channels_last), x.is_contiguous(memory_format=T.channels_last),
                                         x.float(memory_format=T.contiguous_format).stride(), x.contiguous(memory_format=T.channels_last).contiguous().stride()), real(2, 3, 4, 5), gradient=False, layouts=FEW),
    Case("memory format values", lambda T, x: (x.contiguous(memory_format=T.channels_last), x.clone(memory_format=T.channels_last).exp(), x.to(memory_format=T.channels_last) * 2), real(2, 3, 4, 5)),
    Case("as_strided storage", lambda T, x: (x.reshape(-1)[4:].as_strided((2, 2), (2, 1), 0), x.reshape(-1)[4:].as_strided((2, 2), (2, 1))), real(3, 4), layouts=FEW, gradient=False),
    Case("old norms", lambda T, x: (T.frobenius_norm(x, 1, True), T.nuclear_norm(x)), real(3, 4), tolerance={"float32": (1e-3, 1e-3), "float64": (1e-8, 1e-9)}),
    Case("torch.vander", lambda T, x: (T.vander(x), T.vander(x, 2), T.vander(x, N=5, increasing=True), T.vander(x.int())), real(3), gradient=False),
    Case("native_channel_shuffle", lambda T, x: T.native_channel_shuffle(x, 2), real(1, 4, 2, 2), gradient=False),
    Case("fake_quantize_per_tensor_affine", lambda T, x: (T.fake_quantize_per_tensor_affine(x, 0.1, 3, 0, 15), T.fake_quantize_per_tensor_affine(x, T.tensor(0.3), T.tensor(-1).int(), -8, 7)), real(3, 4)),
    Case("fake_quantize_per_channel_affine", lambda T, x: T.fake_quantize_per_channel_affine(x, T.tensor([0.1, 0.2, 0.5, 0.05]), T.tensor([1, 2, 3, 4]).int(), 1, 0, 15), real(3, 4)),
    Case("sizes that are tensors", lambda T, x: (x.clone().contiguous().view(T.tensor([2]), T.tensor(6)), x.reshape([T.tensor([2]), -1]), x[:1].expand(T.tensor([5]), 4), x.repeat(T.tensor([2]), 1), T.zeros([T.tensor([3])]), x.permute(T.tensor([1]), 0),
                                                 T.nn.functional.interpolate(x[None, None], size=[T.tensor([5]), T.tensor([6])]), T.nn.functional.pad(x, (0, T.tensor([1]), 1, T.tensor(2))), x.roll(T.tensor([1])), x.flip([T.tensor([1])])), real(3, 4)),
    Case("activations as methods", lambda T, x: (x.hardshrink(), x.hardshrink(1.0), x.prelu(x[0, :1])), real(3, 4)),
    Case("long names in place", lambda T, x: (x.detach().clone().greater_(0), x.detach().clone().less_(0), x.detach().clone().greater_equal_(x), x.detach().clone().less_equal_(0),
                                             x.detach().clone().not_equal_(x)), real(3, 4), gradient=False),
    Case("flip by name", lambda T, x: (T.flip(x, dims=(0, 1)), x.flip(dims=[1]), T.flip(x, [0])), real(3, 4)),
    Case("take_along_dim from the end", lambda T, x: T.take_along_dim(x, T.tensor([[-1], [0], [-4]]), 1), real(3, 4)),
    Case("arange of whole parts", lambda T: (T.arange(0.0, 8.5, 2.0, dtype=T.int64), T.arange(0, 5, 1.5, dtype=T.int32), T.arange(1.0, -8.1, -4.0, dtype=T.int64), T.scalar_tensor(-5, dtype=T.uint8))),
    Case("scatter_reduce of bools", lambda T, n: (T.scatter_reduce(n > 0, 0, T.tensor([0, 0, 2]), T.tensor([True, False, False]), "amax"),
                                                  T.scatter_reduce(n > 0, 0, T.tensor([0, 0, 2]), T.tensor([True, False, True]), "amin", include_self=False)), whole(3)),
    Case("index_reduce 0-d", lambda T, x: T.index_reduce(x, 0, T.tensor([0]), x * 2, "amax"), values(2.0), layouts=FEW),
]  # fmt: skip
