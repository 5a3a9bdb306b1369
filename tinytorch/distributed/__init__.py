"""``tinytorch.distributed`` for the group of one process that a script on one machine may form.

A script that can train on many GPUs also runs alone: it calls ``init_process_group(..., world_size=1)``, wraps its
model in ``DistributedDataParallel`` and averages over the group, which is itself. Every collective function does
that here: it checks its arguments and copies, since what all processes have is what this one has. More than one
process is refused.

>>> from tinytorch import distributed as dist, tensor
>>> dist.init_process_group("gloo", rank=0, world_size=1)
>>> loss = tensor(3.0)
>>> dist.all_reduce(loss)
>>> loss / dist.get_world_size()
tensor(3.)
>>> dist.destroy_process_group()
"""

from __future__ import annotations

import enum
import os
from collections.abc import Sequence
from typing import Any

from tinytorch.tensor import Tensor

__all__ = [
    "Backend",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "gather_object",
    "get_backend",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "is_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "monitored_barrier",
    "new_group",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
]


class ReduceOp(enum.Enum):
    """How values of several processes are joined."""

    SUM, PRODUCT, MIN, MAX, AVG, BAND, BOR, BXOR = range(8)


class Backend:
    """Names of what carries messages between processes; there are no messages here."""

    GLOO, NCCL, MPI, UCC, UNDEFINED = "gloo", "nccl", "mpi", "ucc", "undefined"


class ProcessGroup:
    """A group that this process is alone in."""

    def __init__(self, backend: str) -> None:
        self.backend = backend

    def rank(self) -> int:
        """0."""
        return 0

    def size(self) -> int:
        """1."""
        return 1


class Work:
    """What a function returns under ``async_op=True``: it is done."""

    def wait(self, timeout: Any = None) -> bool:
        """True."""
        return True

    def is_completed(self) -> bool:
        """True."""
        return True


class group:
    """``group.WORLD``: the group of all processes; None before :func:`init_process_group`."""

    WORLD: ProcessGroup | None = None


def is_available() -> bool:
    """Whether :func:`init_process_group` was called.

    Libraries take True to mean that all of ``torch.distributed`` is there; scripts that form a group do not ask.
    """
    return is_initialized()


def is_gloo_available() -> bool:
    """True: the name is accepted."""
    return True


def is_nccl_available() -> bool:
    """False: there are no GPUs."""
    return False


def is_mpi_available() -> bool:
    """False."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether ``torchrun`` started the script."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def is_initialized() -> bool:
    """Whether :func:`init_process_group` was called."""
    return group.WORLD is not None


def init_process_group(
    backend: str | None = None, init_method: str | None = None, timeout: Any = None, world_size: int = -1,
    rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None, device_id: Any = None,
) -> None:  # fmt: skip
    """Form the group of this process. ``world_size`` and ``rank`` come from the environment where they are left out.

    Raises ValueError if neither says them, or the group exists; RuntimeError for more than one process, and for
    backends of GPUs.
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    if backend is not None and backend.lower() == Backend.NCCL:
        raise RuntimeError("Distributed package doesn't have NCCL built in: use backend='gloo'")
    rank = rank if rank >= 0 else _from_environment("RANK", init_method)
    world_size = world_size if world_size > 0 else _from_environment("WORLD_SIZE", init_method)
    if world_size != 1 or rank != 0:
        raise RuntimeError(
            f"tinytorch trains in one process, and this would be process {rank} of {world_size}: start the script with "
            "world_size=1, or without a launcher."
        )
    group.WORLD = ProcessGroup((backend or Backend.GLOO).lower())


def _from_environment(name: str, init_method: str | None) -> int:
    if name not in os.environ or init_method not in (None, "env://"):
        raise ValueError(
            f"Error initializing torch.distributed using {init_method or 'env://'} rendezvous: environment variable "
            f"{name} expected, but not set"
        )
    return int(os.environ[name])


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """Forget the group."""
    if _the_group(group) is _world.WORLD:
        _world.WORLD = None


_world = group  # functions have a parameter of that name


def _the_group(given: ProcessGroup | None) -> ProcessGroup:
    if _world.WORLD is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _world.WORLD if given is None else given


def new_group(ranks: Sequence[int] | None = None, timeout: Any = None, backend: str | None = None,
              **options: Any) -> ProcessGroup:  # fmt: skip
    """Another group of this process."""
    world = _the_group(None)
    if ranks is not None and list(ranks) != [0]:
        raise ValueError(f"the new group's ranks {list(ranks)} should be within the world's: there is rank 0")
    return ProcessGroup(backend or world.backend)


def get_rank(group: ProcessGroup | None = None) -> int:
    """0. ValueError before :func:`init_process_group`, as in all the following."""
    return _the_group(group).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """1."""
    return _the_group(group).size()


def get_backend(group: ProcessGroup | None = None) -> str:
    """The name given to :func:`init_process_group`."""
    return _the_group(group).backend


