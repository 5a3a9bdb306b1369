"""The workers of a data loader, played by one process, give what PyTorch's processes give."""

import random

import numpy as np
import pytest
import torch
import torch.utils.data

import tinytorch
import tinytorch.utils.data

LIBRARIES = [tinytorch, torch]


def noisy(library):
    class Noisy(library.utils.data.Dataset):
        """Draws from all three generators."""

        def __len__(self):
            return 7

        def __getitem__(self, i):
            return i, library.rand(1).item(), np.random.rand(), random.random()

    return Noisy()


def stream(library):
    class Stream(library.utils.data.IterableDataset):
        def __iter__(self):
            info = library.utils.data.get_worker_info()
            start, step = (0, 1) if info is None else (info.id, info.num_workers)
            return iter(range(start, 9, step))

    return Stream()


def batches(library, dataset, epochs=1, **options):
    library.manual_seed(1)
    random.seed(2)
    np.random.seed(3)
    loader = library.utils.data.DataLoader(dataset(library), multiprocessing_context="fork", **options)
    read = [[np.array(batch).tolist() for batch in loader] for _ in range(epochs)]
    return read, library.rand(1).item(), random.random(), np.random.rand()


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": 2, "batch_size": 2, "shuffle": True},
        {"num_workers": 3, "batch_size": 2, "persistent_workers": True},
        {"num_workers": 1, "batch_size": 3, "worker_init_fn": lambda worker: np.random.seed(worker + 5)},
    ],
    ids=lambda options: ",".join(f"{key}={value}" for key, value in options.items() if not callable(value)),
)
def test_the_dataset_draws_the_same_numbers(options):
    mine, theirs = (batches(library, noisy, epochs=2, **options) for library in LIBRARIES)
    for epoch, expected in zip(mine[0], theirs[0], strict=True):
        for batch, expected_batch in zip(epoch, expected, strict=True):
            np.testing.assert_allclose(batch, expected_batch, rtol=1e-6)
    np.testing.assert_allclose(mine[1:], theirs[1:], rtol=1e-6)  # the main process's generators are left alone


@pytest.mark.parametrize("options", [{"batch_size": 2}, {"batch_size": 2, "drop_last": True}, {"batch_size": None}])
def test_streams_are_read_by_all_workers_in_turn(options):
    mine, theirs = (batches(library, stream, num_workers=2, **options)[0] for library in LIBRARIES)
    assert mine == theirs


def test_an_error_in_the_dataset_leaves_the_generators_alone():
    class Failing(tinytorch.utils.data.Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            assert tinytorch.utils.data.get_worker_info().num_workers == 1
            random.random()
            raise ValueError("no sample")

    random.seed(0)
    with pytest.raises(ValueError, match="no sample"):
        next(iter(tinytorch.utils.data.DataLoader(Failing(), num_workers=1)))
    assert tinytorch.utils.data.get_worker_info() is None
    got = random.random()
    random.seed(0)
    assert got == random.random()
