"""Chapter 18. Higher-order gradients.

After: tinytorch/viz/walk.py
Next: tinytorch/func/derivatives.py

Goal: differentiate gradients: Jacobians, Hessians and their products with vectors (``torch.autograd.functional``).

The idea. Backward passes are made of Tensor ops. With ``create_graph=True`` they are recorded like any others, so a
gradient is a result with a graph of its own.

>>> import tinytorch
>>> x = tinytorch.tensor(2.0, requires_grad=True)
>>> (slope,) = grad(x**3, x, create_graph=True)          # 3x²
>>> (curvature,) = grad(slope, x)                        # 6x
>>> slope.item(), curvature.item()
(12.0, 12.0)
>>> hessian(lambda x: (x**3).sum(), tinytorch.tensor([1.0, 2.0]))
tensor([[ 6.,  0.],
        [ 0., 12.]])

The derivation. One backward pass computes vᵀJ (chapter 1), whatever the size of the Jacobian J: :func:`vjp`. Row i of
:func:`jacobian` is the pass with v = e_i, the i-th unit vector; the Hessian H, :func:`hessian`, is the jacobian of the
gradient. :func:`jvp`, J u, needs no other machinery: ``transposed`` = Jᵀv is linear in v (at ``zeros``, as good as
anywhere), so differentiating <Jᵀv, u> for v gives J u. And H v is the gradient of <∇f, v>: two passes, where H would
take n. (*Forward mode* carries J u along with the values, op by op, in one pass. There is none here:
:mod:`.forward_ad`, its interface, takes these two passes as well.)

All take a function and its inputs, one tensor or a tuple, and answer in the same form. With ``create_graph`` the
answers can be differentiated again; with ``strict`` an input or output that takes no part is an error instead of zeros.

What PyTorch does. The same, by the same double-backward trick; its ``torch.func`` has a forward mode as well.

Pitfalls. A backward that treats something as a constant which depends on x has a *second* derivative that is silently
wrong: ``gradgradcheck`` finds it. ReLU's is 0 everywhere, so the Hessian of a ReLU network misses all its kinks.

Exercises. Write Newton's method for a minimum, x <- x - H⁻¹∇f. How many steps does it need for a quadratic function?
Answers: ``python -m tinytorch.learn answers 18``; more: ``python -m tinytorch.learn start --chapter 18``.
Check: ``python -m pytest tests/func/test_func.py``.

"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tinytorch import ops
from tinytorch.autograd.engine import grad
from tinytorch.autograd.modes import enable_grad
from tinytorch.tensor import Tensor

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _as_tuple(value: Any, what: str, function: str) -> tuple[bool, tuple[Tensor, ...]]:
    is_tuple = isinstance(value, tuple)
    values = value if is_tuple else (value,)
    for position, one in enumerate(values):
        if not isinstance(one, Tensor):
            raise TypeError(
                f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the value at index "
                f"{position} has type {type(one)}."
                if is_tuple
                else f"The {what} given to {function} must be either a Tensor or a tuple of Tensors but the given "
                f"{what} has type {type(value)}."
            )
    return is_tuple, tuple(values)


class _Evaluation:
    """The function run on copies of its inputs that require grad."""

    def __init__(self, func: Callable[..., Any], inputs: Any, create_graph: bool, name: str) -> None:
        self.name = name
        self.many_inputs, given = _as_tuple(inputs, "inputs", name)
        with enable_grad():
            # With create_graph the copies stay connected to what the caller will differentiate by.
            self.inputs = tuple([
                x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_() for x in given
            ])  # fmt: skip
            outputs = func(*self.inputs)
        self.many_outputs, self.outputs = _as_tuple(outputs, "outputs of the user-provided function", name)

    def gradients(
        self, outputs: tuple[Tensor, ...], inputs: tuple[Tensor, ...], weights: Any, create: bool, strict: bool
    ) -> tuple[Tensor, ...]:
        """Gradients, zeros (or with ``strict`` an error) where there is no dependence."""
        weights = (None,) * len(outputs) if weights is None else weights
        pairs = [(out, w) for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
        if strict and len(pairs) != len(outputs):
            raise RuntimeError(
                f"{self.name}: Output of the user-provided function is independent of the input. This is not allowed "
                "in strict mode."
            )
        found: tuple[Any, ...] = (None,) * len(inputs)
        if pairs:
            starts, given = [out for out, _ in pairs], [w for _, w in pairs]
            with enable_grad():
                found = grad(starts, inputs, given, retain_graph=True, create_graph=create, allow_unused=True)
        if strict and None in found:
            raise RuntimeError(f"{self.name}: The output of the user-provided function is independent of input "
                               f"{found.index(None)}. This is not allowed in strict mode.")  # fmt: skip
        return tuple(ops.zeros_like(x) if g is None else g for g, x in zip(found, inputs, strict=True))

    def scalar(self) -> Tensor:
        """The single output, which must have one element."""
        if self.many_outputs or self.outputs[0].numel() != 1:
            raise RuntimeError(
                f"The output of the user-provided function given to {self.name} must be a Tensor with a single element"
            )
        return self.outputs[0]

    def vectors(self, v: Any, like: tuple[Tensor, ...], many: bool) -> tuple[Tensor, ...]:
        """The vectors to multiply with, in the shapes of ``like``; 1 for a single element."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise RuntimeError(
                    f"The vector v can only be None if the user-provided function given to {self.name} returns a "
                    "single Tensor with a single element."
                )
            return tuple(ops.ones_like(x) for x in like)
        _, vectors = _as_tuple(v, "v", self.name)
        if len(vectors) != len(like):
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(vectors)}.")
        for position, (vector, x) in enumerate(zip(vectors, like, strict=True)):
            if vector.shape != x.shape:
                raise RuntimeError(f"v has invalid size: entry {position} should be {x.shape} but got {vector.shape}.")
        return vectors

    def like_inputs(self, values: tuple[Any, ...], create_graph: bool) -> Any:
        """An answer in the form of the inputs."""
        return _answer(values, self.many_inputs, create_graph)

    def like_outputs(self, values: tuple[Any, ...], create_graph: bool) -> Any:
        """An answer in the form of the outputs."""
        return _answer(values, self.many_outputs, create_graph)


