"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import tinytorch
from tests.nn.layers import assert_same_error, both


def four(T):
    nn = T.nn
    return nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 3), nn.Tanh())


def numbers(T, n=4):
    return T.nn.ModuleList([T.nn.Linear(i + 1, 1) for i in range(n)])


SAME = {
    "slice": lambda T: four(T)[1:3],
    "slice with step": lambda T: four(T)[::2],
    "index": lambda T: [four(T)[i] for i in (0, -1, 2)],
    "length": lambda T: len(four(T)),
    "append": lambda T: four(T).append(T.nn.Sigmoid()),
    "extend": lambda T: four(T).extend([T.nn.Sigmoid(), T.nn.ReLU()]),
    "extend by a Sequential": lambda T: four(T).extend(four(T)),
    "insert": lambda T: [four(T).insert(i, T.nn.Sigmoid()) for i in (0, 2, 4, -1)],
    "pop": lambda T: (lambda s: (s.pop(1), s))(four(T)),
    "pop last": lambda T: (lambda s: (s.pop(-1), s))(four(T)),
    "add": lambda T: four(T) + four(T)[:1],
    "iadd": lambda T: (lambda s: s.__iadd__(four(T)))(four(T)),
    "mul": lambda T: four(T)[:2] * 2,
    "rmul": lambda T: 2 * four(T)[:2],
    "imul": lambda T: four(T)[:2].__imul__(3),
    "named": lambda T: T.nn.Sequential(OrderedDict([("a", T.nn.ReLU()), ("b", T.nn.Linear(1, 2))])),
    "keys after insert": lambda T: list(four(T).insert(1, T.nn.Linear(5, 5)).state_dict()),
    "keys after delete": lambda T: (lambda s: (s.__delitem__(0), list(s.state_dict()), s))(four(T)),
    "delete a slice": lambda T: (lambda s: (s.__delitem__(slice(1, 3)), s))(four(T)),
    "set": lambda T: (lambda s: (s.__setitem__(-1, T.nn.Linear(7, 7)), s))(four(T)),
    "list": numbers,
    "list slice": lambda T: numbers(T)[1:-1],
    "list index": lambda T: [numbers(T)[-1], numbers(T)[0]],
    "list append": lambda T: numbers(T).append(T.nn.ReLU()),
    "list extend": lambda T: numbers(T).extend([T.nn.ReLU()] * 2),
    "list iadd": lambda T: numbers(T).__iadd__([T.nn.ReLU()]),
    "list add": lambda T: numbers(T) + [T.nn.ReLU()],  # noqa: RUF005
    "list insert": lambda T: (lambda s: (s.insert(1, T.nn.ReLU()), s))(numbers(T)),
    "list pop": lambda T: (lambda s: (s.pop(0), s))(numbers(T)),
    "list delete": lambda T: (lambda s: (s.__delitem__(slice(0, 2)), s, list(s.state_dict())))(numbers(T)),
    "list of equal modules": lambda T: T.nn.ModuleList([T.nn.Linear(2, 2)] * 3 + [T.nn.ReLU()] + [T.nn.Tanh()] * 2),
    "dict": lambda T: T.nn.ModuleDict({"a": T.nn.ReLU(), "b": T.nn.Tanh()}),
    "dict from pairs": lambda T: T.nn.ModuleDict([("a", T.nn.ReLU()), ("b", T.nn.Tanh())]),
    "dict methods": lambda T: (lambda d: (list(d), list(d.keys()), list(d.values()), list(d.items()), len(d), "a" in d, "z" in d,
                                          d.pop("a"), d["b"], d))(T.nn.ModuleDict({"a": T.nn.ReLU(), "b": T.nn.Tanh()})),
    "dict update": lambda T: (lambda d: (d.update({"c": T.nn.ReLU()}), d.update([["a", T.nn.Tanh()]]), d))(T.nn.ModuleDict({"a": T.nn.ReLU()})),
    "dict clear": lambda T: (lambda d: (d.clear(), d))(T.nn.ModuleDict({"a": T.nn.ReLU()})),
    "parameter list": lambda T: (lambda p: (p, len(p), p[-1], p[0:1], list(p.state_dict()), p.append(T.ones(3)), p.extend([1, "a"])))(
        T.nn.ParameterList([T.nn.Parameter(T.ones(2)), T.zeros(1)])),
    "parameter dict": lambda T: (lambda p: (p, len(p), p["b"], list(p.keys()), list(p.items()), p.get("z"), p.pop("b"), p.setdefault("c", T.ones(2)),
                                            p | {"d": T.ones(1)}, "a" in p, p.popitem(), p.copy(), list(reversed(p)), list(p.state_dict())))(
        T.nn.ParameterDict({"a": T.nn.Parameter(T.ones(2)), "b": T.zeros(1)})),
}  # fmt: skip


@pytest.mark.parametrize("name", SAME)
def test_same(name):
    ours, theirs = both(SAME[name])
    assert str(ours) == str(theirs)


ERRORS = {
    "index": lambda T: four(T)[4],
    "negative index": lambda T: four(T)[-5],
    "list index": lambda T: numbers(T)[4],
    "insert no module": lambda T: four(T).insert(0, 3),
    "insert too far": lambda T: four(T).insert(9, T.nn.ReLU()),
    "append no module": lambda T: four(T).append(3),
    "add a list": lambda T: four(T) + [T.nn.ReLU()],  # noqa: RUF005
    "mul by text": lambda T: four(T) * "a",
    "mul by 0": lambda T: four(T) * 0,
    "list extend": lambda T: numbers(T).extend(3),
    "list call": lambda T: numbers(T)(T.ones(1)),
    "dict key": lambda T: T.nn.ModuleDict()["a"],
    "dict update": lambda T: T.nn.ModuleDict().update(3),
    "dict update of threes": lambda T: T.nn.ModuleDict().update([(1, 2, 3)]),
    "dict value": lambda T: T.nn.ModuleDict({"a": 3}),
    "parameter list call": lambda T: T.nn.ParameterList()(1),
    "parameter list extend": lambda T: T.nn.ParameterList().extend(3),
    "parameter dict call": lambda T: T.nn.ParameterDict()(1),
    "parameter dict key": lambda T: T.nn.ParameterDict({1: T.ones(1)}),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    assert_same_error(ERRORS[name], same_text=name not in ("dict key",))


def test_parameter_dicts_keep_their_order_in_copies():
    d = tinytorch.nn.ParameterDict([(name, tinytorch.ones(1)) for name in ("p2", "p10", "a")])
    assert list(d.copy()) == list(d | {}) == list({} | d) == ["p2", "p10", "a"]
    assert list(d.fromkeys(["x", "y"], tinytorch.ones(1)).parameters()) == [1, 1]
