"""Exercises of chapters 4 to 7: reductions and shapes, indexing, matrix products, checking gradients."""

from __future__ import annotations

from tinytorch.learn.exercise import Exercise, Wrong

__all__ = ["EXERCISES"]

_REDUCE = "ops/reduce.py"
_WORKSHOP = "learn/workshop.py"

EXERCISES = (
    Exercise(
        "sum-backward", 4, "write", _REDUCE, "Sum.backward",
        "The gradient of x in y = Σ x over some dimensions, which are dropped or kept.",
        (
            "Every element of x has slope 1: it receives the grad of the sum that it went into.",
            "Without keepdim the dropped dimensions have to come back with size 1: kept_shape(shape, dims).",
            "spread(grad, kept_shape(shape, ctx.attributes['dim']), shape) repeats it.",
        ),
        (
            Wrong('kept_shape(shape, ctx.attributes["dim"])', "grad.shape", "transposed"),
            Wrong("spread(grad,", "spread(grad * 2,", "doubled"),
            Wrong("spread(grad,", "spread(grad / grad,", "upstream ignored"),
        ),
    ),
    Exercise(
        "mean-backward", 4, "bug", _REDUCE, "Mean.backward",
        "The gradient of a mean is too large. Find the bug.",
        (
            "By which factor is it too large? Does the table know that number?",
            "A mean is a sum, divided by the number of elements that were averaged.",
            "grad / float(count), where count is the product of the sizes of the reduced dimensions.",
        ),
        (
            Wrong("grad / float(count) if", "grad if", "a sum where a mean"),
            Wrong("float(count)", "float(count) * 2.0", "doubled"),
            Wrong("grad / float(count)", "-grad / float(count)", "sign flipped"),
        ),
    ),
    Exercise(
        "permute-backward", 4, "bug", "ops/shape.py", "Permute.backward",
        "The gradient of a permutation has its dimensions in the wrong order. Find the bug.",
        (
            "x.permute(1, 2, 0) puts dimension 0 last. Which permutation brings it back?",
            "Output dimension i is input dimension dims[i]; backward needs the inverse of that map.",
            "sorted(range(n), key=dims.__getitem__) is the inverse of dims.",
        ),
        (
            Wrong("tuple(sorted(range(len(dims)), key=dims.__getitem__))", "dims", "permuted"),
            Wrong("tuple(sorted(range(len(dims)), key=dims.__getitem__))", "tuple(range(len(dims)))", "permuted"),
        ),
    ),
    Exercise(
        "cumsum-backward", 4, "write", _REDUCE, "Cumsum.backward",
        "The gradient of x in y_i = Σ_{j ≤ i} x_j.",
        (
            "Which outputs does x_j go into? Those from j on.",
            "So x_j receives the sum of grad_i over i ≥ j: a cumulative sum from the other end.",
            "Cumsum does that as well, if asked: Cumsum.apply(grad, dim=dim, reverse=not reverse).",
        ),
        (
            Wrong("reverse=not reverse", "reverse=reverse", "wrong"),
            Wrong("reverse=not reverse)", "reverse=not reverse).flip(dim)", "permuted"),
            Wrong("Cumsum.apply(grad, dim=dim, reverse=not reverse)", "grad", "wrong"),
        ),
    ),
    Exercise(
        "var-backward", 4, "derive", _REDUCE, "Var.backward",
        "The gradient of x in y = Σ (x - mean)² / (n - correction). The mean depends on x, too: does it matter?",
        (
            "Two paths lead from x_i to y: directly, and through the mean. Write down both.",
            "Through the mean comes -2/(n - c) · Σ (x_j - mean) / n, and deviations sum to 0.",
            "grad · 2 (x - mean) / (n - correction); grad in kept_shape first; nan or inf where it divides by 0.",
        ),
        (
            Wrong("2.0 / degrees", "1.0 / degrees", "divided by 2"),
            Wrong("x - x.mean(dims, True)", "x", "wrong"),
            Wrong('count - ctx.attributes["correction"]', "count", "off by a factor"),
        ),
    ),
    Exercise(
        "length", 4, "new", _WORKSHOP, "Length.forward Length.backward",
        "A new op, from its docstring and its tests: the Euclidean length of all elements.",
        (
            "Forward: the root of the sum of squares; save x and y.",
            "∂y/∂x_i = x_i / y. How does it look at x = 0, where y has a kink?",
            "grad * x / y if y.item() else ops.zeros_like(x)",
        ),
        (
            Wrong("(x * x).sum().sqrt()", "(x * x).mean().sqrt()", "wrong"),
            Wrong("grad * x / y if", "grad * x if", "off by a factor"),
            Wrong("if y.item() else ops.zeros_like(x)", "", "not finite"),
        ),
    ),
    Exercise(
        "put-in-zeros", 5, "write", "ops/indexing.py", "PutInZeros.forward",
        "The backward of slicing: zeros of a shape, with x at an index.",
        (
            "Elements that the slice left out had no influence: their gradient is 0.",
            "Make zeros of the shape, in x's dtype, and assign.",
            "whole = np.zeros(shape, x.dtype); whole[index] = x",
        ),
        (
            Wrong("zeros(shape, x.dtype)", "np.ones(shape, x.dtype)", "wrong"),
            Wrong("whole[index] = x", "whole[index] = 0", "zero"),
            Wrong("whole[index] = x", "whole[index] = -x", "sign flipped"),
        ),
    ),
    Exercise(
        "index-add", 5, "bug", "ops/indexing.py", "add_at",
        "An element that was picked several times gets one gradient only. Find the bug.",
        (
            "x[[0, 0, 0]] uses x[0] three times.",
            "NumPy's a[i] = v and a[i] += v keep one value per place, however often a place stands in i.",
            "np.add.at(whole.reshape(-1), positions, values.reshape(-1)) adds every one.",
        ),
        (
            Wrong(
                "np.add.at(whole.reshape(-1), _flat_positions(shape, items), values.reshape(-1))",
                "whole.reshape(-1)[_flat_positions(shape, items)] = values.reshape(-1)",
                "only one branch",
            ),
            Wrong(
                "np.add.at(whole.reshape(-1), _flat_positions(shape, items), values.reshape(-1))",
                "whole.reshape(-1)[_flat_positions(shape, items)] += values.reshape(-1)",
                "only one branch",
            ),
        ),
    ),
    Exercise(
        "quiz-index", 5, "predict", "learn/quiz.py", "index",
        "Answer by hand: what does backward bring to elements that were picked twice, once, never?",
        (
            "Write y out: y_0 = x_0, y_1 = x_0, y_2 = x_2.",
            "x_0 has two uses; add what they bring.",
            "1 + 10 for x_0, 100 for x_2, nothing for the others.",
        ),
        (
            Wrong("[11.0, 0.0, 100.0, 0.0]", "[10.0, 0.0, 100.0, 0.0]", "wrong"),
            Wrong("[11.0, 0.0, 100.0, 0.0]", "[11.0, 100.0, 0.0, 0.0]", "wrong"),
        ),
    ),
    Exercise(
        "matmul-backward", 6, "write", "ops/linalg.py", "MatMul.backward",
        "The gradients of A and B in Y = A B.",
        (
            "Look at shapes: A (n, k), B (k, m), grad (n, m). Which products give (n, k) and (k, m)?",
            "∂L/∂A_ij = Σ_m grad_im B_jm.",
            "grad Bᵀ and Aᵀ grad; _product(grad, b.mT): of matrices, or of stacks of matrices.",
        ),
        (
            Wrong("_product(grad, b.mT)", "_product(b, grad.mT)", "transposed"),
            Wrong("_product(grad, b.mT)", "_product(grad, b)", "wrong"),
            Wrong("_product(a.mT, grad)", "_product(grad.mT, a)", "transposed"),
        ),
    ),
    Exercise(
        "linear-backward", 6, "bug", "ops/linalg.py", "Linear.backward",
        "One of the three gradients of Y = X Wᵀ + b is wrong. Find the bug.",
        (
            "The table says which.",
            "The bias was added to every row. Backward, repetition becomes ... ?",
            "_sum_of_rows(rows)",
        ),
        (
            Wrong("_sum_of_rows(rows)", "rows.mean(0)", "a mean where a sum"),
            Wrong("_product(rows.mT, _rows(x))", "_product(_rows(x).mT, rows)", "transposed"),
            Wrong("_product(grad, weight)", "_product(grad, weight.mT)", "wrong"),
            Wrong("_sum_of_rows(rows)", "-_sum_of_rows(rows)", "sign flipped"),
        ),
    ),
    Exercise(
        "squared-distances", 6, "faster", _WORKSHOP, "squared_distances",
        "Right, but slow: two loops in Python. Give the same numbers without a loop.",
        (
            "Broadcasting a[:, None] - b would do, with N · M · D numbers in memory. There is a better way.",
            "|a - b|² = |a|² - 2 a·b + |b|²",
            "All a·b at once are one matrix product: a @ b.T.",
        ),
        (
            Wrong("2 * a @ b.T", "a @ b.T", "wrong"),
            Wrong("(a * a).sum(1)[:, None] - 2 * a @ b.T + (b * b).sum(1)",
                  "np.array([((row - b) ** 2).sum(1) for row in a])", "a loop?"),
        ),
        given="""\
d = np.zeros((len(a), len(b)))
for i in range(len(a)):
    for j in range(len(b)):
        d[i, j] = ((a[i] - b[j]) ** 2).sum()
return d""",
    ),
    Exercise(
        "numerical", 7, "bug", "autograd/gradcheck.py", "_numerical",
        "The judge itself is wrong: finite differences that are off. Find the bug.",
        (
            "Which factor does the table name?",
            "From x - ε to x + ε: how far is that?",
            "(ends[0] - ends[1]) / (2 * eps)",
        ),
        (
            Wrong("/ (2 * eps)", "/ eps", "doubled"),
            Wrong("(eps, -eps)", "(2 * eps, 0.0)", "wrong"),
            Wrong("ends[0] - ends[1]", "ends[1] - ends[0]", "sign flipped"),
        ),
    ),
    Exercise(
        "analytical", 7, "write", "autograd/gradcheck.py", "_analytical",
        "The other half of the judge: rows of the Jacobian, one backward pass for each direction.",
        (
            "One array of zeros per input, with a row for each direction and a column for each of its numbers.",
            "A direction is a flat array: in the output's dtype and shape it is the gradient to start with. Then "
            "grad(output, wanted, start, retain_graph=True, allow_unused=True).",
            "row[number] = _as_real(gradient._array), unless the gradient is None: that row stays zero.",
        ),
        (
            Wrong("if gradient is not None:", "if True:", "AttributeError"),
            Wrong("retain_graph=True, ", "", "RuntimeError"),
            Wrong("row[number] = _as_real(gradient._array)", "row[0] = _as_real(gradient._array)", "wrong"),
            Wrong("= _as_real(gradient._array)", "= -_as_real(gradient._array)", "sign flipped"),
        ),
    ),
)  # fmt: skip