def barrier(group: ProcessGroup | None = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Wait for all processes: this one is here."""
    _the_group(group)
    return Work() if async_op else None


def monitored_barrier(group: ProcessGroup | None = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """As :func:`barrier`."""
    _the_group(group)


def _done(given: ProcessGroup | None, async_op: bool, pairs: Sequence[tuple[Any, Any]], root: int = 0) -> Work | None:
    """Copy what arrives, ``(to, from)``, and say that it is done."""
    _the_group(given)
    if root != 0:
        raise ValueError(f"there is no process of rank {root}: this one, rank 0, is alone")
    for to, source in pairs:
        if not isinstance(to, Tensor) or not isinstance(source, Tensor):
            raise TypeError(f"Invalid function argument. Expected tensors, got {type(to)} and {type(source)}")
        if to.shape != source.shape or to.dtype != source.dtype:
            raise RuntimeError(f"invalid tensor size or dtype: expected {list(source.shape)} of {source.dtype}, got "
                               f"{list(to.shape)} of {to.dtype}")  # fmt: skip
        to.detach().copy_(source.detach())
    return Work() if async_op else None


def _one(tensors: Sequence[Tensor]) -> Tensor:
    if len(tensors) != 1:
        raise ValueError(f"expected a list of one tensor, for one process, got {len(tensors)}")
    return tensors[0]


def all_reduce(tensor: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """The sum (or another ``op``) over all processes, in place."""
    return _done(group, async_op, [(tensor, tensor)])


def reduce(
    tensor: Tensor, dst: int = 0, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """As :func:`all_reduce`, for process ``dst``."""
    return _done(group, async_op, [(tensor, tensor)], dst)


def broadcast(tensor: Tensor, src: int = 0, group: Any = None, async_op: bool = False) -> Work | None:
    """What process ``src`` has, in place."""
    return _done(group, async_op, [(tensor, tensor)], src)


def all_gather(tensor_list: Sequence[Tensor], tensor: Tensor, group: Any = None, async_op: bool = False) -> Work | None:
    """Every process's tensor, into a list of them."""
    return _done(group, async_op, [(_one(tensor_list), tensor)])


def all_gather_into_tensor(
    output_tensor: Tensor, input_tensor: Tensor, group: Any = None, async_op: bool = False
) -> Work | None:
    """As :func:`all_gather`, into one tensor."""
    return _done(group, async_op, [(output_tensor, input_tensor)])


def gather(
    tensor: Tensor, gather_list: Sequence[Tensor] | None = None, dst: int = 0, group: Any = None, async_op: bool = False
) -> Work | None:
    """Every process's tensor, into a list in process ``dst``."""
    if gather_list is None:
        raise ValueError("Argument ``gather_list`` must be specified on destination rank.")
    return _done(group, async_op, [(_one(gather_list), tensor)], dst)


def scatter(
    tensor: Tensor, scatter_list: Sequence[Tensor] | None = None, src: int = 0, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """From a list in process ``src``, a tensor for every process."""
    if scatter_list is None:
        raise ValueError("Argument ``scatter_list`` must be specified on source rank.")
    return _done(group, async_op, [(tensor, _one(scatter_list))], src)


def reduce_scatter(
    output: Tensor, input_list: Sequence[Tensor], op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """The sums of what all processes have for this one."""
    return _done(group, async_op, [(output, _one(input_list))])


def reduce_scatter_tensor(
    output: Tensor, input: Tensor, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """As :func:`reduce_scatter`, of one tensor."""
    return _done(group, async_op, [(output, input)])


def all_to_all(
    output_tensor_list: Sequence[Tensor], input_tensor_list: Sequence[Tensor], group: Any = None, async_op: bool = False
) -> Work | None:
    """From every process a tensor for every process."""
    return _done(group, async_op, [(_one(output_tensor_list), _one(input_tensor_list))])


def all_to_all_single(
    output: Tensor, input: Tensor, output_split_sizes: Any = None, input_split_sizes: Any = None, group: Any = None,
    async_op: bool = False,
) -> Work | None:  # fmt: skip
    """As :func:`all_to_all`, with parts of one tensor."""
    return _done(group, async_op, [(output, input)])


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """Every process's object, into a list of them."""
    _the_group(group)
    object_list[0] = obj


def gather_object(obj: Any, object_gather_list: list[Any] | None = None, dst: int = 0, group: Any = None) -> None:
    """Every process's object, into a list in process ``dst``."""
    _the_group(group)
    if object_gather_list is None:
        raise ValueError("Argument ``object_gather_list`` must be specified on destination rank.")
    object_gather_list[0] = obj


def broadcast_object_list(object_list: list[Any], src: int = 0, group: Any = None, device: Any = None) -> None:
    """The objects of process ``src``, in place."""
    _done(group, False, [], src)


def scatter_object_list(
    scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None, src: int = 0,
    group: Any = None,
) -> None:  # fmt: skip
    """From a list in process ``src``, an object for every process."""
    _done(group, False, [], src)
    if scatter_object_input_list is None or len(scatter_object_input_list) != 1:
        raise ValueError("expected a list of one object, for one process")
    scatter_object_output_list[0] = scatter_object_input_list[0]


def send(tensor: Tensor, dst: int = 0, group: Any = None, tag: int = 0) -> None:
    """ValueError: there is nobody to send to."""
    _the_group(group)
    raise ValueError("Invalid destination rank: destination rank should not be the same as the rank of the current "
                     "process.")  # fmt: skip


def recv(tensor: Tensor, src: int | None = None, group: Any = None, tag: int = 0) -> int:
    """ValueError: there is nobody to receive from."""
    _the_group(group)
    raise ValueError("Invalid source rank: source rank should not be the same as the rank of the current process.")


def __getattr__(name: str) -> Any:
    from tinytorch.missing import missing

    raise missing(__name__, name)
