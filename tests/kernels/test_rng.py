"""The generator and all that is drawn from it: the numbers of PyTorch, and its state afterwards."""

from __future__ import annotations

import copy
import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tinytorch.kernels import rng_bernoulli as bern
from tinytorch.kernels import rng_distributions as dist
from tinytorch.kernels import rng_integers as ints
from tinytorch.kernels.rng import DEFAULT_SEED, Generator
from tinytorch.kernels.rng_normal import libm, normal

pytestmark = pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() not in ("AVX2", "AVX512"),
    reason="without fused multiply-adds PyTorch's own numbers are others",
)

SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1000, 10007)
SEEDS = (0, 1, 42, 2**32 + 7, 2**63 + 11, -1, -(2**63))
TORCH = {
    "float16": torch.float16, "float32": torch.float32, "float64": torch.float64, "bool": torch.bool,
    "uint8": torch.uint8, "int8": torch.int8,
    "int16": torch.int16, "int32": torch.int32, "int64": torch.int64,
}  # fmt: skip
BARE_UNSIGNED = {"uint16": torch.uint16, "uint32": torch.uint32, "uint64": torch.uint64}
FLOATS = ("float16", "float32", "float64")

Ours = Callable[[Generator, int], Any]
Theirs = Callable[[torch.Generator, int], torch.Tensor]


def pair(seed: int) -> tuple[Generator, torch.Generator]:
    return Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_same_state(ours: Generator, theirs: torch.Generator) -> None:
    assert np.array_equal(ours.get_state(), theirs.get_state().numpy())


def assert_same(ours: np.ndarray, theirs: torch.Tensor) -> None:
    expected = theirs.numpy()
    assert ours.dtype == expected.dtype
    assert ours.shape == expected.shape
    np.testing.assert_array_equal(ours, expected)


def draws() -> dict[str, tuple[Ours, Theirs]]:
    """Every kind of draw: name -> (ours, PyTorch's), each from a generator and a size."""
    table: dict[str, tuple[Ours, Theirs]] = {}

    def in_place(name: str, ours: Ours, dtype: str, fill: Callable[[torch.Tensor, torch.Generator], Any]) -> None:
        table[f"{name} {dtype}"] = (
            ours,
            lambda g, n: fill(torch.empty(n, dtype=(TORCH | BARE_UNSIGNED)[dtype]), g),
        )

    for dt in FLOATS:
        for low, high in ((0.0, 1.0), (-0.3, 0.7), (0.1, 0.25), (-1e-3, 2e3), (2.0, 2.0)):
            in_place(
                f"uniform({low}, {high})",
                lambda g, n, dt=dt, low=low, high=high: dist.uniform(g, n, dt, low, high),
                dt,
                lambda t, g, low=low, high=high: t.uniform_(low, high, generator=g),
            )
        for mean, std in ((0.0, 1.0), (0.3, 1.7), (0.0, 0.02), (-5.0, 0.1), (1.0, 0.0)):
            in_place(
                f"normal({mean}, {std})",
                lambda g, n, dt=dt, mean=mean, std=std: normal(g, n, dt, mean, std),
                dt,
                lambda t, g, mean=mean, std=std: t.normal_(mean, std, generator=g),
            )
        in_place("exponential(2.5)", lambda g, n, dt=dt: dist.exponential(g, n, dt, 2.5), dt,
                 lambda t, g: t.exponential_(2.5, generator=g))  # fmt: skip
        in_place("cauchy(1, 0.3)", lambda g, n, dt=dt: dist.cauchy(g, n, dt, 1.0, 0.3), dt,
                 lambda t, g: t.cauchy_(1.0, 0.3, generator=g))  # fmt: skip
        in_place("log_normal(1, 0.5)", lambda g, n, dt=dt: dist.log_normal(g, n, dt, 1.0, 0.5), dt,
                 lambda t, g: t.log_normal_(1.0, 0.5, generator=g))  # fmt: skip
        in_place("trunc_normal(-2, 2)", lambda g, n, dt=dt: dist.trunc_normal(g, n, dt), dt,
                 lambda t, g: torch.nn.init.trunc_normal_(t, generator=g))  # fmt: skip
    for dt in TORCH:
        for p in (0.0, 0.1, 0.5, 1 / 3, 1.0):
            in_place(f"bernoulli({p})", lambda g, n, dt=dt, p=p: bern.bernoulli(g, n, p, dt), dt,
                     lambda t, g, p=p: t.bernoulli_(p, generator=g))  # fmt: skip
        in_place(
            "random()",
            lambda g, n, dt=dt: ints.random_integers(g, n, dt),
            dt,
            lambda t, g: t.random_(generator=g),
        )
        in_place("random(0, 2)", lambda g, n, dt=dt: ints.random_integers(g, n, dt, 0, 2), dt,
                 lambda t, g: t.random_(0, 2, generator=g))  # fmt: skip
        if dt != "bool":
            in_place("geometric(0.3)", lambda g, n, dt=dt: dist.geometric(g, n, 0.3, dt), dt,
                     lambda t, g: t.geometric_(0.3, generator=g))  # fmt: skip
            in_place("random(3, None)", lambda g, n, dt=dt: ints.random_integers(g, n, dt, 3, None), dt,
                     lambda t, g: t.random_(3, None, generator=g))  # fmt: skip
    for dt, low, high in (
        ("int64", 0, 2**28 - 1), ("int64", 0, 2**28), ("int64", -(2**40), 2**50 + 3),
        ("int64", -(2**63), 2**63 - 1), ("int64", -(2**63), None), ("float64", -(2**63), None),
        ("float32", -(2**63), None), ("int32", -(2**31), 2**31), ("uint8", 7, 256), ("int8", -128, 128),
        ("float32", -10, 10), ("float32", 0, 2**24 + 2), ("float16", -3, 65504), ("float64", 5, 2**53 + 4),
        ("float32", 2**24 + 1, 2**25), ("float16", 2049, 2055), ("uint16", 3, 2**16), ("uint32", 0, 2**32),
        ("uint64", 0, 2**62),
    ):  # fmt: skip
        in_place(f"random({low}, {high})", lambda g, n, a=(dt, low, high): ints.random_integers(g, n, *a), dt,
                 lambda t, g, low=low, high=high: t.random_(low, high, generator=g))  # fmt: skip
    for dt in ("int64", "int32", "float32", "float64"):
        table[f"randperm {dt}"] = (
            lambda g, n, dt=dt: ints.randperm(g, n, dt),
            lambda g, n, dt=dt: torch.randperm(n, generator=g, dtype=TORCH[dt]),
        )
    return table


