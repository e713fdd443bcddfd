"""What the image methods share: mirrored pairs, inference in batches."""

from collections.abc import Callable

import torch
from torch import nn

from mpinotes.checks import check_count, check_same_shape
from mpinotes.draw import uniform


def flip_together(batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Mirror pairs (x_LR, x_HR) at random: the scanner's response is even along every axis."""
    x_lr, x_hr = batch
    check_same_shape("x_lr", x_lr, "x_hr", x_hr)
    axes = [axis for axis in (2, 3, 4) if uniform((), generator) < 0.5]
    return x_lr.flip(axes), x_hr.flip(axes)


def in_batches(
    enhance: Callable[[torch.Tensor], torch.Tensor], model: nn.Module, x_lr: torch.Tensor, batch: int
) -> torch.Tensor:
    """Apply `enhance` to `batch` volumes at a time, on the model's device and without gradients."""
    check_count("batch", batch)
    device = next(model.parameters()).device
    model.eval()
    with torch.no_grad():
        return torch.cat([enhance(part.to(device)).to(x_lr) for part in x_lr.split(batch)])
