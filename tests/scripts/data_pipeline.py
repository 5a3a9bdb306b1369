"""Datasets, samplers, collating and workers: what comes out of loaders, epoch after epoch."""
import random

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import (
    ConcatDataset, DataLoader, Dataset, IterableDataset, Subset, TensorDataset, WeightedRandomSampler, get_worker_info,
    random_split,
)


class Words(Dataset):
    def __init__(self, words, noise=0.0):
        self.words, self.noise = words, noise

    def __len__(self):
        return len(self.words)

    def __getitem__(self, i):
        codes = torch.tensor([ord(c) - 96 for c in self.words[i]])
        return {"codes": codes, "size": len(codes), "noise": self.noise * torch.rand(1).item() + np.random.rand()}


class Counter(IterableDataset):
    def __init__(self, stop):
        self.stop = stop

    def __iter__(self):
        info = get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.stop, step))


def collate(samples):
    codes = pad_sequence([s["codes"] for s in samples], batch_first=True, padding_value=0)
    return codes, torch.tensor([s["size"] for s in samples]), torch.tensor([s["noise"] for s in samples])


def seed_worker(worker):
    random.seed(torch.initial_seed() % 2**32)


if __name__ == "__main__":
    torch.manual_seed(0)
    np.random.seed(0)
    words = "ant bee cicada dragonfly earwig fly grasshopper hornet".split()
    both = ConcatDataset([Words(words[:3]), Words(words[3:], noise=1.0)])
    train, held_out = random_split(both, [0.75, 0.25], generator=torch.Generator().manual_seed(1))
    print(len(train), train.indices, held_out.indices)
    for workers in (0, 2):
        loader = DataLoader(train, batch_size=4, shuffle=True, collate_fn=collate, num_workers=workers,
                            worker_init_fn=seed_worker, drop_last=False)
        for epoch in range(2):
            for codes, sizes, noise in loader:
                print(workers, epoch, tuple(codes.shape), sizes.tolist(), " ".join(f"{x:.4f}" for x in noise))
    weights = torch.tensor([0.1, 0.1, 1.0, 3.0])
    picked = WeightedRandomSampler(weights, num_samples=6, replacement=True)
    pairs = TensorDataset(torch.arange(4), torch.linspace(0, 1, 4))
    print([(a.tolist(), b.tolist()) for a, b in DataLoader(pairs, sampler=picked, batch_size=4)])
    print([x.tolist() for x in DataLoader(Counter(7), batch_size=2)])
    print([x.tolist() for x in DataLoader(Counter(7), batch_size=2, num_workers=2)])
    print(next(iter(DataLoader(Subset(Words(["ab", "cd"]), [1, 0]), batch_size=2))))
    print(f"{torch.rand(1).item():.4f} {np.random.rand():.4f}")