def _answer(values: tuple[Any, ...], many: bool, create_graph: bool) -> Any:
    kept = values if create_graph else tuple(value.detach() for value in values)
    return kept if many else kept[0]


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(outputs, vᵀ J)``."""
    run = _Evaluation(func, inputs, create_graph, "vjp")
    weights = run.vectors(v, run.outputs, run.many_outputs)
    product = run.gradients(run.outputs, run.inputs, weights, create_graph, strict)
    return run.like_outputs(run.outputs, create_graph), run.like_inputs(product, create_graph)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(outputs, J v)``: the transpose of the map ``u -> uᵀ J``, which is linear in u."""
    run = _Evaluation(func, inputs, create_graph, "jvp")
    vectors = run.vectors(v, run.inputs, run.many_inputs)
    zeros = tuple(ops.zeros_like(out).requires_grad_() for out in run.outputs)
    transposed = run.gradients(run.outputs, run.inputs, zeros, True, strict)
    product = run.gradients(transposed, zeros, vectors, create_graph, False)
    return run.like_outputs(run.outputs, create_graph), run.like_outputs(product, create_graph)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian, ``output.shape + input.shape``: a tuple per input where inputs are one, of tuples for outputs.

    ``vectorize`` and ``strategy`` say how PyTorch computes it; the values are the same.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    if strategy == "forward-mode" and (create_graph or strict or not vectorize):
        wrong = "create_graph=True" if create_graph else "strict=True" if strict else "vectorize=False"
        raise NotImplementedError(f'jacobian: {wrong} is not supported with strategy="forward-mode", as in PyTorch')
    run = _Evaluation(func, inputs, create_graph, "jacobian")
    rows = []
    for out in run.outputs:
        found = []
        for unit in ops.eye(out.numel(), dtype=out.dtype):
            found.append(run.gradients((out,), run.inputs, (unit.reshape(out.shape),), create_graph, strict))
        blocks = [
            ops.stack(list(column)).reshape(tuple(out.shape) + tuple(x.shape))
            for column, x in zip(zip(*found, strict=True), run.inputs, strict=True)
        ]
        rows.append(_answer(tuple(blocks), run.many_inputs, create_graph))
    return tuple(rows) if run.many_outputs else rows[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The second derivatives of a function with a single number as result; a tuple of tuples where inputs are one."""
    many, _ = _as_tuple(inputs, "inputs", "hessian")

    def gradient(*arguments: Tensor) -> Any:
        run = _Evaluation(func, arguments, True, "hessian")
        return run.like_inputs(run.gradients((run.scalar(),), run.inputs, None, True, strict), True)

    found = jacobian(gradient, inputs if many else (inputs,), create_graph, strict, vectorize, outer_jacobian_strategy)
    return found if many else found[0][0]


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(output, vᵀ H)`` for a function with a single number as result."""
    run = _Evaluation(func, inputs, create_graph, "vhp")
    vectors = run.vectors(v, run.inputs, run.many_inputs)
    first = run.gradients((run.scalar(),), run.inputs, None, True, strict)
    product = run.gradients(first, run.inputs, vectors, create_graph, strict)
    return run.like_outputs(run.outputs, create_graph), run.like_inputs(product, create_graph)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """``(output, H v)``: the same numbers as :func:`vhp`, since the Hessian is symmetric."""
    return vhp(func, inputs, v, create_graph, strict)