DRAWS = draws()


@pytest.mark.filterwarnings("ignore:.*is out of bounds")
@pytest.mark.parametrize("name", DRAWS)
def test_every_draw_at_every_size(name: str) -> None:
    ours, theirs = DRAWS[name]
    for seed in SEEDS[:3]:
        g, t = pair(seed)
        for size in SIZES:
            assert_same(ours(g, size), theirs(t, size))
            assert_same_state(g, t)


@pytest.mark.filterwarnings("ignore:.*is out of bounds")
@pytest.mark.parametrize("seed", SEEDS)
def test_interleaved(seed: int) -> None:
    order = np.random.default_rng(seed % 2**32)
    names = list(DRAWS)
    g, t = pair(seed)
    for _ in range(300):
        name, size = names[order.integers(len(names))], int(order.choice([1, 2, 3, 15, 16, 19, 64, 250, 700]))
        ours, theirs = DRAWS[name]
        assert_same(ours(g, size), theirs(t, size))
    assert_same_state(g, t)


def test_a_million() -> None:
    g, t = pair(3)
    assert_same(dist.uniform(g, 10**6), torch.rand(10**6, generator=t))
    assert_same(normal(g, 10**6), torch.randn(10**6, generator=t))
    assert_same(normal(g, 10**5, "float64"), torch.randn(10**5, generator=t, dtype=torch.float64))
    assert_same(ints.randperm(g, 10**5), torch.randperm(10**5, generator=t))
    assert_same_state(g, t)


@pytest.mark.parametrize("before", [0, 1, 2, 623, 624, 40_000])
@pytest.mark.parametrize("count", [1, 312, 2_496, 3_000, 25_000])
def test_numbers_of_64_bits_are_pairs_of_words(before: int, count: int) -> None:
    plain, direct = Generator().manual_seed(1), Generator().manual_seed(1)
    words = np.array([plain.random32(1)[0] for _ in range(before + 2 * count)], np.uint64)[before:]
    direct.random32(before)
    np.testing.assert_array_equal(direct.random64(count), words[0::2] << np.uint64(32) | words[1::2])
    assert (direct.get_state() == plain.get_state()).all()


