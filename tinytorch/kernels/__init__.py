"""Kernels: the fast array functions under the layers. NumPy only; nothing here knows what a Tensor is.

Arrays in, arrays out. No argument is checked (the ops do that), nothing is recorded (autograd does that). So
another backend could stand behind the same functions.

Read in this order: `layout` (why images lie in memory as C,H,W,N), `memory`, `threads`, `conv_reference` (convolution
as a loop, then as one matrix product), `windows`, `conv_columns` (the same product, block by block), `winograd_tiles`
and `winograd` (with fewer multiplications), `products`, `loops`, `conv`, `pool`, `avg_pool`, `norm`, `masks`,
`elementwise`. Files named `rng_*` draw random numbers as PyTorch does.
"""
