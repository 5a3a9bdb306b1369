"""tinytorch.utils.data against torch.utils.data: same samples, same order, same batches, same errors."""

from __future__ import annotations

import collections
import itertools
import re
import warnings

import numpy as np
import pytest
import torch
import torch.utils.data as theirs

import tinytorch
import tinytorch.utils.data as ours

BOTH = [(tinytorch, ours), (torch, theirs)]


def plain(value):
    """Tensors as (dtype, shape, numbers), containers by type: comparable across the two libraries."""
    if isinstance(value, (torch.Tensor, tinytorch.Tensor)):
        return ("tensor", str(value.dtype), tuple(value.shape), value.detach().numpy().tobytes())
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.tolist())
    if isinstance(value, collections.abc.Mapping):
        return (type(value).__name__, {key: plain(item) for key, item in value.items()})
    if isinstance(value, (list, tuple, collections.deque)):
        return (type(value).__name__, [plain(item) for item in value])
    return (type(value).__name__, value)


def same(function):
    """Call ``function(library, data module)`` with both libraries; results and errors must be equal."""
    results = []
    for library, data in BOTH:
        library.manual_seed(1234)
        try:
            result = ("value", plain(function(library, data)))
        except Exception as error:
            result = ("error", type(error), str(error))
        # What was drawn shows in the next random number.
        results.append((result, library.rand(3).numpy().tolist()))
    assert results[0] == results[1]
    return results[0][0]


class Squares:
    def __init__(self, count=10):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not -self.count <= index < self.count:
            raise IndexError(index)
        return index * index


def stream(data, count=10, has_length=False):
    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(range(count))

    class SizedStream(Stream):
        def __len__(self):
            return count

    return SizedStream() if has_length else Stream()


# ------------------------------------------------------------------------------------------------ datasets


ARRAYS = (np.arange(20, dtype=np.float32).reshape(10, 2) / 7, np.arange(10) - 3)


def tensors(library, *arrays):
    return [library.from_numpy(array.copy()) for array in (arrays or ARRAYS)]


@pytest.mark.parametrize("index", [0, 9, -1, 10, -11, slice(2, 7, 2), [3, 1]], ids=str)
def test_tensor_dataset(index):
    kind = same(lambda lib, data: len(data.TensorDataset(*tensors(lib))))
    assert kind == ("value", ("int", 10))
    for library, data in BOTH:
        dataset = data.TensorDataset(*tensors(library))
        if index in (10, -11):
            with pytest.raises(IndexError):
                dataset[index]
        else:
            expected = plain(theirs.TensorDataset(*tensors(torch))[index])
            assert plain(dataset[index]) == expected


def test_tensor_dataset_size_mismatch():
    same(lambda lib, data: data.TensorDataset(*tensors(lib, np.ones((3, 2)), np.ones(4))))


def test_stack_dataset():
    same(lambda lib, data: [data.StackDataset(Squares(), range(10))[i] for i in range(10)])
    same(lambda lib, data: [data.StackDataset(a=Squares(), b=range(10))[i] for i in range(10)])
    same(lambda lib, data: data.StackDataset(Squares(), range(10)).__getitems__([3, 1]))
    same(lambda lib, data: data.StackDataset(a=Squares(), b=range(10)).__getitems__([3, 1]))
    same(lambda lib, data: list(data.DataLoader(data.StackDataset(x=Squares(), y=range(10)), 4)))
    same(lambda lib, data: len(data.StackDataset(Squares())))
    same(lambda lib, data: data.StackDataset(Squares(3), Squares(4)))
    same(lambda lib, data: data.StackDataset(Squares(3), b=Squares(3)))
    same(lambda lib, data: data.StackDataset())

    class Short(Squares):
        def __getitems__(self, indices):
            return [0]

    same(lambda lib, data: data.StackDataset(Short()).__getitems__([1, 2]))
    same(lambda lib, data: data.StackDataset(data.StackDataset(Squares())).__getitems__([1, 2]))


