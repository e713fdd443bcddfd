"""Eight calls that agree: the mean over a volume's mirror images."""

from collections.abc import Callable
from itertools import product

import torch

from mpinotes.checks import check_unit_volumes


def mirror_mean(enhance: Callable[[torch.Tensor], torch.Tensor], x_lr: torch.Tensor) -> torch.Tensor:
    """Mean over the eight mirror images of `x_lr`, (batch, 1, z, y, x), each enhanced and mirrored back.

    The scanner's response is even along every axis, so all eight are images of one volume; what a
    network answers to them differs by its own errors, which the mean reduces. As in the "EDSR+" of
    Lim et al. (2017), section 3.4; on a diffusion model it averages over starting noise as well.

    >>> from mpinotes.methods.mirrors import mirror_mean
    >>> x_lr = torch.rand(1, 1, 4, 4, 4)
    >>> torch.allclose(mirror_mean(lambda x: x / 2, x_lr), x_lr / 2)
    True
    """
    check_unit_volumes("x_lr", x_lr)
    axes = [[axis for axis, mirrored in zip((2, 3, 4), choice, strict=True) if mirrored] for choice in _CHOICES]
    return torch.stack([enhance(x_lr.flip(flipped)).flip(flipped) for flipped in axes]).mean(0)


_CHOICES = tuple(product((False, True), repeat=3))
