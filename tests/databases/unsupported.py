"""What of PyTorch's database of ops fails, and why: ``op`` (everything) or ``op [kind]``, under its reason."""

UNSUPPORTED = {
    "sparse tensors are kept by coordinates alone, not by rows": """
        sparse.sampled_addmm, sparse.mm.reduce""",
    "NumPy has no bfloat16 and no complex32, and at most 64 dimensions": """
        bfloat16, chalf, amax [error], amin [error], aminmax [error]""",
    "kernels compiled for GPUs": """
        jiterator_unary, jiterator_binary, jiterator_4inputs_with_extra_args, jiterator_binary_return_by_ref,
        jiterator_2inputs_2outputs""",
    "there is one device": """
        gradient [error]""",
    "which of several equal elements is found is left open": """
        sort [value bool], argsort [value bool]""",
    "rounding: a long way from the input to a small result": """
        matrix_exp [value float32]""",
    "PyTorch's values near zeros of the Bessel functions are off by 3e-7 (mpmath gives what tinytorch gives)": """
        special.bessel_j0 [value float64], special.bessel_y1 [value float64]""",
    "PyTorch's second derivative is nan": """
        masked.logaddexp [gradient float64]""",
    "PyTorch passes on the gradient of an element that was written over": """
        as_strided_scatter [gradient float64]""",
}

#: The same, by op or ``op [kind]``.
REASONS = {name.strip(): reason for reason, names in UNSUPPORTED.items() for name in names.split(",")}