def test_concat_dataset():
    def make(data):
        return data.ConcatDataset([Squares(3), range(2), Squares(4)])

    same(lambda lib, data: [make(data)[i] for i in range(-9, 9)])
    same(lambda lib, data: (len(make(data)), make(data).cumulative_sizes))
    same(lambda lib, data: make(data)[-10])
    for _, data in BOTH:
        with pytest.raises(IndexError):
            make(data)[9]
    same(lambda lib, data: data.ConcatDataset([]))
    same(lambda lib, data: data.ConcatDataset([stream(data)]))
    same(lambda lib, data: list(data.TensorDataset(*tensors(lib)) + data.TensorDataset(*tensors(lib)))[15])


def test_chain_dataset():
    same(lambda lib, data: list(stream(data, 3) + stream(data, 2)))
    same(lambda lib, data: list(data.DataLoader(stream(data, 3) + stream(data, 4), batch_size=2)))
    same(lambda lib, data: len(data.ChainDataset([stream(data, 3, True), stream(data, 4, True)])))
    same(lambda lib, data: list(data.ChainDataset([stream(data, 3), Squares()])))


def test_subset():
    same(lambda lib, data: [data.Subset(Squares(), [4, 2, 2])[i] for i in range(3)])
    same(lambda lib, data: data.Subset(data.TensorDataset(*tensors(lib)), [4, 2, 1])[[0, 2]])
    same(lambda lib, data: data.Subset(Squares(), [4, 2, 2]).__getitems__([2, 0]))
    same(lambda lib, data: data.Subset(data.Subset(Squares(), [4, 2, 2]), [1, 0]).__getitems__([0, 1]))
    same(lambda lib, data: len(data.Subset(Squares(), [4, 2])))
    same(lambda lib, data: list(data.DataLoader(data.Subset(Squares(), [4, 2, 7]), batch_size=2)))


def test_subset_subclass_must_write_both():
    for _, data in BOTH:

        class Half(data.Subset):
            def __getitem__(self, index):
                return -1

        with pytest.raises(NotImplementedError, match="Half overrides __getitem__ but not __getitems__"):
            Half(Squares(), [1])

        class Whole(Half):
            def __getitems__(self, indices):
                return [self[index] for index in indices]

        assert next(iter(data.DataLoader(Whole(Squares(), [1])))).tolist() == [-1]


