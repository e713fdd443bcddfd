"""Data-parallel training under ``torchrun``: one global batch, divided between the processes.

Every process draws the random numbers of the whole batch and keeps its own rows, so that the loss
curve does not depend on how many there are. In one process each function here is the identity.
"""

import os
from contextlib import suppress

import torch
from torch import distributed, nn


def join() -> torch.device | None:
    """Join the processes that ``torchrun`` started, if it did; returns the device of this one.

    >>> parallel.join() is None  # not under torchrun
    True
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or distributed.is_initialized():
        return None
    rank = int(os.environ["LOCAL_RANK"])
    on_gpu = torch.cuda.is_available()
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    return torch.device("cuda", rank) if on_gpu else torch.device("cpu")


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


def average_terms(terms: dict[str, torch.Tensor]) -> dict[str, float]:
    """The mean of each term of the loss over the processes, as numbers.

    >>> parallel.average_terms({"total": torch.tensor(0.5)})
    {'total': 0.5}
    """
    values = torch.stack([term.detach() for term in terms.values()])
    if distributed.is_initialized():
        values = _mean(values)
    return dict(zip(terms, values.tolist(), strict=True))


def _mean(values: torch.Tensor) -> torch.Tensor:
    try:
        distributed.all_reduce(values)
    except RuntimeError as error:
        with suppress(RuntimeError):
            distributed.destroy_process_group()
        raise ConnectionError(
            "another process of this training has died: start the same command again, "
            "it goes on from the last checkpoint"
        ) from error
    return values / processes()
