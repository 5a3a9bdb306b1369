"""Exercises of chapters 13 to 18: convolution, pooling, normalization, the CNN, graphs, higher-order gradients."""

from __future__ import annotations

from tinytorch.learn.exercise import Exercise, Wrong

__all__ = ["EXERCISES"]

_QUIZ = "learn/quiz.py"

EXERCISES = (
    Exercise(
        "conv-loop", 13, "write", "kernels/conv_reference.py", "conv2d_loop",
        "Slide a kernel over an image, with two loops in Python.",
        (
            "np.pad(input_matrix, padding) puts the zeros around.",
            "How often does a kernel of height k fit into h rows, at a step of stride? (h - k) // stride + 1 times.",
            "Each output is np.sum(patch * kernel), the patch starting at (out_i · stride, out_j · stride).",
        ),
        (
            Wrong("np.pad(input_matrix, padding)", "input_matrix", "wrong shape"),
            Wrong("* kernel)", "* kernel[::-1, ::-1])", "wrong"),
            Wrong("np.sum(", "np.mean(", "divided by 4"),
        ),
    ),
    Exercise(
        "im2col", 13, "faster", "kernels/conv_reference.py", "conv2d_im2col",
        "Right, but slow: four loops in Python. Give the same numbers by one matrix product.",
        (
            "np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3)) is all patches, as a view.",
            "Lay the patches out as a matrix: a row for every (c, kh, kw), a column for every (n, h', w').",
            "weight.reshape(o, -1) @ columns is (o, n · h' · w'); reshape it and bring n to the front.",
        ),
        (
            Wrong(".transpose(1, 4, 5, 0, 2, 3)", ".transpose(1, 4, 5, 0, 3, 2)", "wrong"),
            Wrong("return product.reshape(o, n, out_h, out_w).transpose(1, 0, 2, 3)",
                  "return product.reshape(n, o, out_h, out_w)", "permuted"),
            Wrong("columns = patches", "columns = -patches", "sign flipped"),
        ),
        given="""\
n, c, h, w = x.shape
o, _, kh, kw = weight.shape
out = np.zeros((n, o, (h + 2 * padding[0] - kh) // stride[0] + 1, (w + 2 * padding[1] - kw) // stride[1] + 1))
padded = np.pad(x, ((0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])))
for image in range(n):
    for filter in range(o):
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                row, column = i * stride[0], j * stride[1]
                patch = padded[image, :, row : row + kh, column : column + kw]
                out[image, filter, i, j] = (patch * weight[filter]).sum()
return out""",
    ),
    Exercise(
        "conv-backward", 13, "write", "ops/conv.py", "Conv2d.backward",
        "The gradients of x, weight and bias of a convolution, by the two other members of its family.",
        (
            "The text at the top of the file introduces the family: which one gives an x, which one a weight?",
            "Conv2dInput.apply(y, weight, None, input_shape=...) and Conv2dWeight.apply(x, y, weight_shape=...), "
            "with grad in place of y, and **ctx.geometry().",
            "The bias was added everywhere in its channel: SumPerChannel.apply(grad). Shapes are in ctx.intermediates.",
        ),
        (
            Wrong("SumPerChannel.apply(grad)", "SumPerChannel.apply(-grad)", "sign flipped"),
            Wrong("Conv2dInput.apply(grad, weight", "Conv2dInput.apply(grad, weight.flip(2, 3)", "wrong"),
            Wrong("Conv2dWeight.apply(x, grad", "Conv2dWeight.apply(x, grad * 2", "doubled"),
        ),
    ),
    Exercise(
        "pool-output-size", 14, "write", "kernels/windows.py", "pool_output_size",
        "How many windows fit on an image? Also where a last one may hang over (ceil_mode).",
        (
            "The last window starts at most size + 2 · padding - dilation · (kernel - 1) - 1 after the first.",
            "Divide that by the stride, rounded down (up with ceil_mode), and count the first window, too.",
            "With ceil_mode, a window that would start beyond size + padding does not count.",
        ),
        (
            Wrong("2 * padding", "padding", "windows start at"),
            Wrong("dilation * (kernel - 1)", "(kernel - 1)", "dilation 3"),
            Wrong("if ceil_mode and (out - 1)", "if False and (out - 1)", "outside the image"),
        ),
    ),
    Exercise(
        "max-pool-backward", 14, "write", "ops/pool.py", "MaxPool2d.backward",
        "Send each gradient to the place whose value won its window.",
        (
            "forward noted the winners: shape, winner = ctx.intermediates.",
            "MaxPoolScatter puts numbers to the winners' places, and adds where windows overlap.",
            "MaxPoolScatter.apply(grad, winner=winner, shape=shape, window=ctx.attributes['window'])",
        ),
        (
            Wrong("MaxPoolScatter.apply(grad,", "MaxPoolScatter.apply(-grad,", "sign flipped"),
            Wrong("winner=winner", "winner=winner * 0", "wrong"),
            Wrong("MaxPoolScatter.apply(grad,", "MaxPoolScatter.apply(grad / grad,", "upstream ignored"),
        ),
    ),
    Exercise(
        "avg-pool-backward", 14, "bug", "ops/pool.py", "AvgPool2d.backward",
        "The gradient of average pooling has the wrong sign. Find the bug.",
        (
            "Nothing is subtracted in a mean.",
            "AvgPool2dInput spreads each number evenly over its window.",
            "AvgPool2dInput.apply(grad, shape=shape, **options)",
        ),
        (
            Wrong("AvgPool2dInput.apply(grad,", "AvgPool2dInput.apply(-grad,", "sign flipped"),
            Wrong("AvgPool2dInput.apply(grad,", "AvgPool2dInput.apply(grad * 4,", "times 4"),
        ),
    ),
    Exercise(
        "quiz-ties", 14, "predict", _QUIZ, "ties",
        "Answer before running it: who gets the gradient when two elements are largest?",
        (
            "One winner per window; the gradient is not shared.",
            "The first of equals wins, as in PyTorch.",
            "All 5 go to the first element.",
        ),
        (
            Wrong("[5.0, 0.0, 0.0, 0.0]", "[2.5, 2.5, 0.0, 0.0]", "wrong"),
            Wrong("[5.0, 0.0, 0.0, 0.0]", "[0.0, 5.0, 0.0, 0.0]", "wrong"),
            Wrong("[5.0, 0.0, 0.0, 0.0]", "[1.0, 0.0, 0.0, 0.0]", "wrong"),
        ),
    ),
    Exercise(
        "normalization-backward", 15, "derive", "ops/norm.py", "normalization_backward",
        "The gradients of (x - mean) · invstd · weight + bias, where mean and invstd depend on x themselves.",
        (
            "Three paths lead from x to y: directly, through the mean, and through invstd. With g = grad · weight:",
            "the first gives invstd · g; the mean takes away its average; invstd takes away the part along xhat.",
            "invstd · (g - mean(g) - xhat · mean(g · xhat)); the weight gets Σ grad · xhat, the bias Σ grad over "
            "`repeated`. What is not needed is None.",
        ),
        (
            Wrong("g - g.mean(normalized, True) - xhat", "g - xhat", "wrong"),
            Wrong("- xhat * (g * xhat).mean(normalized, True)", "", "wrong"),
            Wrong("sum_over(grad * xhat, repeated)", "sum_over(grad * x, repeated)", "wrong"),
            Wrong("sum_over(grad, repeated)", "grad.mean(repeated, True)", "divided by 6"),
        ),
    ),
    Exercise(
        "batch-norm-kernel", 15, "derive", "kernels/norm.py", "batch_norm_backward",
        "The same for the fast kernel, on arrays (N, C, ...): gradients of x, weight and bias from mean and invstd.",
        (
            "A short version is fine; the original works on blocks of channels that fit into the cache.",
            "Means are over all dimensions but 1; mean, invstd, weight have to broadcast along dimension 1.",
            "xhat = (x - mean) · invstd; gx = invstd · weight · (grad - mean(grad) - xhat · mean(grad · xhat)).",
        ),
        (
            Wrong("constant = -scale * sum_g / count", "constant = 0 * scale", "wrong"),
            Wrong("grad_weight[part] = sum_g_centered * inverse", "grad_weight[part] = sum_g_centered", "wrong"),
            Wrong("grad_bias[part] = sum_g", "grad_bias[part] = sum_g / count", "divided by 6"),
            Wrong("inverse**2 * sum_g_centered", "inverse * sum_g_centered", "wrong"),
        ),
    ),
    Exercise(
        "quiz-cnn", 16, "predict", _QUIZ, "cnn",
        "Answer by hand: how many parameters has a convolution, and what happens to the image's size?",
        (
            "Each of the 6 output channels has a 5x5 kernel for its one input channel, and a bias.",
            "A 5x5 kernel fits 28 - 5 + 1 times into a row of 28.",
            "A 2x2 window moves by 2: half the size.",
        ),
        (
            Wrong("156", "150", "wrong"),
            Wrong("(64, 6, 24, 24)", "(64, 6, 28, 28)", "wrong"),
            Wrong("(64, 6, 12, 12)", "(64, 6, 14, 14)", "wrong"),
        ),
    ),
    Exercise(
        "receptive-field", 16, "new", "learn/workshop.py", "receptive_field",
        "From its docstring and its tests: how large a region of the image does one number of the output see?",
        (
            "Two 3x3 convolutions after each other: the second sees 3 numbers of the first, which see 3 + 2 pixels.",
            "Keep two numbers: how many pixels one number sees, and how many pixels apart two neighbours stand.",
            "For every layer with a kernel: size += (kernel - 1) * apart, then apart *= stride.",
        ),
        (
            Wrong("size += (kernel - 1) * apart", "size += kernel - 1", "8 pixels"),
            Wrong("size += (kernel - 1) * apart", "size += kernel * apart", "pixels"),
            Wrong("apart *= stride", "apart += stride", "pixels"),
        ),
    ),
    Exercise(
        "quiz-graph", 17, "predict", _QUIZ, "graph",
        "Answer by hand: how large is the graph of a small expression?",
        (
            "Every operation is one op: *, tanh, +, sum.",
            "Every input of an op is one edge; * and + have two.",
            "2 + 1 + 2 + 1 edges.",
        ),
        (
            Wrong('"edges": 6', '"edges": 5', "wrong"),
            Wrong('"ops": 4', '"ops": 3', "wrong"),
        ),
    ),
    Exercise(
        "inputs-of", 17, "write", "viz/data.py", "Graph.inputs_of",
        "The edges that lead to a node, in the order of its arguments. The node is given itself, or by its id.",
        (
            "An edge knows its ends by id: edge.target == node.id.",
            "a - b is not b - a: sort by edge.position.",
            "sorted((edge for edge in self.edges if edge.target == target), key=lambda edge: edge.position)",
        ),
        (
            Wrong("sorted((edge for edge in self.edges if edge.target == target), key=lambda edge: edge.position)",
                  "[edge for edge in self.edges if edge.target == target]", "in the order of its arguments"),
            Wrong("edge.target == target", "edge.source == target", "in the order of its arguments"),
        ),
    ),
    Exercise(
        "quiz-cubic", 18, "predict", _QUIZ, "cubic",
        "Answer by hand: the derivatives of a cube, one after the other.",
        (
            "x³, 3x², 6x, 6, 0.",
            "At 2: 3 · 4.",
            "12, 6 · 2, 6, 0.",
        ),
        (
            Wrong('"first": 12.0', '"first": 8.0', "wrong"),
            Wrong('"third": 6.0', '"third": 12.0', "wrong"),
        ),
    ),
    Exercise(
        "hessian", 18, "bug", "autograd/functional.py", "hessian",
        "All second derivatives come out as zero. Find the bug.",
        (
            "The Hessian is the Jacobian of the gradient. Is the gradient connected to its inputs?",
            "Look at the arguments of _Evaluation: one of them says whether its inputs stay connected.",
            "_Evaluation(func, arguments, True, 'hessian'): create_graph.",
        ),
        (
            Wrong("_Evaluation(func, arguments, True,", "_Evaluation(func, arguments, False,", "zero"),
            Wrong("found = jacobian(gradient,", "found = jacobian(lambda *x: tuple(-g for g in gradient(*x)),",
                  "sign flipped"),
        ),
    ),
    Exercise(
        "gradient-penalty", 18, "new", "learn/workshop.py", "gradient_penalty",
        "From its docstring and its tests: a loss that contains a gradient, and can be differentiated itself.",
        (
            "function(x) gives one number per row; the gradient of their sum holds the gradient of each row.",
            "grad(function(x).sum(), x, create_graph=True): the gradient has to be recorded itself.",
            "The length of each row is (slope * slope).sum(1).sqrt(); the mean of (length - 1)² is the penalty.",
        ),
        (
            Wrong(", create_graph=True", "", "missing"),
            Wrong("- 1.0) ** 2", "- 1.0)", "wrong"),
            Wrong(".mean()", ".sum()", "times 4"),
        ),
    ),
)  # fmt: skip