@pytest.mark.parametrize(
    "lengths",
    [
        [3, 7], [10], [0, 10], [0.5, 0.5], [0.3, 0.3, 0.4], [1 / 3, 1 / 3, 1 / 3], [0.99, 0.01], [1.0], [1],
        [5, 6], [0.5, 0.4], [-0.5, 1.5], [0.1] * 10, [11, -1], [1.5, 8.5],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("seeded", [False, True])
def test_random_split(lengths, seeded):
    def run(lib, data):
        options = {"generator": lib.Generator().manual_seed(42)} if seeded else {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parts = data.random_split(Squares(), lengths, **options)
        return [list(part.indices) for part in parts], [str(warning.message) for warning in caught]

    if lengths == [1.5, 8.5]:  # sizes that are not whole numbers
        for library, data in BOTH:
            with pytest.raises((TypeError, ValueError)):
                run(library, data)
    elif lengths == [11, -1]:
        assert same(run)[0] == "value"
    else:
        same(run)


def test_base_classes_do_nothing_by_themselves():
    same(lambda lib, data: data.Dataset()[0])
    for _, data in BOTH:
        with pytest.raises(TypeError):
            len(data.Dataset())
        with pytest.raises((TypeError, NotImplementedError)):
            iter(data.IterableDataset())


# ------------------------------------------------------------------------------------------------ samplers


def own_generator(lib, seeded):
    return lib.Generator().manual_seed(7) if seeded else None


@pytest.mark.parametrize("seeded", [False, True])
@pytest.mark.parametrize("count", [1, 2, 10, 33, 1000])
@pytest.mark.parametrize("num_samples", [None, 1, 7, 32, 64, 75, 2500])
@pytest.mark.parametrize("replacement", [False, True])
def test_random_sampler(seeded, count, num_samples, replacement):
    def run(lib, data):
        sampler = data.RandomSampler(range(count), replacement, num_samples, own_generator(lib, seeded))
        return len(sampler), list(sampler), list(sampler)

    same(run)


def test_random_sampler_draws_only_when_asked():
    def run(lib, data):
        iterator = iter(data.RandomSampler(range(10)))
        first = lib.rand(2).tolist()
        return first, list(itertools.islice(iterator, 3)), lib.rand(2).tolist()

    same(run)


@pytest.mark.parametrize("seeded", [False, True])
def test_other_samplers(seeded):
    same(lambda lib, data: list(data.SequentialSampler(Squares())))
    same(lambda lib, data: list(data.SubsetRandomSampler([3, 1, 4, 1, 5, 9], own_generator(lib, seeded))))
    same(lambda lib, data: len(data.SubsetRandomSampler([3, 1, 4])))
    weights = [0.1, 3.0, 0.0, 2.5, 1.0]
    for count, replacement in ((20, True), (1, True), (4, False), (1, False)):

        def run(lib, data, count=count, replacement=replacement):
            generator = own_generator(lib, seeded)
            sampler = data.WeightedRandomSampler(weights, count, replacement, generator)
            return len(sampler), list(sampler), list(sampler)

        same(run)


@pytest.mark.parametrize("size", [1, 3, 5, 10, 11])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10])
def test_batch_sampler(size, drop_last, count):
    same(lambda lib, data: list(data.BatchSampler(range(count), size, drop_last)))
    same(lambda lib, data: len(data.BatchSampler(range(count), size, drop_last)))


@pytest.mark.parametrize(
    "make",
    [
        lambda data: data.RandomSampler(range(3), replacement=1),
        lambda data: data.RandomSampler(range(3), num_samples=0),
        lambda data: data.RandomSampler(range(3), num_samples=-2),
        lambda data: data.RandomSampler(range(3), num_samples=2.5),
        lambda data: data.RandomSampler([]),
        lambda data: data.BatchSampler(range(3), 0, False),
        lambda data: data.BatchSampler(range(3), True, False),
        lambda data: data.BatchSampler(range(3), 2.0, False),
        lambda data: data.BatchSampler(range(3), 2, 1),
        lambda data: data.WeightedRandomSampler([1.0], 0),
        lambda data: data.WeightedRandomSampler([1.0], True),
        lambda data: data.WeightedRandomSampler([1.0], 1, replacement=0),
        lambda data: data.WeightedRandomSampler([[1.0], [2.0]], 1),
        lambda data: len(data.BatchSampler(iter(range(3)), 2, False)),
        lambda data: list(data.Sampler()),
    ],
)
def test_sampler_errors(make):
    assert same(lambda lib, data: make(data))[0] == "error"


# ----------------------------------------------------------------------------------------------- collating

Point = collections.namedtuple("Point", ["x", "y"])


class Frozen(collections.abc.Mapping):
    """A mapping that can neither be changed nor made from a dict."""

    def __init__(self):
        self.items_ = {"a": 1}

    def __getitem__(self, key):
        return self.items_[key]

    def __iter__(self):
        return iter(self.items_)

    def __len__(self):
        return 1


SAMPLES = {
    "int": [1, 2, 3],
    "float": [1.5, 2.0],
    "mixed int first": [1, 2.5],
    "bool": [True, False],
    "str": ["a", "bc"],
    "bytes": [b"a", b"bc"],
    "float32 scalars": [np.float32(1.5), np.float32(2)],
    "float64 scalars": [np.float64(1.5), np.float64(2)],
    "int32 scalars": [np.int32(1), np.int32(2)],
    "uint8 scalars": [np.uint8(1), np.uint8(200)],
    "bool scalars": [np.bool_(True), np.bool_(False)],
    "arrays": [np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)],
    "int arrays": [np.arange(3), np.arange(3)],
    "0-d arrays": [np.array(1.0), np.array(2.0)],
    "arrays of different shapes": [np.ones(2), np.ones(3)],
    "text arrays": [np.array(["a"]), np.array(["b"])],
    "object arrays": [np.array([None]), np.array([None])],
    "dicts": [{"a": 1, "b": [1.0, 2.0]}, {"a": 2, "b": [3.0, 4.0]}],
    "ordered dicts": [collections.OrderedDict(a=1), collections.OrderedDict(a=2)],
    "missing key": [{"a": 1, "b": 1}, {"a": 2}],
    "frozen mapping": [Frozen(), Frozen()],
    "namedtuples": [Point(1, 2.0), Point(3, 4.0)],
    "tuples": [(1, "a"), (2, "b")],
    "lists": [[1, "a"], [2, "b"]],
    "ranges": [range(2), range(2, 4)],
    "unequal lists": [[1, 2], [3]],
    "nested": [{"p": Point((1, 2.0), [np.ones(2)])}, {"p": Point((3, 4.0), [np.zeros(2)])}],
    "empty tuples": [(), ()],
    "None": [None, None],
    "set": [{1}, {2}],
    "complex": [1j],
    "deque": [collections.deque([1, 2]), collections.deque([3, 4])],
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("function", ["default_collate", "default_convert"])
def test_collate(name, function):
    def run(lib, data):
        argument = SAMPLES[name] if function == "default_collate" else SAMPLES[name][0]
        return getattr(data, function)(argument)

    results = []
    for library, data in BOTH:
        try:
            results.append(("value", plain(run(library, data))))
        except Exception as error:
            results.append(("error", type(error)))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", ["None", "set", "text arrays", "complex", "unequal lists"])
def test_collate_error_messages(name):
    same(lambda lib, data: data.default_collate(SAMPLES[name]))


def test_collate_tensors():
    same(lambda lib, data: data.default_collate([(t[0], t[1]) for t in [tensors(lib), tensors(lib)]]))
    same(lambda lib, data: data.default_convert((tensors(lib)[0], {"a": tensors(lib)[1]}, "text", 3)))


def test_collate_keeps_gradients():
    for library, data in BOTH:
        leaves = [library.tensor([1.0, 2.0], requires_grad=True) for _ in range(2)]
        batch = data.default_collate(leaves)
        batch.backward(library.tensor([[1.0, 2.0], [3.0, 4.0]]))
        assert [leaf.grad.tolist() for leaf in leaves] == [[1.0, 2.0], [3.0, 4.0]]


class Custom:
    pass


def test_collate_map_can_be_extended():
    for _, data in BOTH:
        home = data._utils.collate if data is theirs else data
        mapping = home.default_collate_fn_map
        mapping[Custom] = lambda batch, *, collate_fn_map=None: len(batch)
        try:
            assert data.default_collate([Custom(), Custom()]) == 2
            assert data.default_collate([(1, Custom())])[1] == 1
        finally:
            del mapping[Custom]


# --------------------------------------------------------------------------------------------- data loader


@pytest.mark.parametrize("batch_size", [1, 3, 5, 10, 11, None])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True, None])
@pytest.mark.parametrize("seeded", [False, True])
def test_loader_orders_and_random_numbers(batch_size, drop_last, shuffle, seeded):
    def run(lib, data):
        dataset = data.TensorDataset(*tensors(lib))
        generator = own_generator(lib, seeded)
        loader = data.DataLoader(dataset, batch_size, shuffle, drop_last=drop_last, generator=generator)
        epochs = [(list(loader), lib.rand(2).tolist()) for _ in range(3)]
        state = generator.initial_seed() if generator is not None else 0
        return len(loader), epochs, state

    same(run)


