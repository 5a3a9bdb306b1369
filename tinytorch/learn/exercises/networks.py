"""Exercises of chapters 8 to 12: modules, initialization, losses, optimizers, data."""

from __future__ import annotations

from tinytorch.learn.exercise import Exercise, Wrong

__all__ = ["EXERCISES"]

EXERCISES = (
    Exercise(
        "module-getattr", 8, "write", "nn/modules/registry.py", "Registry.__getattr__",
        "Find a parameter, buffer or submodule under its name. Python asks here when it found nothing else.",
        (
            "Three dictionaries are to be looked into: _parameters, _buffers, _modules.",
            "They stand in self.__dict__. (self._parameters would ask here again, for ever, before __init__ has run.)",
            "Whoever has it returns it; in the end raise AttributeError.",
        ),
        (
            Wrong('("_parameters", "_buffers", "_modules")', '("_parameters", "_buffers")', "AttributeError"),
            Wrong("return members[name]", "return members", "Error"),
        ),
    ),
    Exercise(
        "module-train", 8, "bug", "nn/modules/module.py", "Module.train",
        "model.eval() leaves the inner layers in training mode. Find the bug.",
        (
            "A model is a tree of modules.",
            "Every child has to be told, and will tell its own children.",
            "for child in self.children(): child.train(mode)",
        ),
        (
            Wrong("child.train(mode)", "child.training", "reach all modules"),
            Wrong("child.train(mode)", "child.training = mode", "reach all modules"),
            Wrong("return self", "return None", "returns the module"),
        ),
    ),
    Exercise(
        "sequential-forward", 8, "bug", "nn/modules/container.py", "Sequential.forward",
        "Of all layers only the last one works. Find the bug.",
        (
            "Follow one number through the loop.",
            "What does the second layer get?",
            "input = module(input), and input is returned at the end.",
        ),
        (
            Wrong("input = module(input)\nreturn input", "output = module(input)\nreturn output", "divided by 4"),
            Wrong("return input", "return -input", "sign flipped"),
        ),
    ),
    Exercise(
        "fan-in-and-fan-out", 9, "write", "nn/init.py", "_calculate_fan_in_and_fan_out",
        "How many inputs one output is summed from, and how many outputs one input goes into; also for convolutions.",
        (
            "A Linear weight is (out, in), a convolution's (out, in, height, width).",
            "Every place of the kernel is an input of its own: multiply by math.prod(tensor.shape[2:]).",
            "shape[1] · places and shape[0] · places; fewer than two dimensions are a ValueError.",
        ),
        (
            Wrong(
                "tensor.shape[1] * receptive_field, tensor.shape[0] * receptive_field",
                "tensor.shape[0] * receptive_field, tensor.shape[1] * receptive_field",
                "(fan_in, fan_out) = (5, 3)",
            ),
            Wrong("math.prod(tensor.shape[2:])", "1", "Each output sums"),
        ),
    ),
    Exercise(
        "kaiming-normal", 9, "bug", "nn/init.py", "kaiming_normal_",
        "Signals die out on their way through the network. Find the bug.",
        (
            "The text at the top of the file says what Var(w) should be.",
            "A standard deviation is the root of a variance.",
            "std = gain / √fan",
        ),
        (
            Wrong("/ math.sqrt(", "/ float(", "should be"),
            Wrong("calculate_gain(nonlinearity, a)", "1", "should be"),
        ),
    ),
    Exercise(
        "mse-backward", 10, "bug", "ops/loss.py", "DifferenceLoss.backward",
        "The gradient of a mean squared error grows with the number of samples. Find the bug.",
        (
            "Which reduction is wrong, 'mean' or 'sum'?",
            "forward divides by the number of elements under 'mean'.",
            "grad = grad * (1.0 / max(difference._array.size, 1)) under 'mean'.",
        ),
        (
            Wrong("grad = grad * (1.0 / max(difference._array.size, 1))", "pass", "a sum where a mean"),
            Wrong("-gradient if need_target", "gradient if need_target", "sign flipped"),
            Wrong("difference = input - target", "difference = target - input", "sign flipped"),
        ),
    ),
    Exercise(
        "softmax-backward", 10, "derive", "ops/softmax.py", "Softmax.backward",
        "The gradient of x in p = softmax(x), from p and grad, without a matrix of all ∂p_i/∂x_j.",
        (
            "∂p_i/∂x_j = p_i (δ_ij - p_j). Write down Σ_i grad_i ∂p_i/∂x_j.",
            "The δ picks one term; the other is the same number for all j, but for the factor p_j.",
            "p · (grad - Σ_i grad_i p_i), the sum along dim and kept: (grad * y).sum(dim, True).",
        ),
        (
            Wrong("(grad - (grad * y).sum(dim, True))", "grad", "wrong"),
            Wrong("(grad * y).sum(dim, True)", "grad.sum(dim, True)", "wrong"),
            Wrong("y * (grad -", "(grad -", "wrong"),
        ),
    ),
    Exercise(
        "log-softmax-backward", 10, "derive", "ops/softmax.py", "LogSoftmax.backward",
        "The gradient of x in y = ln softmax(x), from y and grad.",
        (
            "y_i = x_i - ln Σ_j e^{x_j}. Differentiate by x_k.",
            "∂y_i/∂x_k = δ_ik - p_k, where p = e^y.",
            "grad - e^y · Σ grad, the sum along dim and kept.",
        ),
        (
            Wrong("y.exp() * grad.sum", "grad.sum", "wrong"),
            Wrong("grad - y.exp()", "grad + y.exp()", "wrong"),
            Wrong("y.exp() * grad.sum", "y * grad.sum", "wrong"),
        ),
    ),
    Exercise(
        "softmax-cross-entropy", 10, "derive", "learn/workshop.py", "SoftmaxCrossEntropy.backward",
        "Softmax and negative log likelihood derived together: one short backward for both.",
        (
            "L = -(1/N) Σ_n y[n, classes_n] with y = log-softmax. What is ∂L/∂y?",
            "-1/N at the class, 0 elsewhere; put that into log-softmax's backward.",
            "grad * (p - one_hot(classes)) / N, and None for the classes.",
        ),
        (
            Wrong("(p - one_hot)", "(one_hot - p)", "sign flipped"),
            Wrong(" / len(classes), None", ", None", "off by a factor"),
            Wrong("return grad * (p", "return 1.0 * (p", "upstream ignored"),
            Wrong("(p - one_hot)", "p", "wrong"),
        ),
    ),
    Exercise(
        "sgd-update", 11, "write", "optim/sgd.py", "sgd_update",
        "One step of gradient descent: plain, with momentum, with Nesterov's look ahead. All in place.",
        (
            "Start with g = direction(p, g, weight_decay, maximize), and with no buffer (b is None).",
            "With a buffer: b[...] = g the first time, else b *= momentum, then b += (1 - dampening) * g.",
            "Then step along b, or along g + momentum * b with nesterov: p -= lr * g.",
        ),
        (
            Wrong("p -= lr * g", "p += lr * g", "p after a step"),
            Wrong("b *= momentum", "b *= 1 - momentum", "with momentum"),
            Wrong("g + momentum * b if nesterov else b", "b", "with nesterov"),
            Wrong("(1 - dampening) * g if dampening else g", "g", "with dampening"),
        ),
    ),
    Exercise(
        "adam-update", 11, "bug", "optim/adam.py", "adam_update",
        "Adam's first steps are too large. Find the bug.",
        (
            "After one step, m is a tenth of g and v a thousandth of g²: what are they divided by?",
            "Both running means start at 0; the chapter says what corrects for that.",
            "v is corrected by (1 - beta2**step), under the root.",
        ),
        (
            Wrong("(sqrt(v) / (1 - beta2**step) ** 0.5 + eps)", "(sqrt(v) + eps)", "first step"),
            Wrong("lr / (1 - beta1**step)", "lr", "first step"),
            Wrong("v += (1 - beta2) * g * g", "v += (1 - beta2) * g", "first step"),
            Wrong("p *= 1 - lr * weight_decay", "p *= 1 - weight_decay", "AdamW"),
        ),
    ),
    Exercise(
        "rmsprop-update", 11, "write", "optim/rmsprop.py", "rmsprop_update",
        "One step of RMSprop, centered or not, with or without momentum. All in place.",
        (
            "g = direction(p, g, weight_decay, maximize); v *= alpha; v += (1 - alpha) * g * g.",
            "Centered: mean += (1 - alpha) * (g - mean), and v - mean * mean takes the place of v (in a new array).",
            "Divide g by sqrt(v) + eps; without momentum step along that, with momentum b *= momentum, b += it, step "
            "along b.",
        ),
        (
            Wrong("sqrt(v) + eps", "v + eps", "first step"),
            Wrong("v *= alpha", "pass", "second step"),
            Wrong("b *= momentum", "pass", "with momentum"),
        ),
    ),
    Exercise(
        "batch-sampler", 12, "write", "utils/data/sampler.py", "BatchSampler.__iter__",
        "Lists of batch_size indices, one at a time; the last one may be shorter, or is left out.",
        (
            "Write a generator: yield one list after the other.",
            "itertools.islice(indices, n) takes at most n from an iterator.",
            "while batch := list(islice(indices, self.batch_size)): stop at one that is too short if drop_last.",
        ),
        (
            Wrong("and self.drop_last", "", "seven indices"),
            Wrong("len(batch) < self.batch_size and self.drop_last", "False", "drop_last"),
            Wrong("indices = iter(self.sampler)", "indices = iter(list(self.sampler)[1:])", "seven indices"),
        ),
    ),
    Exercise(
        "concat-dataset", 12, "bug", "utils/data/dataset.py", "ConcatDataset.__getitem__",
        "At the seams between datasets the wrong sample comes out. Find the bug.",
        (
            "cumulative_sizes of lengths 2, 0 and 3 is [2, 2, 5]. In which dataset is sample 2?",
            "Sample 2 is behind the first two samples: it is the first of the third dataset.",
            "bisect_right looks behind equal numbers, bisect_left in front of them.",
        ),
        (
            Wrong("bisect.bisect_right(", "bisect.bisect_left(", "Error"),
            Wrong("index - before", "index", "Error"),
            Wrong("if -index > len(self):", "if False:", "Error"),
        ),
    ),
)  # fmt: skip
