"""Wrong calls around training (modules, optimizers, schedulers, data, files, arrays): PyTorch's value or its type of error.

Each line of the tables is Python that runs in both libraries; ``{}`` in it is replaced by every value of the list beside it.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tinytorch
from tests.databases.run_ops import equal_all, flatten
from tests.trust.bad_calls import INTERNAL

NUMBERS = [
    "-1",
    "-0.5",
    "0",
    "0.0",
    "1",
    "1.5",
    "2",
    "10**20",
    "1e308",
    "float('inf')",
    "float('nan')",
    "None",
    "'a'",
    "True",
    "[]",
    "[1]",
    "(0.9,)",
    "1j",
    "{}",
    "object()",
]
INTS = [
    "-1",
    "0",
    "1",
    "3",
    "1.5",
    "2.0",
    "None",
    "'a'",
    "True",
    "[]",
    "[2]",
    "(2,2)",
    "(0,0)",
    "(-1,1)",
    "(1,2,3,4)",
    "1j",
    "{}",
]
TENSORS = [
    "T.ones(())",
    "T.ones(0)",
    "T.ones(3)",
    "T.ones(0,3)",
    "T.ones(2,3)",
    "T.ones(1,3,4)",
    "T.ones(2,3,8,8)",
    "T.ones(1,2,3,4,5)",
    "T.ones(2,3).long()",
    "T.ones(2,3).double()",
    "T.ones(2,3)>0",
    "T.ones(2,3)*float('nan')",
    "T.full((2,3),1e38)",
    "T.ones(3,2).t()",
    "T.ones(1,3).expand(2,3)",
    "None",
    "1",
    "'a'",
    "[1.0]",
    "np.ones((2,3))",
]

MODULES = (
    ("nn.Linear({}, 2)", INTS), ("nn.Linear(3, {})", INTS), ("nn.Linear(3, 2)({})", TENSORS), ("nn.Bilinear(3, 3, 2)({0}, {0})", TENSORS),
    ("nn.Conv1d(3, 4, {})", INTS), ("nn.Conv2d({}, 4, 3)", INTS), ("nn.Conv2d(3, {}, 3)", INTS), ("nn.Conv2d(3, 4, {})", INTS),
    ("nn.Conv2d(3, 4, 3, stride={})(T.ones(2,3,8,8))", INTS), ("nn.Conv2d(3, 4, 3, padding={})(T.ones(2,3,8,8))", [*INTS, "'same'", "'valid'"]),
    ("nn.Conv2d(3, 6, 3, groups={})", INTS), ("nn.Conv2d(3, 4, 3, dilation={})(T.ones(2,3,8,8))", INTS), ("nn.Conv2d(3, 4, 3)({})", TENSORS),
    ("nn.Conv2d(3, 4, 3, padding_mode={})", ["'zeros'", "'a'", "None", "1"]), ("nn.ConvTranspose2d(3, 4, 3)({})", TENSORS),
    ("nn.BatchNorm1d({})", INTS), ("nn.BatchNorm1d(3)({})", TENSORS), ("nn.BatchNorm2d(3)({})", TENSORS), ("nn.BatchNorm1d(3, eps={})(T.ones(2,3))", NUMBERS),
    ("nn.BatchNorm1d(3, momentum={})(T.ones(2,3))", NUMBERS), ("nn.BatchNorm1d(3).eval()({})", TENSORS), ("nn.LayerNorm({})(T.ones(2,3))", INTS),
    ("nn.LayerNorm(3)({})", TENSORS), ("nn.GroupNorm({}, 6)", INTS), ("nn.GroupNorm(3, 3)({})", TENSORS), ("nn.InstanceNorm2d(3)({})", TENSORS),
    ("nn.Dropout({})", NUMBERS), ("nn.Dropout(0.5)({})", TENSORS), ("nn.Dropout2d(0.5)({})", TENSORS), ("nn.MaxPool2d({})(T.ones(2,3,8,8))", INTS),
    ("nn.MaxPool2d(2, stride={})(T.ones(2,3,8,8))", INTS), ("nn.MaxPool2d(2, padding={})(T.ones(2,3,8,8))", INTS), ("nn.MaxPool2d(2)({})", TENSORS),
    ("nn.AvgPool2d({})(T.ones(2,3,8,8))", INTS), ("nn.AvgPool2d(2)({})", TENSORS), ("nn.AdaptiveAvgPool2d({})(T.ones(2,3,8,8))", INTS),
    ("nn.Embedding({}, 3)", INTS), ("nn.Embedding(4, {})", INTS), ("nn.Embedding(4, 3)({})", TENSORS), ("nn.Embedding(4, 3)(T.tensor([{}]))", ["-1", "0", "3", "4", "2**40"]),
    ("nn.Embedding(4, 3, padding_idx={})", ["-5", "-4", "3", "4", "'a'"]), ("nn.Flatten()({})", TENSORS), ("nn.ReLU()({})", TENSORS), ("nn.Softmax(1)({})", TENSORS),
    ("nn.Softmax({})(T.ones(2,3))", INTS), ("nn.GELU({})(T.ones(2))", ["'none'", "'tanh'", "'a'", "None", "1"]), ("nn.PReLU({})(T.ones(2,3))", INTS),
    ("nn.LSTM(3, {})(T.ones(5,2,3))[0]", INTS), ("nn.GRU(3, 4)({})[0]", TENSORS), ("nn.RNN(3, 4, nonlinearity={})", ["'tanh'", "'a'", "None"]),
    ("nn.MultiheadAttention(6, {})", INTS), ("nn.TransformerEncoderLayer(6, {}, 8)", INTS), ("nn.Upsample(scale_factor={})(T.ones(1,1,2,2))", ["2", "0", "-1", "1.5", "'a'", "(2,3)", "(2,)"]),
    ("nn.CrossEntropyLoss()({}, T.tensor([0, 2]))", TENSORS), ("nn.CrossEntropyLoss()(T.ones(2,3), {})", [*TENSORS, "T.tensor([0,3])", "T.tensor([0,-1])", "T.tensor([-100,1])"]),
    ("nn.CrossEntropyLoss(reduction={})(T.ones(2,3), T.tensor([0,1]))", ["'mean'", "'a'", "None", "1"]), ("nn.CrossEntropyLoss(label_smoothing={})(T.ones(2,3), T.tensor([0,1]))", NUMBERS),
    ("nn.MSELoss()(T.ones(2,3), {})", TENSORS), ("nn.BCELoss()({0}, {0})", TENSORS), ("nn.BCEWithLogitsLoss()({0}, T.ones(2,3))", TENSORS), ("nn.NLLLoss()({}, T.tensor([0,1]))", TENSORS),
    ("nn.Sequential({})", ["nn.Linear(1,1)", "None", "1", "'a'", "[nn.Linear(1,1)]", "T.ones(2)"]), ("nn.ModuleList({})", ["[]", "[None]", "[1]", "1", "None", "'a'"]),
    ("nn.Parameter({})", TENSORS), ("nn.Linear(2,2).load_state_dict({})", ["{}", "None", "1", "{'weight': T.ones(2,2)}", "{'weight': T.ones(3,2), 'bias': T.ones(2)}", "{'x': T.ones(1)}"]),
    ("nn.Linear(2,2).register_buffer({}, T.ones(1))", ["'a'", "'a.b'", "''", "1", "None", "'weight'"]), ("nn.Linear(2,2).register_parameter('a', {})", ["None", "T.ones(1)", "1", "nn.Parameter(T.ones(1))"]),
    ("nn.Linear(2,2).add_module({}, nn.ReLU())", ["'a'", "'a.b'", "''", "1", "'weight'"]), ("nn.Linear(2,2).get_submodule({})", ["''", "'a'", "'weight'"]), ("nn.Linear(2,2).to({})", ["T.float64", "T.int64", "'cpu'", "'a'", "None", "1"]),
    ("nn.init.uniform_(T.ones(2), 1, {})", NUMBERS), ("nn.init.xavier_uniform_({})", TENSORS), ("nn.init.kaiming_normal_(T.ones(2,2), mode={})", ["'fan_in'", "'a'", "1"]), ("nn.init.orthogonal_({})", TENSORS[:8]),
    ("nn.utils.clip_grad_norm_({}, 1.0)", ["[]", "[nn.Parameter(T.ones(2))]", "nn.Parameter(T.ones(2))", "1", "None"]), ("nn.utils.clip_grad_norm_([nn.Parameter(T.ones(2))], {})", NUMBERS),
)  # fmt: skip

OPTIMIZERS = (
    *((f"optim.{name}({{}})", ["[]", "None", "1", "'a'", "T.ones(2)", "[T.ones(2)]", "[1]", "[None]", "[P(T.ones(2))]", "[P(T.ones(2)), P(T.ones(2))*1]", "{'params': [P(T.ones(2))]}", "[{'lr': 1}]",
       "[{'params': []}]", "[{'params': P(T.ones(2))}]", "{P(T.ones(2))}"]) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")),
    *((f"optim.{name}([P(T.ones(2))], lr={{}})", NUMBERS) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop")),
    *((f"optim.{name}([P(T.ones(2))], weight_decay={{}})", NUMBERS) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")),
    ("optim.SGD([P(T.ones(2))], momentum={})", NUMBERS), ("optim.SGD([P(T.ones(2))], dampening=1, nesterov=True, momentum={})", NUMBERS),
    ("optim.Adam([P(T.ones(2))], betas={})", ["(0.9, 0.99)", "(1.0, 0.9)", "(0.9, -1)", "(0.9,)", "0.9", "None", "'ab'", "(float('nan'), 0.5)", "[0.9, 0.99]", "(0.9, 0.99, 0.9)"]),
    ("optim.Adam([P(T.ones(2))], eps={})", NUMBERS), ("optim.SGD([P(T.ones(2))], nosuch={})", ["1"]), ("optim.SGD([P(T.ones(2))]).add_param_group({})", ["{}", "None", "{'params': [P(T.ones(1))]}", "{'params': [T.ones(1)*1]}", "[]"]),
    ("optim.SGD([P(T.ones(2))]).load_state_dict({})", ["{}", "None", "{'state': {}, 'param_groups': []}", "optim.SGD([P(T.ones(2)), P(T.ones(1))]).state_dict()"]), ("optim.SGD([P(T.ones(2))]).step({})", ["None", "lambda: 1", "1"]),
    ("optim.LBFGS([P(T.ones(2))]).step()", ["x"]),
    ("sched.StepLR(opt, {}).get_last_lr()", INTS[:8]), ("sched.StepLR({}, 2)", ["None", "1", "opt", "'a'"]), ("sched.MultiStepLR(opt, {}).get_last_lr()", ["[1, 3]", "[3, 1]", "[]", "1", "None", "['a']"]),
    ("sched.ExponentialLR(opt, {}).get_last_lr()", NUMBERS[:10]), ("sched.CosineAnnealingLR(opt, {}).get_last_lr()", INTS[:4]), ("sched.LambdaLR(opt, {})", ["1", "None", "[lambda e: 1, lambda e: 2]", "lambda e: 0.5"]),
    ("sched.ReduceLROnPlateau(opt, mode={})", ["'min'", "'a'", "None"]), ("sched.ReduceLROnPlateau(opt, factor={})", NUMBERS[:7]), ("sched.ReduceLROnPlateau(opt).step({})", ["1.0", "T.tensor(1.0)", "'a'", "None", "T.ones(2)"]),
    ("sched.OneCycleLR(opt, 0.1, total_steps={})", ["10", "0", "-1", "1.5", "None", "'a'"]), ("sched.OneCycleLR(opt, 0.1, total_steps=5, pct_start={})", NUMBERS[:7]), ("sched.CyclicLR(opt, 0.1, 0.2, mode={})", ["'triangular'", "'a'"]),
    ("sched.LinearLR(opt, start_factor={})", NUMBERS[:7]), ("sched.ConstantLR(opt, factor={})", NUMBERS[:7]), ("sched.CosineAnnealingWarmRestarts(opt, {})", INTS[:7]), ("sched.SequentialLR(opt, {}, [1])", ["[]", "None", "[sched.StepLR(opt, 1)]"]),
    ("sched.PolynomialLR(opt, {}).get_last_lr()", INTS[:3]), ("sched.StepLR(opt, 2).step({})", ["None", "3", "-1"]),
)  # fmt: skip

DATA = (
    ("list(data.DataLoader([1, 2, 3], batch_size={}))", ["1", "2", "0", "-1", "None", "1.5", "'a'", "True"]), ("list(data.DataLoader({}))", ["[]", "[1]", "1", "None", "'ab'", "[[1], [1, 2]]", "[None]", "[object()]", "[{'a': 1}, {'b': 2}]", "['a']"]),
    ("list(data.DataLoader([[1], [1, 2]], batch_size={}))", ["1", "2"]), ("list(data.DataLoader([{'a': 1}, {'b': 1}], batch_size={}))", ["1", "2"]), ("list(data.DataLoader([1, 2], num_workers={}))", ["0", "-1"]),
    ("list(data.DataLoader([1, 2], shuffle=True, sampler={}))", ["[0]", "None"]), ("list(data.DataLoader([1, 2], batch_sampler=[[0]], batch_size={}))", ["1", "2"]), ("list(data.DataLoader([1, 2], timeout={}))", ["0", "-1", "1"]),
    ("list(data.DataLoader([1, 2], prefetch_factor={}))", ["None", "2"]), ("list(data.DataLoader([1, 2], collate_fn={}))", ["None", "lambda b: b", "1"]), ("list(data.DataLoader([1, 2], sampler={}))", ["[0, 5]", "[1]", "['a']", "1"]),
    ("list(data.DataLoader([1, 2, 3], batch_size=2, drop_last={}))", ["True", "False", "1", "None"]), ("data.TensorDataset(T.ones(2), {})", ["T.ones(2)", "T.ones(3)", "T.ones(())", "None", "[1, 2]"]), ("data.TensorDataset(T.ones(2))[{}]", ["0", "1", "2", "-1", "'a'", "1.5", "[0]"]),
    ("data.Subset([1, 2], [0, 5])[{}]", ["0", "1", "2", "'a'"]), ("data.ConcatDataset({})", ["[]", "[[1]]", "1", "None"]), ("data.ConcatDataset([[1], [2]])[{}]", ["0", "1", "2", "-1", "-3"]), ("data.random_split([1, 2, 3], {})", ["[1, 2]", "[1, 1]", "[0.5, 0.5]", "[0.5, 0.6]", "[-1, 4]", "[]", "1", "[2.0, 1]"]),
    ("list(data.RandomSampler({}))", ["[1, 2]", "[]"]), ("list(data.RandomSampler([1, 2], num_samples={}))", ["1", "0", "-1", "1.5", "'a'"]), ("list(data.RandomSampler([1, 2], replacement={}))", ["True", "1", "None"]), ("list(data.WeightedRandomSampler({}, 2))", ["[1.0, 2.0]", "[]", "[-1.0, 1.0]", "[0.0, 0.0]", "[[1.0]]"]),
    ("list(data.WeightedRandomSampler([1.0, 1.0], {}))", ["1", "0", "-1", "1.5", "True"]), ("list(data.BatchSampler([1, 2, 3], {}, False))", ["1", "2", "0", "-1", "1.5", "'a'", "True"]), ("list(data.BatchSampler([1, 2, 3], 2, {}))", ["True", "False", "1", "None"]), ("list(data.SequentialSampler({}))", ["[1]", "[]"]),
    ("data.default_collate({})", ["[1, 2]", "[]", "[1, 'a']", "[None]", "[T.ones(1), T.ones(2)]", "[[1], [1, 2]]", "[object()]", "[np.ones(1), np.ones(2)]", "[np.array(['a'])]"]), ("list(data.Subset([1], [0]).{})", ["nosuch"]),
)  # fmt: skip

ARRAYS = ["np.ones((2,3))", "np.ones((2,3)).T", "np.ones((2,3))[:, ::-1]", "np.ones((2,3))[::-1]", "np.ones((2,3), '>f4')", "np.ones((2,3), '>i8')", "np.ones(3, object)", "np.array(['a'])", "np.array([None])", "np.array([b'a'])",
          "np.array(['2020'], 'M8[D]')", "np.zeros(2, [('a', 'f4')])", "np.ones(0)", "np.ones((0,3))", "np.array(1.0)", "np.float32(1)", "np.ones(3, np.longdouble)", "np.broadcast_to(np.ones(3), (2,3))", "readonly(np.ones(3))", "np.ones(3, np.float16)",
          "np.ones(3, np.uint16)", "np.ones(3, np.uint64)", "np.ones(3, np.complex128)", "np.ones(4)[::2]", "np.ones((2,3), order='F')", "np.matrix([[1.0]])", "np.ma.array([1.0])", "[np.ones(2), np.ones(3)]", "[np.ones(2), np.ones(2)]", "[[1], [1, 2]]", "[1, 'a']", "[1, None]", "2**63", "-2**63",
          "2**64", "[2**63]", "1e400", "'a'", "b'a'", "None", "{}", "set()", "object()", "range(3)", "(1, 2.0)", "[True, 1]", "[1, 1j]", "[[[]]]", "[float('nan')]", "[T.ones(2)]", "[T.ones(2), T.ones(2)]", "[T.tensor(1), 2]", "bytearray(b'ab')"]  # fmt: skip
MAKERS = (
    *((f"T.{name}({{}})", ARRAYS) for name in ("tensor", "as_tensor", "from_numpy", "asarray", "Tensor", "LongTensor", "is_tensor", "numel")), ("T.tensor({}, dtype=T.int32)", ARRAYS), ("T.tensor({}, dtype=T.float32)", ARRAYS), ("T.ones(2, 3) + {}", ARRAYS),
    ("T.ones(2, 3)[{}]", ARRAYS), ("T.ones(3).index_fill(0, T.tensor([0]), {})", ARRAYS[:20]), ("T.zeros({})", [*ARRAYS[:8], *INTS]), ("T.full((2,), {})", ARRAYS), ("T.ones(2, 3).to({})", ARRAYS[:12]), ("T.ones(3).numpy() * {}", ARRAYS[:6]),
    *((f"T.{name}({{}})", INTS) for name in ("rand", "randn", "eye", "randperm", "arange", "zeros", "empty_like", "seed", "manual_seed")), ("T.randint({}, (2,))", INTS), ("T.randint(0, {}, (2,))", INTS),
    ("T.manual_seed({})", ["0", "-1", "2**63", "2**64", "-2**63", "1.5", "'a'", "None", "True"]), ("T.ones(3).backward({})", TENSORS[:8]), ("P(T.ones(3)).sum().backward({})", TENSORS[:8]), ("T.autograd.grad(P(T.ones(3)).sum(), {})", ["[]", "None", "P(T.ones(2))", "1", "T.ones(2)"]),
    ("T.ones(3).requires_grad_({})", ["True", "False", "1", "None", "'a'"]), ("T.tensor([1]).requires_grad_({})", ["True", "False"]), ("T.load({})", ["None", "1", "'nosuch.pt'", "[]"]), ("T.save(1, {})", ["None", "1", "[]"]),
    ("T.from_dlpack({})", ["T.ones(2)", "np.ones(2)", "1", "None", "[1]"]), ("T.frombuffer({}, dtype=T.uint8)", ["b'ab'", "bytearray(b'ab')", "b''", "1", "'a'", "None"]), ("T.device({})", ["'cpu'", "'a'", "None", "1", "'cpu:-1'", "''"]), ("T.Generator().manual_seed({})", ["1", "'a'", "1.5", "-1"]),
)  # fmt: skip

#: Lines that differ, each with what tinytorch says there and what PyTorch says; most are leniency about arrays.
KNOWN = {
    line.partition("    # ")[0] for line in Path(__file__).with_name("differences_training.txt").read_text(encoding="utf-8").splitlines()
}  # fmt: skip


def calls(table: Any) -> list[str]:
    return [line.replace("{0}", value).replace("{}", value) for line, values in table for value in values]


def outcome(text: str, library: Any) -> tuple[Any, Exception | None]:
    library.manual_seed(3)
    data, optim = library.utils.data, library.optim
    parameter = library.nn.Parameter
    names = {
        "T": library,
        "nn": library.nn,
        "optim": optim,
        "sched": optim.lr_scheduler,
        "data": data,
        "np": np,
        "P": parameter,
        "readonly": _readonly,
    }
    try:
        names["opt"] = optim.SGD([parameter(library.ones(2))], lr=0.1, momentum=0.9)
        return eval(text, names), None
    except Exception as error:
        return None, error


def _readonly(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def difference(text: str) -> str | None:
    """What differs, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (theirs, their_error), (ours, our_error) = outcome(text, torch), outcome(text, tinytorch)
    said = [f"{type(e).__name__}: {e}"[:150] if e is not None else "no error" for e in (our_error, their_error)]
    summary = f"{said[0]}; PyTorch: {said[1]}"
    if their_error is None and our_error is None:
        both = [
            flatten(v) if isinstance(v, (tuple, list, torch.Tensor, tinytorch.Tensor, int, float)) else []
            for v in (theirs, ours)
        ]
        try:
            equal_all("value", both[0], both[1], "rand" in text or "empty" in text or "seed" in text)
        except AssertionError as error:
            return str(error)
        return None
    if their_error is None or our_error is None:
        return summary
    alike = isinstance(our_error, (type(their_error), TypeError)) or (
        isinstance(our_error, RuntimeError) and isinstance(their_error, RuntimeError)
    )
    if not alike or (INTERNAL.search(str(our_error)) and not INTERNAL.search(str(their_error))):
        return summary
    return None


@pytest.mark.parametrize("table", [MODULES, OPTIMIZERS, DATA, MAKERS], ids=["modules", "optimizers", "data", "arrays"])
def test_same_outcome(table: Any) -> None:
    lines = calls(table)
    found = {line: text for line in lines if (text := difference(line)) is not None}
    wrong = {line: text for line, text in found.items() if line not in KNOWN}
    print(f"{len(lines)} calls tried in both libraries")
    agree = [line for line in lines if line in KNOWN and line not in found]
    assert not agree, "these agree, and need not be listed in differences_training.txt:\n" + "\n".join(agree)
    assert not wrong, "\n".join(f"{line}    {text}" for line, text in wrong.items())