@pytest.mark.parametrize("source", ["squares", "list", "subset", "concat", "arrays", "dicts", "0-d", "wide", "view"])
def test_loader_over_datasets(source):
    def make(lib, data):
        wide = np.arange(10 * 3 * 4 * 2, dtype=np.float64).reshape(10, 3, 4, 2)
        view = np.arange(60, dtype=np.float32).reshape(6, 10).T[:, ::2]
        return {
            "squares": Squares(),
            "list": [1.5, 2.5, 3.5],
            "subset": data.Subset(data.TensorDataset(*tensors(lib)), [7, 7, 0, -1, 3]),
            "concat": data.ConcatDataset([data.TensorDataset(*tensors(lib))] * 2),
            "arrays": [np.full(3, i, np.float32) for i in range(5)],
            "dicts": [{"x": i, "y": str(i)} for i in range(5)],
            "0-d": data.TensorDataset(tensors(lib)[1]),
            "wide": data.TensorDataset(lib.from_numpy(wide), lib.from_numpy(wide[..., 0] > 50)),
            "view": data.TensorDataset(lib.from_numpy(np.ascontiguousarray(view))),
        }[source]

    same(lambda lib, data: list(data.DataLoader(make(lib, data), batch_size=3, shuffle=True)))
    same(lambda lib, data: list(data.DataLoader(make(lib, data), batch_size=None)))