def test_a_single_block_of_normal_numbers_leaves_the_words_of_the_generator_as_they_are() -> None:
    g = Generator().manual_seed(5)
    g.random32(1)
    words = g._block.copy()
    normal(g, 16)
    np.testing.assert_array_equal(g._block, words)


# ------------------------------------------------------------------------------------------- destinations


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a,
        lambda a: a.transpose(2, 0, 1) if isinstance(a, np.ndarray) else a.permute(2, 0, 1),
        lambda a: a[:, ::2],
        lambda a: a[1:, :, 3:],
        lambda a: a[:, 1].T,
    ],
)
def test_fill_follows_memory(view: Callable[[Any], Any]) -> None:
    base = np.zeros((4, 6, 10), np.float32)
    g, t = pair(9)
    destination, expected = view(base), view(torch.zeros(4, 6, 10))
    dist.fill(destination, lambda shape: dist.uniform(g, shape))
    assert_same(destination, expected.uniform_(generator=t))
    contiguous = destination.flags.c_contiguous
    dist.fill(destination, lambda shape: normal(g, shape, contiguous=contiguous))
    assert_same(destination, expected.normal_(generator=t))
    dist.fill(destination, lambda shape: bern.bernoulli(g, shape, 0.3))
    assert_same(destination, expected.bernoulli_(0.3, generator=t))
    assert_same_state(g, t)


def test_shapes() -> None:
    g, t = pair(9)
    for shape in ((), (3,), (2, 3), (5, 0), (4, 5, 6)):
        assert_same(dist.uniform(g, shape), torch.rand(shape, generator=t))
        assert_same(normal(g, shape), torch.randn(shape, generator=t))
        assert_same(ints.random_integers(g, shape, low=-5, high=5), torch.randint(-5, 5, shape, generator=t))
        assert_same(dist.exponential(g, shape), torch.empty(shape).exponential_(generator=t))


# -------------------------------------------------------------------------------------- special recipes


@pytest.mark.parametrize("dtype", FLOATS)
def test_bernoulli_with_probabilities(dtype: str) -> None:
    g, t = pair(4)
    p = np.random.default_rng(0).random((30, 7)).astype(dtype)
    p[0] = [0, 1, 0, 1, 0, 1, 0.5]
    assert_same(bern.bernoulli(g, p.shape, p), torch.bernoulli(torch.from_numpy(p), generator=t))
    expected = torch.empty(5, 30, 7, dtype=torch.int32).bernoulli_(torch.from_numpy(p), generator=t)
    assert_same(bern.bernoulli(g, (5, 30, 7), p, "int32"), expected)
    assert_same_state(g, t)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("dtype", FLOATS)
def test_dropout(p: float, dtype: str) -> None:
    g = Generator().manual_seed(6)
    x = np.random.default_rng(1).standard_normal((20, 30)).astype(dtype)
    with torch.random.fork_rng():
        torch.manual_seed(6)
        for _ in range(3):
            expected = torch.nn.functional.dropout(torch.from_numpy(x), p)
            assert_same(x * bern.dropout_mask(g, x.shape, p, dtype), expected)
        expected = torch.nn.functional.dropout2d(torch.from_numpy(x[:, :, None, None]), p)
        assert_same(x[:, :, None, None] * bern.dropout_mask(g, (20, 30, 1, 1), p, dtype), expected)
        assert np.array_equal(g.get_state(), torch.get_rng_state().numpy())


@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_multinomial(replacement: bool, dtype: str) -> None:
    g, t = pair(8)
    random = np.random.default_rng(2)
    for shape, k in (((10,), 1), ((10,), 10), ((7, 100), 1), ((7, 100), 13), ((3, 5000), 40)):
        p = (random.random(shape) ** 4 * (random.random(shape) < 0.9)).astype(dtype)
        p[..., -10:] += 0.01
        expected = torch.multinomial(torch.from_numpy(p), k, replacement, generator=t)
        assert_same(ints.multinomial(g, p, k, replacement), expected)
    assert_same_state(g, t)


