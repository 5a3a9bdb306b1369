"""The same seed gives the same files: training twice with one thread and twice with two, compared byte by byte.

    python -m tests.trust.determinism            # examples/train_cnn.py as the README runs it: four times, minutes
    python -m tests.trust.determinism --small    # a few batches

Each run is a process of its own with another seed for Python's hashes, so that nothing may depend on the order of a set.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--limit", "192", "--held-out", "100", "--epochs", "2")
FILES = ("best.pt", "curves.png", "history.json", "last.pt")


def train(out: Path, threads: int, hash_seed: int, options: tuple[str, ...] = ()) -> dict[str, str]:
    """Names and SHA-256 of the files that a run leaves in ``out``."""
    count = str(threads)
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(hash_seed),
        "OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
    }  # fmt: skip
    command = [sys.executable, str(ROOT / "examples" / "train_cnn.py"), *options, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(out.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(description="Train with 1, 1, 2 and 2 threads and compare the files.")
    parser.add_argument("--small", action="store_true", help="a few batches instead of the whole job")
    args = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for number, threads in enumerate((1, 1, 2, 2)):
            start = time.perf_counter()
            results.append(train(Path(folder) / str(number), threads, number, SMALL if args.small else ()))
            print(f"{threads} thread(s), {time.perf_counter() - start:.0f} s: last.pt {results[-1]['last.pt'][:16]}...")
    for name in FILES:
        assert len({result[name] for result in results}) == 1, f"{name} differs"
    print(f"four runs, the same bytes in {', '.join(FILES)}")


if __name__ == "__main__":
    main()
