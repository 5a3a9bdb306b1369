"""Exercises of chapters 0 to 3: numbers, the engine, the tensor, elementwise ops."""

from __future__ import annotations

from tinytorch.learn.exercise import Exercise, Wrong

__all__ = ["EXERCISES"]

_SCALAR = "learn/scalar_autograd.py"
_ENGINE = "autograd/engine.py"
_ARITHMETIC = "ops/arithmetic.py"
_QUIZ = "learn/quiz.py"

EXERCISES = (
    Exercise(
        "scalar-mul", 0, "write", _SCALAR, "Value.__mul__",
        "Multiply, and remember the factors and the slopes: ∂(ab)/∂a and ∂(ab)/∂b.",
        (
            "Look at __add__: the same, with another value and other slopes.",
            "If b is held still, ab is a straight line in a. What is its slope?",
            "The slopes are (other.data, self.data): each factor's slope is the other factor.",
        ),
        (
            Wrong("(other.data, self.data)", "(self.data, other.data)", "permuted"),
            Wrong("(other.data, self.data)", "(1.0, 1.0)", "wrong"),
            Wrong("(other.data, self.data)", "(-other.data, -self.data)", "sign flipped"),
        ),
    ),
    Exercise(
        "scalar-tanh", 0, "bug", _SCALAR, "Value.tanh",
        "The slope of tanh is wrong. Find the bug.",
        (
            "Compare the sign of the table's two columns.",
            "tanh only ever rises, so its slope is positive.",
            "d tanh(x)/dx = 1 - tanh(x)², and tanh(x) is y here.",
        ),
        (
            Wrong("1 - y * y", "y * y - 1", "sign flipped"),
            Wrong("1 - y * y", "1 - y", "wrong"),
        ),
    ),
    Exercise(
        "scalar-order", 0, "write", _SCALAR, "topological_order",
        "All values behind a result, each before the values that it was made of.",
        (
            "Visit a value's sources first, then note the value itself: the order from the leaves to the result.",
            "A value that is used twice is visited twice, but may be noted once only.",
            "def visit(value): if it was not noted, visit all its sources, then note it. Reverse it at the end.",
        ),
        (
            Wrong("list(done)[::-1]", "list(done)", "comes after"),
            Wrong("return list(done)[::-1]", "return [result, *list(done)[::-1]]", "several times"),
        ),
    ),
    Exercise(
        "scalar-accumulate", 0, "bug", _SCALAR, "Value.backward",
        "A value that is used twice gets the gradient of one use only. Find the bug.",
        (
            "The sum over all uses in the chain rule: where in the code is it a sum?",
            "The second contribution to a source's gradient must not replace the first.",
            "source.grad += value.grad * slope",
        ),
        (
            Wrong("source.grad += value.grad", "source.grad = value.grad", "only one branch"),
            Wrong("value.grad * slope", "value.grad * slope * 2", "doubled"),
            Wrong("value.grad * slope", "slope", "wrong"),
        ),
    ),
    Exercise(
        "quiz-reuse", 0, "predict", _QUIZ, "reuse",
        "Answer by hand: what are the gradients where a result is used again and again?",
        (
            "Write down ∂c/∂b first; b has the value 6.",
            "∂c/∂b = 2b = 12. Two edges lead from b to a.",
            "Each of the two edges brings 12 to a.",
        ),
        (
            Wrong("24.0", "12.0", "wrong"),
            Wrong("12.0", "6.0", "wrong"),
        ),
    ),
    Exercise(
        "engine-reachable", 1, "write", "autograd/part.py", "reachable",
        "All nodes and all leaves from which some tensors were made, each once, without recursion.",
        (
            "Begin with the starts' own edges, start._gradient_edge(), where they require grad at all.",
            "An edge leads to a Node or to a leaf tensor; only nodes have edges, and each node counts once.",
            "Walk over the list of nodes while it grows: edge[0] of each edge, if new, goes into one of two lists.",
        ),
        (
            Wrong("seen.add(id(edge[0]))", "seen.add(0)", "was made by"),
            Wrong("(nodes if isinstance(edge[0], Node) else leaves)", "nodes", "AttributeError"),
        ),
    ),
    Exercise(
        "engine-add", 1, "bug", _ENGINE, "_Walk._add",
        "Where several contributions meet, only the last one survives. Find the bug.",
        (
            "`present` is what has arrived so far, `gradient` what arrives now.",
            "The third contribution goes another way than the second: look at both.",
            "The list holds the sum of both, present + array.",
        ),
        (
            Wrong("[np.asarray(present + array)]", "[np.array(array)]", "only one branch"),
            Wrong("present[0] += array", "pass", "wrong"),
            Wrong("present + array", "present - array", "wrong"),
        ),
    ),
    Exercise(
        "quiz-twice", 1, "predict", _QUIZ, "twice",
        "Answer by hand: what does calling backward() twice do?",
        (
            "backward() adds into .grad; it never replaces it.",
            "What is in a.grad after the first call is still there at the second.",
            "None is where a sum starts afresh.",
        ),
        (
            Wrong('"twice": 2.0', '"twice": 1.0', "wrong"),
            Wrong('"after None": 1.0', '"after None": 3.0', "wrong"),
        ),
    ),
    Exercise(
        "tensor-detach", 2, "write", "tensor_base.py", "TensorBase.detach",
        "A tensor over the same memory that is outside the graph.",
        (
            "Tensor._wrap(array) makes a tensor without history around an array, without copying it.",
            "Changes in place have to be counted for both tensors: they share one Memory record.",
            "other._memory = self._shared_memory(), and other._inference is as self's.",
        ),
        (
            Wrong("Tensor._wrap(self._array)", "Tensor._wrap(self._array.copy())", "shares the memory"),
            Wrong("other._memory = self._shared_memory()", "pass", "count changes"),
            Wrong("other = Tensor._wrap(self._array)", "other = self", "outside the graph"),
        ),
    ),
    Exercise(
        "quiz-leaf", 2, "predict", _QUIZ, "leaf",
        "Answer before running it: which tensors keep their gradient?",
        (
            "Gradients pass through results on their way; where do they come to rest?",
            "Only a leaf keeps its gradient, and only if it requires one.",
            "retain_grad() would make a result keep its own; nobody called it here.",
        ),
        (
            Wrong('"b": False', '"b": True', "wrong"),
            Wrong('"k": False', '"k": True', "wrong"),
        ),
    ),
    Exercise(
        "mul-backward", 3, "write", _ARITHMETIC, "Mul.backward",
        "The gradients of a and b in y = a · b, from grad = ∂L/∂y.",
        (
            "forward saved both factors: a, b = ctx.saved_tensors.",
            "∂y/∂a = b, and the chain rule multiplies by grad.",
            "Return (grad * b, grad * a), with None for the one that ctx.needs_input_grad does not ask for.",
        ),
        (
            Wrong("grad * b if need_a else None, grad * a", "grad * a if need_a else None, grad * b", "swapped"),
            Wrong("grad * b if need_a", "b if need_a", "upstream ignored"),
            Wrong("grad * a if need_b", "-grad * a if need_b", "sign flipped"),
            Wrong("grad * b if need_a", "grad * b * 2 if need_a", "doubled"),
        ),
    ),
    Exercise(
        "div-backward", 3, "bug", _ARITHMETIC, "Div.backward",
        "One of the two gradients of a / b is wrong. Find the bug.",
        (
            "Which input does the table complain about, and how?",
            "If b grows, a / b shrinks (for positive numbers).",
            "∂(a/b)/∂b = -a / b².",
        ),
        (
            Wrong("-grad * ((a / b) / b)", "grad * ((a / b) / b)", "sign flipped"),
            Wrong("(a / b) / b", "a / b", "wrong"),
            Wrong("grad / b if need_a", "grad * b if need_a", "wrong"),
        ),
    ),
    Exercise(
        "tanh-backward", 3, "write", "ops/unary.py", "Tanh.backward",
        "The gradient of x in y = tanh x, from y alone.",
        (
            "forward saved its result: (y,) = ctx.saved_tensors.",
            "tanh' = 1 - tanh².",
            "grad * (1 - y * y)",
        ),
        (
            Wrong("grad * (1 - y * y)", "(1 - y * y)", "upstream ignored"),
            Wrong("1 - y * y", "y * y - 1", "sign flipped"),
            Wrong("1 - y * y", "1 - y", "wrong"),
            Wrong("grad * (1 - y * y)", "grad * 0", "zero"),
        ),
    ),
    Exercise(
        "pow-base", 3, "write", "ops/powers.py", "_pow_grad_base",
        "The gradient of a in a ** b, for an exponent that is a number and for one that is a tensor.",
        (
            "The school's rule: b · a^(b-1). What is it for b = 0 and a = 0?",
            "If b is not a Tensor: zeros_like(grad) if it is 0, else grad * (pow(a, b - 1) * b).",
            "If b is a Tensor, ops.where(b == 0, 0.0, ...) keeps 0 · inf out.",
        ),
        (
            Wrong("a * b if b == 2", "a if b == 2", "divided by 2"),
            Wrong("pow(a, b - 1) * b)", "pow(a, b - 1))", "divided by 3"),
            Wrong("return ops.zeros_like(grad)", "return grad * (pow(a, b - 1) * b)", "not finite"),
        ),
    ),
    Exercise(
        "sum-to", 3, "write", "ops/broadcast.py", "SumTo.forward",
        "Un-broadcasting: sum x down to a shape that broadcasts to x's. What was repeated is summed.",
        (
            "Two kinds of dimensions were repeated: new ones in front, and those of size 1.",
            "x.ndim - len(shape) dimensions are new. Sum over them and over those where shape has 1 and x has more.",
            "np.add.reduce(x, axis=..., keepdims=True).reshape(shape); backward wants ctx.save_intermediates(x.shape).",
        ),
        (
            Wrong("total(x, tuple(range(new_dims)) + repeated).reshape(shape)", "x", "not summed"),
            Wrong("total(x,", "np.mean(x,", "divided by 2"),
            Wrong("total(x, tuple(range(new_dims)) + repeated)", "x[(0,) * new_dims]", "wrong"),
        ),
    ),
    Exercise(
        "log-cosh", 3, "new", "learn/workshop.py", "LogCosh.forward LogCosh.backward",
        "A new op, from its docstring and its tests: a smooth absolute value.",
        (
            "cosh 1000 overflows; ln(cosh 1000) is 999.3. So cosh may not be computed.",
            "cosh x = e^|x| (1 + e^(-2|x|)) / 2; take the logarithm of that.",
            "backward: sinh x / cosh x = tanh x. Save x with ctx.save_for_backward(x).",
        ),
        (
            Wrong("- math.log(2.0)", "", "wrong"),
            Wrong("grad * x.tanh()", "x.tanh()", "upstream ignored"),
            Wrong("grad * x.tanh()", "-grad * x.tanh()", "sign flipped"),
            Wrong("x.abs() + (x.abs() * -2.0).exp().log1p() - math.log(2.0)", "((x.exp() + (-x).exp()) * 0.5).log()",
                  "not finite"),
        ),
    ),
)  # fmt: skip
