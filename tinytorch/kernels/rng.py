"""The random number generator: MT19937, bit for bit PyTorch's.

PyTorch's CPU generator is the Mersenne Twister of Matsumoto and Nishimura (1998), MT19937: 624 words of 32
bits that a linear recurrence replaces 624 at a time ("a block"), and a tempering step that turns each word
of the block into one output. NumPy has the same engine, so the stream of 32-bit words for a seed is the
same stream; all that PyTorch adds is the *bookkeeping* of this file and the *recipes* of its neighbours
(`rng_normal`, `rng_distributions`), which turn words into numbers and decide how many words one number
takes.

The engine here always stands at the end of a block: NumPy computes whole blocks, in bulk when many are
asked for at once, and the tempered words of the last block wait in `_block`, of which `_position` have been
handed out. So a small draw is a slice (a fraction of a microsecond), a large one is a few NumPy calls, and
the state "in the middle of a block" that PyTorch would save is simply the block's raw key together with
`_position`.

Besides the engine, the state holds one number more: `next_normal`. Box-Muller makes normal numbers in pairs;
where PyTorch draws them one by one the second of a pair waits for the next call, even across tensors.

The 5,056 bytes of `get_state` are PyTorch's own, so that states travel both ways:

==========  =======================  ==================================================================
offset      type                     meaning
==========  =======================  ==================================================================
0           uint64                   the seed last set
8, 12       int32, int32             `left` (draws until the next block, counting that one), seeded flag
16          uint64                   `next`, the position in the block; left + next = 625 after a draw
24          624 uint64               the raw words, one in each 8 bytes
5016        3 float64                (unused), the waiting normal number, (unused)
5040        int32                    flag: a normal number waits
5048, 5052  float32, uint8           a waiting float32 normal number and its flag (unused on the CPU)
==========  =======================  ==================================================================
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["DEFAULT_SEED", "Generator"]

DEFAULT_SEED = 67280421310721
"""The seed of a generator that nobody has seeded (PyTorch's `default_rng_seed_val`)."""

_BLOCK = 624
_BULK = 64 * _BLOCK  # words that NumPy is asked for at a time: they stay in the cache
_DIRECT = 8 * _BLOCK  # words from which on the detour by numbers of 64 bits is worth two calls more
_HALF = np.array(32, np.uint64)

_FIELDS: dict[str, tuple[Any, int]] = {  # name: (type, offset)
    "seed": ("<u8", 0),
    "left": ("<i4", 8),
    "seeded": ("<i4", 12),
    "next": ("<u8", 16),
    "words": (("<u8", _BLOCK), 24),
    "normal": ("<f8", 5024),
    "has_normal": ("<i4", 5040),
    "normal32": ("<f4", 5048),
    "has_normal32": ("u1", 5052),
}
_STATE = np.dtype(
    {
        "names": list(_FIELDS),
        "formats": [kind for kind, _ in _FIELDS.values()],
        "offsets": [offset for _, offset in _FIELDS.values()],
        "itemsize": 5056,
    }
)


class Generator:
    """A source of random numbers with its own state, as `torch.Generator`.

    Args:
        device: only the CPU exists here.

    Raises:
        RuntimeError: for any other device.

    >>> generator = Generator().manual_seed(0)
    >>> generator.random32(3)
    array([2357136044, 2546248239, 3071714933], dtype=uint32)
    >>> state = generator.get_state()
    >>> first = generator.random64(2)
    >>> generator.set_state(state).random64(2) == first
    array([ True,  True])
    """

    next_normal: float | None
    """The second number of the last Box-Muller pair, if it has not been handed out (see `rng_normal`)."""

    _seed: int
    _block: NDArray[np.uint32]
    _position: int
    _next_float_normal: float | None

    def __init__(self, device: object = "cpu") -> None:
        if str(device).split(":")[0] != "cpu":
            raise RuntimeError(f"Generator: only device='cpu' is supported, but got {str(device)!r}")
        # The argument only avoids a slow call for the system's entropy: manual_seed overwrites it.
        self._engine = np.random.MT19937(0)
        self._seeder = np.random.RandomState(self._engine)
        self.manual_seed(DEFAULT_SEED)

    # ------------------------------------------------------------------------------------------------ seeding

    def manual_seed(self, seed: int) -> Self:
        """Starts the stream of `seed`, forgets a waiting normal number, and returns the generator.

        Only the lowest 32 bits of the seed reach the engine, as in PyTorch: seeds 1 and 1 + 2**32 give
        the same numbers.

        Args:
            seed: from -2**63 to 2**64 - 1; a negative seed counts as seed + 2**64.

        Raises:
            RuntimeError: the seed is not an integer.
            ValueError: the seed is out of range.
        """
        if isinstance(seed, (bool, np.bool_)) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = operator.index(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(f"Overflow when unpacking long long: the seed {seed} is not in [-2**63, 2**64)")
        self._seed = seed % 2**64
        # The classic initialisation of the 1998 paper's authors; NumPy keeps it in the "legacy" seeding only.
        self._seeder.seed(self._seed % 2**32)
        self._block = np.empty(0, np.uint32)
        self._position = 0
        self._forget_waiting_normals()
        return self

    def seed(self) -> int:
        """Seeds from the system's entropy and returns the seed (64 bits)."""
        seed = int(np.random.SeedSequence().generate_state(1, np.uint64)[0])
        self.manual_seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed last set, from 0 to 2**64 - 1."""
        return self._seed

    # -------------------------------------------------------------------------------------------- raw numbers

    def random32(self, count: int) -> NDArray[np.uint32]:
        """The next `count` words of the stream, uint32 of shape (count,).

        The result may be a view of the generator's buffer: do not write to it.
        """
        start, end = self._position, self._position + count
        if end <= self._block.size:
            self._position = end
            return self._block[start:end]
        rest = self._block[start:]
        blocks = -(-(count - rest.size) // _BLOCK)
        words = np.empty(rest.size + blocks * _BLOCK, np.uint32)
        words[: rest.size] = rest
        for start in range(rest.size, words.size, _BULK):
            part = words[start : start + _BULK]
            if part.size < _DIRECT:
                part[...] = self._engine.random_raw(part.size)
            else:
                _swap_halves(self._engine_numbers(part.size // 2), part.view(np.uint64))
        self._block = words[-_BLOCK:].copy()
        self._position = _BLOCK - (words.size - count)
        return words[:count]

    def random64(self, count: int) -> NDArray[np.uint64]:
        """The next `count` numbers of 64 bits, uint64 of shape (count,): two words each, high one first."""
        waiting = self._block.size - self._position
        blocks = (2 * count - waiting) // _BLOCK  # that are used from end to end
        numbers = np.empty(count, np.uint64)
        if blocks * _BLOCK < _DIRECT or waiting % 2:
            return _swap_halves(self.random32(2 * count).view(np.uint64), numbers)
        first = waiting // 2
        last = first + blocks * _BLOCK // 2
        _swap_halves(self.random32(waiting).view(np.uint64), numbers[:first])
        for start in range(first, last, _BULK // 2):
            part = numbers[start : min(start + _BULK // 2, last)]
            part[...] = self._engine_numbers(part.size)
        self._block, self._position = np.zeros(_BLOCK, np.uint32), _BLOCK  # whatever was in it
        _swap_halves(self.random32(2 * (count - last)).view(np.uint64), numbers[last:])
        return numbers

    def _engine_numbers(self, count: int) -> NDArray[np.uint64]:
        """The engine's next 2 `count` words as numbers of 64 bits, which it makes in little more time than one word."""
        return self._seeder.randint(0, 2**64, count, np.uint64)

    # -------------------------------------------------------------------------------------------------- state

    def get_state(self) -> NDArray[np.uint8]:
        """The whole state, uint8 of shape (5056,), in the byte layout of `torch.Generator.get_state()`."""
        state = np.zeros((), _STATE)
        fresh = self._block.size == 0  # seeded and nothing drawn: PyTorch has not made the first block either
        state["seed"] = self._seed
        state["left"] = 1 if fresh else _BLOCK + 1 - self._position
        state["seeded"] = 1
        state["next"] = self._position
        state["words"] = self._engine.state["state"]["key"]
        if self.next_normal is not None:
            state["normal"], state["has_normal"] = self.next_normal, 1
        if self._next_float_normal is not None:
            state["normal32"], state["has_normal32"] = self._next_float_normal, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, new_state: NDArray[np.uint8]) -> Self:
        """Takes over a state from `get_state`, PyTorch's or this one's, and returns the generator.

        Raises:
            TypeError: not an array of uint8.
            RuntimeError: not 5,056 bytes, or not the state of a seeded MT19937.
        """
        if not isinstance(new_state, np.ndarray):
            raise TypeError(f"expected an array of uint8, but got {type(new_state).__name__}")
        if new_state.dtype != np.uint8:
            raise TypeError(f"RNG state must be an array of uint8, but got {new_state.dtype}")
        if new_state.size != _STATE.itemsize:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_STATE.itemsize} "
                f"but found the input RNG state size to be {new_state.size}"
            )
        state: Any = np.frombuffer(new_state.tobytes(), _STATE)[0]
        left, position = int(state["left"]), int(state["next"])
        fresh = left == 1 and position == 0
        if not state["seeded"] or not 1 <= left <= _BLOCK or not (fresh or left + position == _BLOCK + 1):
            raise RuntimeError("Invalid mt19937 state")
        self._seed = int(state["seed"])
        self._set_engine(state["words"].astype(np.uint32), position, fresh)
        self.next_normal = float(state["normal"]) if state["has_normal"] else None
        self._next_float_normal = float(state["normal32"]) if state["has_normal32"] else None
        return self

    def _set_engine(self, key: NDArray[np.uint32], position: int, fresh: bool) -> None:
        """Puts the engine at the end of the block of raw words `key`, of which `position` are used up."""
        # At position 624 NumPy's engine makes a new block for the next word; at 0 it tempers what is there.
        start = _BLOCK if fresh else 0
        self._engine.state = {"bit_generator": "MT19937", "state": {"key": key, "pos": start}}
        self._block = self._engine.random_raw(_BLOCK - start).astype(np.uint32)
        self._position = position

    def _forget_waiting_normals(self) -> None:
        self.next_normal = None
        self._next_float_normal = None

    def clone_state(self) -> Self:
        """A new generator that will give the same numbers from here on, independently of this one."""
        clone = type(self)()
        Generator.set_state(clone, Generator.get_state(self))
        return clone

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self.clone_state()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), Generator.get_state(self)

    def __setstate__(self, state: NDArray[np.uint8]) -> None:
        Generator.set_state(self, state)


def _swap_halves(numbers: NDArray[np.uint64], out: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """out = the numbers with their high and low 32 bits swapped (memory has the low ones first)."""
    np.left_shift(numbers, _HALF, out=out)
    out |= numbers >> _HALF
    return out
