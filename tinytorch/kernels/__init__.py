"""Kernels: the fast array functions under the layers. NumPy only; nothing here knows what a Tensor is.

Arrays in, arrays out. No argument is checked (the ops do that), nothing is recorded (autograd does that). So
another backend could stand behind the same functions.

To be read in this order; what is indented belongs to the file above it, and can wait::

    memory, pieces, threads     arrays that come back, ranges cut into pieces, pieces shared out
        blocks, bell, cache         the memory behind an array; waiting without sleeping; how large a piece is best
    layout                      why images lie in memory as C,H,W,N
    sums, products, loops       sums and matrix products by BLAS; how NumPy walks
        blas, half                  BLAS on one thread; half precision
    conv_reference, windows     convolution as a loop, then as one matrix product; where a window stands
    conv_columns, conv          the same product, block by block
        winograd_tiles, winograd    with fewer multiplications
        conv_rows, conv_bands, conv_few, conv_line     groups of few channels
        conv_dots, conv_spread                 gradients
        conv_pointwise, conv_whole, conv_small, conv_volume
    pool, pool_axes, avg_pool   windows again
    channel_sums, norm          normalization
        norm_row_major, norm_matrix, norm_small, layer_norm, norm_rows
        group_norm, norm_groups
    masks, elementwise          choices without branches; functions of one number
        activations, gelu, glu, logistic
        short_rows                  broadcasting and reducing where a row has few elements
    exponential, softmax        e^x, and what is made of it
        cross_entropy
    picking, scan               elements by number; running sums
        counting, order, selection, shuffle
    ctc, ranges, remainder      one algorithm each

Special functions: `airy`, `bessel`, `modified_bessel`, `cephes`, `erf`, `erfinv`, `normal_cdf`, `gamma`, `gamma_grad`,
`incomplete_gamma`, `polynomials`, `zeta`. Files named `rng` and `rng_*` draw random numbers as PyTorch does.
"""
