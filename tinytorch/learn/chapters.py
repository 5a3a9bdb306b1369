"""The course's table of contents: the one place that says which chapter is which.

Everything that numbers chapters reads this table: the headers of the modules, the README's list, the exercises.
``python -m tinytorch.learn list`` prints it.

The rule of the order: importing a file of chapter n imports, by name, files of chapters up to n and files outside the
course, nothing later. The exception is the one circle of the package, which ``tinytorch/tensor_base.py`` explains:
primitives and the engine (1) work on Tensors (2), whose methods may change them in place (5), and ``from tinytorch
import ops``, the package of all ops, may stand anywhere. A test checks the rule.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHAPTERS", "Chapter"]


class Chapter(NamedTuple):
    """One chapter.

    Attributes:
        number: its place in the reading order.
        title: what it is about.
        modules: the files to read, in reading order; the first one's docstring opens the chapter. Paths start at the
            repository's root.
        tests: the tests beside PyTorch that check these files.
    """

    number: int
    title: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


# fmt: off
CHAPTERS = (
    Chapter(0, "The whole idea, on numbers",
            ("tinytorch/learn/scalar_autograd.py",),
            ("tests/examples/test_scalar_autograd.py",)),
    Chapter(1, "Nodes and the engine",
            ("tinytorch/autograd/node.py", "tinytorch/autograd/saving.py", "tinytorch/autograd/primitive.py",
             "tinytorch/autograd/engine.py", "tinytorch/autograd/part.py"),
            ("tests/autograd/test_engine.py",)),
    Chapter(2, "The tensor",
            ("tinytorch/tensor_base.py", "tinytorch/tensor_conversions.py", "tinytorch/tensor.py"),
            ("tests/autograd/test_memory.py", "tests/autograd/test_aliases.py")),
    Chapter(3, "Elementwise ops and un-broadcasting",
            ("tinytorch/ops/broadcast.py", "tinytorch/ops/arithmetic.py", "tinytorch/ops/powers.py",
             "tinytorch/ops/unary.py"),
            ("tests/ops/test_cases.py",)),
    Chapter(4, "Reductions and shapes",
            ("tinytorch/ops/reduce.py", "tinytorch/ops/shape.py"),
            ("tests/ops/test_cases.py",)),
    Chapter(5, "Indexing and changes in place",
            ("tinytorch/ops/indexing.py", "tinytorch/ops/gather.py", "tinytorch/autograd/inplace.py"),
            ("tests/ops/test_cases.py", "tests/ops/test_scatter.py", "tests/autograd/test_views.py")),
    Chapter(6, "Matrix products",
            ("tinytorch/ops/linalg.py",),
            ("tests/ops/test_cases.py",)),
    Chapter(7, "Checking gradients",
            ("tinytorch/autograd/gradcheck.py",),
            ("tests/autograd/test_gradcheck.py",)),
    Chapter(8, "Modules",
            ("tinytorch/nn/modules/module.py", "tinytorch/nn/modules/registry.py"),
            ("tests/nn/test_module.py",)),
    Chapter(9, "Initialization",
            ("tinytorch/nn/init.py", "tinytorch/nn/modules/linear.py"),
            ("tests/nn/test_init.py",)),
    Chapter(10, "Losses",
            ("tinytorch/ops/softmax.py", "tinytorch/ops/loss.py"),
            ("tests/ops/test_loss.py",)),
    Chapter(11, "Optimizers",
            ("tinytorch/optim/optimizer.py", "tinytorch/optim/sgd.py", "tinytorch/optim/adagrad.py",
             "tinytorch/optim/rmsprop.py", "tinytorch/optim/adam.py", "tinytorch/optim/adamw.py"),
            ("tests/optim/test_trajectories.py",)),
    Chapter(12, "Data",
            ("tinytorch/utils/data/dataset.py", "tinytorch/utils/data/sampler.py", "tinytorch/utils/data/collate.py",
             "tinytorch/utils/data/dataloader.py"),
            ("tests/utils/test_data.py",)),
    Chapter(13, "Convolution",
            ("tinytorch/kernels/conv_reference.py", "tinytorch/kernels/conv_columns.py", "tinytorch/kernels/conv.py",
             "tinytorch/ops/conv.py"),
            ("tests/kernels/test_conv.py", "tests/ops/test_conv.py")),
    Chapter(14, "Pooling",
            ("tinytorch/ops/pool.py", "tinytorch/kernels/pool.py"),
            ("tests/kernels/test_pool.py", "tests/ops/test_pool.py")),
    Chapter(15, "Normalization",
            ("tinytorch/ops/norm.py", "tinytorch/kernels/norm.py"),
            ("tests/kernels/test_norm.py", "tests/ops/test_norm.py")),
    Chapter(16, "The CNN",
            ("examples/cnn_example.py", "examples/train_cnn.py"),
            ("tests/examples/test_cnn_example.py", "tests/examples/test_train_cnn.py")),
    Chapter(17, "Pictures of the graph",
            ("tinytorch/viz/data.py", "tinytorch/viz/walk.py"),
            ("tests/viz/test_graph.py",)),
    Chapter(18, "Higher-order gradients",
            ("tinytorch/autograd/functional.py", "tinytorch/func/derivatives.py"),
            ("tests/func/test_func.py",)),
)
# fmt: on