@pytest.mark.parametrize(
    ("mean", "std", "low", "high"),
    [
        (0.0, 1.0, -2.0, 2.0),
        (0.0, 0.02, -0.04, 0.04),
        (0.0, 1.0, 0.0, 0.5),
        (0.0, 1.0, 1.0, 3.0),
        (1.0, 2.0, -3.0, -1.0),
    ],
)
def test_trunc_normal(mean: float, std: float, low: float, high: float) -> None:
    g, t = pair(12)
    for dtype in FLOATS:
        expected = torch.empty(40, 50, dtype=TORCH[dtype])
        torch.nn.init.trunc_normal_(expected, mean, std, low, high, generator=t)
        assert_same(dist.trunc_normal(g, (40, 50), dtype, mean, std, low, high), expected)
        assert_same_state(g, t)


# ---------------------------------------------------------------------------------------------- the state


def test_seeds() -> None:
    assert Generator().initial_seed() == torch.Generator().initial_seed() == DEFAULT_SEED
    assert_same_state(Generator(), torch.Generator())
    for seed in SEEDS:
        g, t = pair(seed)
        assert g.initial_seed() == t.initial_seed()
        assert_same_state(g, t)
    g = Generator()
    seeds = {g.seed() for _ in range(10)}
    assert len(seeds) == 10
    assert g.initial_seed() in seeds
    assert_same_state(g, torch.Generator().manual_seed(g.initial_seed()))


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, "1", None, True])
def test_bad_seeds(seed: Any) -> None:
    with pytest.raises((RuntimeError, ValueError)) as theirs:
        torch.Generator().manual_seed(seed)
    with pytest.raises(theirs.type):
        Generator().manual_seed(seed)


def test_manual_seed_forgets_the_waiting_normal() -> None:
    g, t = pair(2)
    normal(g, 3), torch.randn(3, generator=t)
    assert g.next_normal is not None
    assert_same_state(g, t)
    assert_same(normal(g.manual_seed(5), 4), torch.randn(4, generator=t.manual_seed(5)))


@pytest.mark.parametrize("words", [0, 1, 2, 623, 624, 625, 1000, 10000])
def test_states_travel(words: int) -> None:
    g, t = pair(21)
    g.random32(words)
    normal(g, 3)
    t.set_state(torch.from_numpy(g.get_state()))
    assert t.initial_seed() == 21
    other = Generator().manual_seed(1).set_state(t.get_state().numpy())
    copies = [g, other, g.clone_state(), copy.deepcopy(g), copy.copy(g), pickle.loads(pickle.dumps(g))]
    expected = torch.randn(701, generator=t)
    for generator in copies:
        assert generator.initial_seed() == 21
        assert_same(normal(generator, 701), expected)
        assert_same_state(generator, t)


def test_a_float32_waiting_normal_survives() -> None:
    state = torch.Generator().get_state().numpy().copy()
    state[5048:5053] = [0, 0, 128, 63, 1]
    assert np.array_equal(Generator().set_state(state).get_state(), state)
    assert torch.Generator().set_state(torch.from_numpy(state)).get_state().numpy()[5052] == 1


@pytest.mark.parametrize("index", [8, 12, 16])
def test_invalid_states(index: int) -> None:
    state = Generator().get_state()
    state[index : index + 2] = 255 if index == 16 else 0
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        torch.Generator().set_state(torch.from_numpy(state))
    with pytest.raises(RuntimeError, match="Invalid mt19937 state"):
        Generator().set_state(state)
    with pytest.raises(RuntimeError, match=r"of size 5056 but found .* to be 10"):
        Generator().set_state(state[:10])
    with pytest.raises(TypeError):
        Generator().set_state(state.astype(np.float32))
    with pytest.raises(TypeError):
        Generator().set_state(None)  # type: ignore[arg-type]


def test_device() -> None:
    with pytest.raises(RuntimeError, match="only device='cpu'"):
        Generator("cuda")


# -------------------------------------------------------------------------------------------------- errors


