"""state_dict and load_state_dict: keys, metadata, hooks, and the one error that tells everything."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict

import numpy as np
import pytest

import tinytorch
from tests.nn.layers import assert_same_error, assert_same_state, both
from tests.nn.test_module import make
from tinytorch import nn


def test_keys_metadata_and_memory():
    def run(T):
        m = make(T)
        state = m.state_dict()
        shares = state["scale"].data_ptr() == m.scale.data_ptr() if T is not tinytorch else np.shares_memory(
            state["scale"].numpy(), m.scale.detach().numpy()
        )  # fmt: skip
        plain = [not value.requires_grad for value in state.values()]
        kept = m.state_dict(keep_vars=True)["scale"] is m.scale
        prefixed = list(m.state_dict(prefix="net."))
        return list(state), type(state), list(state._metadata.items()), shares, plain, kept, prefixed

    ours, theirs = both(run)
    assert ours == theirs


def test_destination_is_filled():
    destination = OrderedDict()
    result = tinytorch.nn.Linear(2, 2).state_dict(destination=destination, prefix="fc.")
    assert result is destination and list(destination) == ["fc.weight", "fc.bias"]


def broken(T):
    """A state in which everything is wrong that can be."""
    state = make(T).state_dict()
    del state["first.weight"]
    del state["block.0.running_var"]
    state["scale"] = T.ones(2, 3)
    state["block.0.weight"] = T.ones(5)
    state["extra"] = T.ones(1)
    state["block.7.weight"] = T.ones(1)
    state["first.weight.more"] = T.ones(1)
    return state


def test_one_error_lists_everything():
    assert_same_error(lambda T: make(T).load_state_dict(broken(T)))


def test_wrong_shapes_raise_even_if_not_strict():
    assert_same_error(lambda T: make(T).load_state_dict(broken(T), strict=False))


def test_not_strict_reports_keys():
    def run(T):
        state = broken(T)
        del state["scale"], state["block.0.weight"]
        keys = make(T).load_state_dict(state, strict=False)
        return keys.missing_keys, keys.unexpected_keys, repr(keys), str(make(T).load_state_dict(make(T).state_dict()))

    ours, theirs = both(run)
    assert ours == theirs


@pytest.mark.parametrize("bad", [3, [1, 2], None])
def test_not_a_dictionary(bad):
    assert_same_error(lambda T: make(T).load_state_dict(bad))


def test_values_that_are_no_tensors():
    with pytest.raises(RuntimeError, match=r'While copying the parameter named "weight", expected torch.Tensor'):
        tinytorch.nn.Linear(2, 2).load_state_dict({"weight": np.ones((2, 2)), "bias": tinytorch.ones(2)})


def test_load_copies_and_converts():
    source = tinytorch.nn.Linear(3, 2, dtype=tinytorch.float64)
    target = tinytorch.nn.Linear(3, 2)
    weight = target.weight
    target.load_state_dict(source.state_dict())
    assert target.weight is weight and weight.dtype is tinytorch.float32
    np.testing.assert_array_equal(weight.detach().numpy(), source.weight.detach().numpy().astype(np.float32))


def test_assign():
    def run(T):
        source, target = T.nn.BatchNorm1d(3, dtype=T.float64), T.nn.BatchNorm1d(3)
        target.weight.requires_grad_(False)
        target.load_state_dict(source.state_dict(), assign=True)
        return (
            [str(value.dtype) for value in target.state_dict().values()],
            [p.requires_grad for p in target.parameters()],
            [type(p).__name__ for p in target.parameters()],
        )

    ours, theirs = both(run)
    assert ours == theirs


def test_scalars_of_old_files():
    def run(T):
        m = T.nn.Module()
        m.value = T.nn.Parameter(T.tensor(1.0))
        m.load_state_dict({"value": T.tensor([5.0])})
        return m.value.item()

    assert both(run) == (5.0, 5.0)


def test_batch_norm_of_old_files():
    def run(T):
        m = T.nn.BatchNorm1d(2)
        state = m.state_dict()
        del state["num_batches_tracked"]
        old = OrderedDict(state)
        with_version = OrderedDict(state)
        with_version._metadata = {"": {"version": 1}}
        m.load_state_dict(old)
        m.load_state_dict(with_version)
        state._metadata[""]["version"] = 2
        m.load_state_dict(state)

    assert_same_error(run)


def test_extra_state():
    def run(T):
        class WithExtra(T.nn.Linear):
            extra = "first"

            def get_extra_state(self):
                return {"extra": self.extra}

            def set_extra_state(self, state):
                self.extra = state["extra"]

        source, target = WithExtra(2, 2), WithExtra(2, 2)
        source.extra = "second"
        state = source.state_dict()
        target.load_state_dict(state)
        return (
            list(state),
            target.extra,
            target.load_state_dict(dict(list(state.items())[:2]), strict=False).missing_keys,
        )

    ours, theirs = both(run)
    assert ours == theirs


def test_hooks():
    def run(T):
        m = make(T)
        log = []
        m.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(("before saving", prefix, keep)))
        m.block.register_state_dict_post_hook(
            lambda module, state, prefix, meta: state.update({prefix + "added": T.ones(1)})
        )
        handle = m.block.register_load_state_dict_pre_hook(
            lambda module, state, prefix, meta, strict, missing, unexpected, errors: (
                log.append((type(module).__name__, prefix, strict)),
                state.pop(prefix + "added"),
            )
        )
        m.register_load_state_dict_post_hook(
            lambda module, keys: (log.append(sorted(keys.unexpected_keys)), keys.missing_keys.clear())[1]
        )
        state = m.state_dict()
        log.append(list(state))
        m.load_state_dict(state)
        handle.remove()
        log.append(m.load_state_dict(state, strict=False))
        m._register_state_dict_hook(lambda module, state, prefix, meta: {"all": prefix})
        log.append(sorted(m.state_dict().items()))
        return [tuple(entry) if not isinstance(entry, tuple) else entry for entry in log]

    ours, theirs = both(run)
    assert [str(entry) for entry in ours] == [str(entry) for entry in theirs]


def test_state_survives_a_round_trip():
    source, target = make(tinytorch).double(), make(tinytorch).double()
    source(tinytorch.randn(6, 3, dtype=tinytorch.float64))
    target.load_state_dict(source.state_dict())
    assert_same_state(target, source)


def test_load_hooks_that_want_the_module_do_not_keep_it_alive():
    layer = nn.Linear(2, 2)
    seen = []
    layer.register_load_state_dict_pre_hook(lambda module, *arguments: seen.append((type(module), len(arguments))))
    layer.load_state_dict(layer.state_dict())
    assert seen == [(nn.Linear, 7)]
    gone = weakref.ref(layer)
    gc.disable()
    try:
        del layer
        assert gone() is None
    finally:
        gc.enable()


def test_arguments_of_to():
    layer = nn.Linear(2, 2)
    for wrong in [("cpu", True), (None, True), ("cpu", tinytorch.long, True), ([],), (tinytorch.long,)]:
        with pytest.raises(TypeError):
            layer.to(*wrong)
    with pytest.raises(RuntimeError, match="copy"):
        layer.to("cpu", copy=True)
    assert layer.to(tinytorch.ones(1, dtype=tinytorch.float64)).weight.dtype == tinytorch.float64
    where, dtype, non_blocking, _ = tinytorch._C._nn._parse_to("cpu", tinytorch.float16, non_blocking=True)
    assert (where.type, dtype, non_blocking) == ("cpu", tinytorch.float16, True)


def test_functions_given_to_apply_see_the_parameters_themselves():
    layer = nn.Linear(2, 2)
    square, weight = (layer.weight * layer.weight).sum(), layer.weight
    layer._apply(lambda tensor: tensor.add_(1))
    assert layer.weight is weight
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        square.backward()