def test_loader_over_random_split():
    def run(lib, data):
        parts = data.random_split(data.TensorDataset(*tensors(lib)), [0.7, 0.3])
        return [list(data.DataLoader(part, batch_size=2, shuffle=True)) for part in parts]

    same(run)


def test_interrupted_epochs():
    """Leaving an epoch early costs the generator the same as in PyTorch."""

    def run(lib, data):
        loader = data.DataLoader(Squares(), batch_size=3, shuffle=True)
        firsts = [next(iter(loader)) for _ in range(3)]
        return firsts, lib.rand(1).item(), list(zip(loader, loader, strict=True)), lib.rand(1).item()

    same(run)


@pytest.mark.parametrize("batch_size", [1, 3, 5, None])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("count", [0, 1, 10])
def test_loader_over_streams(batch_size, drop_last, count):
    same(lambda lib, data: list(data.DataLoader(stream(data, count), batch_size, drop_last=drop_last)))
    same(lambda lib, data: len(data.DataLoader(stream(data, count, True), batch_size, drop_last=drop_last)))
    for _, data in BOTH:
        expected = ValueError if batch_size is None and drop_last else TypeError
        with pytest.raises(expected):
            len(data.DataLoader(stream(data, count), batch_size, drop_last=drop_last))


def test_a_stream_that_has_ended_is_not_started_again():
    def run(lib, data):
        class Bouncing:
            def __init__(self):
                self.calls = 0

            def __next__(self):
                self.calls += 1
                if self.calls == 3:
                    raise StopIteration
                return self.calls

        class Stream(data.IterableDataset):
            def __iter__(self):
                return Bouncing()

        iterator = iter(data.DataLoader(Stream(), batch_size=5))
        return next(iterator), next(iterator, "end"), next(iterator, "end")

    same(run)


