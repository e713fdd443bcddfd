"""Data-parallel training under ``torchrun``: one global batch, divided between the processes.

Every process draws the random numbers of the whole batch and keeps its own rows, so that the loss
curve does not depend on how many there are. In one process each function here is the identity.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import distributed, nn

from mpinotes.training.identity import differences
from mpinotes.training.precision import best_device


def join(device: torch.device | None = None) -> torch.device | None:
    """Join the processes that ``torchrun`` started, if it did; returns the device of this one: the CPU where
    that is the `device`, else a GPU of its own where there are any.

    Raises ``ValueError`` for one GPU named for all, for more processes than GPUs, and where ``WORLD_SIZE``
    is set by something that does not say the rest; ``ConnectionError`` when the others cannot be reached.

    >>> parallel.join() is None  # not under torchrun
    True
    """
    if os.environ.get("WORLD_SIZE", "1") == "1" or distributed.is_initialized():
        return None
    if missing := [name for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]:
        raise ValueError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']}, but there is no {', '.join(missing)}: "
            "start several processes with torchrun, or unset WORLD_SIZE"
        )
    device = device or best_device()
    if device.type == "cuda":
        rank, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if device.index is not None or rank >= gpus:
            raise ValueError(
                f"device: got '{device}' for process {rank} of this machine, which has {gpus} GPUs: "
                "accepted are 'cpu', and 'cuda' for at most so many processes"
            )
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (RuntimeError, ValueError) as error:
        raise ConnectionError(f"the processes of this training do not find each other: {error}") from error
    return device


def leave() -> None:
    """Leave the group, if there is one.

    >>> parallel.leave()
    """
    if distributed.is_initialized():
        distributed.destroy_process_group()


def processes() -> int:
    """How many processes share the batch.

    >>> parallel.processes()
    1
    """
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this process is the one that writes files and prints.

    >>> parallel.is_first()
    True
    """
    return not distributed.is_initialized() or distributed.get_rank() == 0


def local_rows(tensors: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """This process's rows of tensors (batch, …) that hold the whole batch.

    >>> parallel.local_rows((torch.arange(4), torch.zeros(4)))
    (tensor([0, 1, 2, 3]), tensor([0., 0., 0., 0.]))
    """
    if not distributed.is_initialized():
        return tensors
    return tuple(tensor.tensor_split(processes())[distributed.get_rank()] for tensor in tensors)


def average_gradients(model: nn.Module) -> None:
    """Replace every gradient by its mean over the processes.

    >>> model = torch.nn.Linear(1, 1)
    >>> model(torch.ones(1)).backward()
    >>> parallel.average_gradients(model)
    >>> model.weight.grad
    tensor([[1.]])
    """
    if distributed.is_initialized():
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        flat = _mean(torch.cat([gradient.flatten() for gradient in gradients]))
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))


def average_terms(terms: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The mean of each term of the loss over the processes.

    >>> parallel.average_terms({"total": torch.tensor(0.5)})
    {'total': tensor(0.5000)}
    """
    values = torch.stack([term.detach() for term in terms.values()])
    if distributed.is_initialized():
        values = _mean(values)
    return dict(zip(terms, values.unbind(), strict=True))


def check_agreement(run: dict[str, Any]) -> None:
    """Raise ``ValueError`` in every process unless all are about to do the same `run`, see `differences`.

    Processes that do not share a disk would average a network that goes on with one that starts.

    >>> parallel.check_agreement({"step": 0})
    """
    if not distributed.is_initialized():
        return
    runs: list[Any] = [None] * processes()
    with _reaching_all():
        distributed.all_gather_object(runs, run)
    for number, other in enumerate(runs):
        if found := differences(other, runs[0]):
            raise ValueError(
                f"process {number} is not in the run of process 0 ({', '.join(found[:5])}): "
                "give all the same data, and one output folder on a disk that they share"
            )


def _mean(values: torch.Tensor) -> torch.Tensor:
    with _reaching_all():
        distributed.all_reduce(values)
    return values / processes()


@contextmanager
def _reaching_all() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        with suppress(RuntimeError):
            distributed.destroy_process_group()
        raise ConnectionError(
            "another process of this training has died: start the same command again, "
            "it goes on from the last checkpoint"
        ) from error
