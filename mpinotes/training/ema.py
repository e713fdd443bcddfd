"""Exponential moving average of the weights, with warm-up."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

Tensors = tuple[torch.Tensor, ...] | list[torch.Tensor]


def make_ema(model: nn.Module, decay: float) -> AveragedModel:
    """Average of `model`'s weights with decay min(`decay`, (1 + n)/(10 + n)) after n updates.

    A constant decay would remember the random start for long.

    >>> model = torch.nn.Linear(1, 1)
    >>> ema = make_ema(model, decay=0.999)
    >>> ema.update_parameters(model)
    >>> torch.equal(ema.module.weight, model.weight)
    True
    """

    def update(averages: Tensors, weights: Tensors, count: torch.Tensor | int) -> None:
        n = float(count)
        torch._foreach_lerp_(averages, weights, 1 - min(decay, (1 + n) / (10 + n)))

    with torch.device("cpu"):  # of its counter, whatever the caller's default
        return AveragedModel(model, multi_avg_fn=update)