def test_errors() -> None:
    g, t = pair(0)
    e = torch.empty

    def check(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
        with pytest.raises(Exception) as expected:
            theirs()
        with pytest.raises(expected.type) as raised:
            ours()
        assert str(raised.value)[:12] == str(expected.value)[:12]

    long, flag = torch.int64, torch.bool
    check(lambda: dist.uniform(g, 3, low=1.0, high=0.0), lambda: e(3).uniform_(1, 0))
    check(lambda: dist.uniform(g, 3, low=-3e38, high=3e38), lambda: e(3).uniform_(-3e38, 3e38))
    check(lambda: dist.uniform(g, 3, high=1e40), lambda: e(3).uniform_(0, 1e40))
    check(lambda: dist.uniform(g, 3, "int64"), lambda: e(3, dtype=long).uniform_())
    check(lambda: normal(g, 3, std=-1.0), lambda: e(3).normal_(0, -1))
    check(lambda: normal(g, 3, "int64"), lambda: e(3, dtype=long).normal_())
    check(lambda: dist.exponential(g, 3, lambd=0.0), lambda: e(3).exponential_(0))
    check(lambda: dist.exponential(g, 3, "int64"), lambda: e(3, dtype=long).exponential_())
    check(lambda: dist.cauchy(g, 3, sigma=0.0), lambda: e(3).cauchy_(0, 0))
    check(lambda: dist.cauchy(g, 3, "int64"), lambda: e(3, dtype=long).cauchy_())
    check(lambda: dist.log_normal(g, 3, std=0.0), lambda: e(3).log_normal_(0, 0))
    check(lambda: dist.log_normal(g, 3, "int64"), lambda: e(3, dtype=long).log_normal_())
    check(lambda: dist.geometric(g, 3, 1.0), lambda: e(3).geometric_(1.0))
    check(lambda: bern.bernoulli(g, 3, 1.5), lambda: e(3).bernoulli_(1.5))
    check(lambda: bern.bernoulli(g, 3, float("nan")), lambda: e(3).bernoulli_(float("nan")))
    for p in ([0.5, 1.5], [0.5, float("nan")], [1, 0]):
        check(lambda p=p: bern.bernoulli(g, 2, np.array(p)), lambda p=p: torch.bernoulli(torch.tensor(p)))
    check(lambda: bern.dropout_mask(g, 3, 1.5), lambda: torch.nn.functional.dropout(e(3), 1.5))
    for dtype, low, high in (
        ("int64", 5, 5), ("uint8", 0, 300), ("uint8", -1, 3), ("bool", 0, 3), ("int64", 0, 2**63),
        ("int64", -(2**70), 0),
        ("float16", 0, 70000), ("float32", 7, 3), ("int8", 200, None), ("int8", -(2**63), None),
    ):  # fmt: skip
        check(
            lambda a=(dtype, low, high): ints.random_integers(g, 3, *a),
            lambda a=(dtype, low, high): e(3, dtype=TORCH[a[0]]).random_(a[1], a[2], generator=t),
        )
    for n, dtype in ((-1, "int64"), (2050, "float16"), (2**24 + 2, "float32"), (5, "bool")):
        check(
            lambda a=(n, dtype): ints.randperm(g, *a),
            lambda a=(n, dtype): torch.randperm(a[0], dtype=TORCH[a[1]]),
        )
    with pytest.raises(RuntimeError):
        ints.randperm(g, 300, "uint8")
    assert e(3, dtype=flag).random_().dtype == flag


@pytest.mark.parametrize(
    ("probabilities", "count", "replacement"),
    [
        (np.ones(3), 4, False), (np.ones(3), 0, True), (np.zeros(3), 1, False), (np.zeros(3), 2, True),
        (np.array([-1.0, 2.0]), 1, False), (np.array([-1.0, 2.0]), 2, True),
        (np.array([np.nan, 2.0]), 2, True),
        (np.array([np.inf, 2.0]), 2, True), (np.array([np.inf, 2.0]), 1, True), (np.ones((2, 2, 2)), 1, True),
        (np.ones(3, np.int64), 1, True), (np.array(1.0), 1, True), (np.ones(0), 1, False),
    ],
)  # fmt: skip
def test_multinomial_errors(probabilities: np.ndarray, count: int, replacement: bool) -> None:
    with pytest.raises(RuntimeError) as theirs:
        torch.multinomial(torch.from_numpy(probabilities), count, replacement)
    with pytest.raises(RuntimeError) as ours:
        ints.multinomial(Generator(), probabilities, count, replacement)
    assert str(ours.value)[:40] == str(theirs.value)[:40]


def test_float_range_warns() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ints.random_integers(Generator(), 3, "float32", 0, 2**24 + 2)
    assert any("is out of bounds [-(2^24), 2^24]" in str(warning.message) for warning in caught)


@pytest.mark.parametrize("factor", [-1.0, -1 / 3])
def test_fast_logarithms_round_as_those_of_the_c_library(factor: float) -> None:
    x = -np.random.default_rng(0).random(200_000)
    exact = (factor * libm(math.log1p, x)).astype("f4")
    np.testing.assert_array_equal((factor * dist.log1p_for_float32(x, factor)).astype(np.float32), exact)