def test_stream_longer_than_its_length_warns():
    def run(lib, data):
        class Stream(data.IterableDataset):
            def __iter__(self):
                return iter(range(4))

            def __len__(self):
                return 3

            def __repr__(self):
                return "Stream"

        loader = data.DataLoader(Stream(), batch_size=None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            before = list(loader)
            none = len(caught)
            len(loader)
            list(loader)
        return before, none, [str(warning.message) for warning in caught]

    same(run)


def test_custom_sampler_and_batch_sampler():
    same(lambda lib, data: list(data.DataLoader(Squares(), sampler=[3, 1, 2], batch_size=2)))
    same(lambda lib, data: list(data.DataLoader(Squares(), batch_sampler=[[3, 1], [2], [0, 0, 0]])))
    same(lambda lib, data: list(data.DataLoader(Squares(), sampler=[3, 1, 2], batch_size=None)))
    same(lambda lib, data: list(data.DataLoader({"a": 1, "b": 2}, sampler=["b", "a"])))
    same(lambda lib, data: len(data.DataLoader(Squares(), batch_sampler=[[3, 1], [2]])))
    same(lambda lib, data: list(data.DataLoader(Squares(), batch_sampler=data.BatchSampler(
        data.RandomSampler(range(10)), 4, True))))  # fmt: skip


def test_collate_fn():
    same(lambda lib, data: list(data.DataLoader(Squares(), 4, collate_fn=lambda samples: samples)))
    same(lambda lib, data: list(data.DataLoader(Squares(), None, collate_fn=lambda sample: sample + 0.5)))


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1}, {"timeout": -1}, {"prefetch_factor": 2}, {"persistent_workers": True},
        {"num_workers": 1, "prefetch_factor": -1}, {"sampler": [1], "shuffle": True},
        {"batch_sampler": [[1]], "batch_size": 2}, {"batch_sampler": [[1]], "shuffle": True},
        {"batch_sampler": [[1]], "sampler": [1]}, {"batch_sampler": [[1]], "drop_last": True},
        {"batch_size": None, "drop_last": True}, {"batch_size": 0}, {"batch_size": -1}, {"batch_size": 1.5},
        {"multiprocessing_context": "fork"}, {"num_workers": 1, "multiprocessing_context": "nonsense"},
        {"num_workers": 1, "multiprocessing_context": 3}, {"drop_last": 1},
    ],
    ids=str,
)  # fmt: skip
def test_argument_errors(options):
    assert same(lambda lib, data: data.DataLoader(Squares(), **options))[0] == "error"


@pytest.mark.parametrize(
    "options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}, {"shuffle": False}], ids=str
)
def test_stream_argument_errors(options):
    same(lambda lib, data: data.DataLoader(stream(data), **options) and None)


def test_empty_dataset():
    same(lambda lib, data: list(data.DataLoader([], batch_size=2)))
    same(lambda lib, data: data.DataLoader([], batch_size=2, shuffle=True))


def test_attributes():
    def run(lib, data):
        loader = data.DataLoader(Squares(), 4, shuffle=True, drop_last=True)
        kinds = type(loader.sampler).__name__, type(loader.batch_sampler).__name__
        return kinds, loader.batch_size, loader.drop_last, loader.num_workers, loader.prefetch_factor

    same(run)
    same(lambda lib, data: data.DataLoader(Squares(), num_workers=2).prefetch_factor)
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"):
        same(lambda lib, data, name=name: setattr(data.DataLoader(Squares()), name, None))
    same(lambda lib, data: setattr(data.DataLoader(Squares()), "collate_fn", None))


def test_timeout_needs_workers():
    for _, data in BOTH:
        loader = data.DataLoader(Squares(), timeout=1)
        with pytest.raises(AssertionError, match="requires timeout == 0"):
            iter(loader)


def test_pin_memory_warns_without_accelerator():
    if torch.accelerator.is_available():
        pytest.skip("PyTorch pins memory here")
    for _, data in BOTH:
        with pytest.warns(UserWarning, match=re.escape("'pin_memory' argument is set as true but no accel")):
            assert len(list(data.DataLoader(Squares(), pin_memory=True))) == 10


@pytest.mark.parametrize("persistent", [False, True])
def test_workers_give_the_same_batches_and_random_numbers(persistent):
    """PyTorch really starts two processes here; the batches and the next random numbers agree."""

    def run(lib, data):
        loader = data.DataLoader(Squares(), 3, shuffle=True, num_workers=2, persistent_workers=persistent)
        return [(list(loader), lib.rand(1).item()) for _ in range(2)]

    assert same(run)[0] == "value"


def test_no_worker_info():
    same(lambda lib, data: data.get_worker_info())


# ------------------------------------------------------------------------------------- batches read at once


def make_datasets():
    class Doubled(ours.TensorDataset):
        def __getitem__(self, index):
            return tuple(tensor * 2 for tensor in super().__getitem__(index))

    class Items(ours.TensorDataset):
        def __getitems__(self, indices):
            return [(tinytorch.tensor(-1.0), tinytorch.tensor(-2.0)) for _ in indices]

    class OwnBatch(Doubled):
        def _collated_batch(self, indices):
            return "at once"

    base = ours.TensorDataset(*tensors(tinytorch))
    return {
        "base": base,
        "subset": ours.Subset(base, [5, 4, 3, 2]),
        "doubled": Doubled(*tensors(tinytorch)),
        "subset of doubled": ours.Subset(Doubled(*tensors(tinytorch)), [5, 4, 3, 2]),
        "items": Items(*tensors(tinytorch)),
        "own batch": OwnBatch(*tensors(tinytorch)),
    }


@pytest.mark.parametrize("name", ["base", "subset", "doubled", "subset of doubled", "items"])
def test_short_cut_never_changes_the_batch(name):
    dataset = make_datasets()[name]
    for indices in ([0], [2, 0, 2], [-1, 1]):
        batch = next(iter(ours.DataLoader(dataset, batch_sampler=[indices])))
        if hasattr(dataset, "__getitems__"):
            samples = dataset.__getitems__(indices)
        else:
            samples = [dataset[index] for index in indices]
        assert plain(batch) == plain(ours.default_collate(samples))


def test_short_cut_is_taken_where_it_may(monkeypatch):
    datasets = make_datasets()

    def fail(self, index):
        raise AssertionError("sample by sample")

    monkeypatch.setattr(ours.TensorDataset, "__getitem__", fail)
    for name in ("base", "subset"):
        assert next(iter(ours.DataLoader(datasets[name], 2)))[0].shape == (2, 2)
    assert next(iter(ours.DataLoader(datasets["own batch"]))) == "at once"
    for options in ({"collate_fn": list}, {"batch_size": None}):
        with pytest.raises(AssertionError, match="sample by sample"):
            next(iter(ours.DataLoader(datasets["base"], **options)))


def test_short_cut_respects_an_extended_collate_map():
    mapping = ours.default_collate_fn_map
    original = mapping[tinytorch.Tensor]
    mapping[tinytorch.Tensor] = lambda batch, *, collate_fn_map=None: "mine"
    try:
        assert next(iter(ours.DataLoader(make_datasets()["base"], 2))) == ["mine", "mine"]
    finally:
        mapping[tinytorch.Tensor] = original


def test_gradients_flow_through_batches():
    for library, data in BOTH:
        leaf = library.tensor([1.0, 2.0, 3.0], requires_grad=True)
        (batch,) = next(iter(data.DataLoader(data.TensorDataset(leaf), batch_sampler=[[2, 0, 2]])))
        batch.backward(library.tensor([1.0, 10.0, 100.0]))
        assert leaf.grad.tolist() == [10.0, 0.0, 101.0]


@pytest.mark.parametrize("indices", [[0, 10], [-11]], ids=str)
def test_short_cut_index_errors(indices):
    for library, data in BOTH:
        with pytest.raises(IndexError):
            next(iter(data.DataLoader(data.TensorDataset(*tensors(library)), batch_sampler=[indices])))


def test_batches_do_not_share_memory():
    for library, data in BOTH:
        dataset = data.TensorDataset(*tensors(library))
        batch = next(iter(data.DataLoader(dataset, batch_size=10)))
        batch[0].numpy()[:] = -1
        np.testing.assert_array_equal(dataset.tensors[0].numpy(), ARRAYS[0])
