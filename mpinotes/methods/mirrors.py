"""Mirror images: pairs flipped at random for a training, and the mean over all eight for an estimate."""

from collections.abc import Callable
from itertools import combinations

import torch

from mpinotes.checks import check_images, check_same_shape
from mpinotes.draw import uniform


def flip_together(batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Mirror pairs (x_LR, x_HR) at random, all channels of x_LR alike: the scanner's response is even along every axis.

    Half precision is for storage, an α̅_t near 1 needs more: such pairs become float32.
    """
    x_lr, x_hr = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in batch)
    check_same_shape("x_lr", x_lr[:, :1], "x_hr", x_hr)
    axes = [axis for axis in (2, 3, 4) if uniform((), generator) < 0.5]
    return x_lr.flip(axes), x_hr.flip(axes)


def mirror_answers(enhance: Callable[[torch.Tensor], torch.Tensor], x_lr: torch.Tensor) -> torch.Tensor:
    """What `enhance` makes of the eight mirror images of `x_lr`, (batch, channel, z, y, x), each mirrored back:
    (8, batch, 1, z, y, x). How they differ says something of the network's own errors. Raises ``ValueError`` for
    answers of another shape.

    >>> x_lr = torch.rand(1, 1, 4, 4, 4)
    >>> mirror_answers(lambda x: x / 2, x_lr).shape
    torch.Size([8, 1, 1, 4, 4, 4])
    """
    check_images("x_lr", x_lr)
    choices = [axes for count in range(4) for axes in combinations((2, 3, 4), count)]
    answers = [enhance(x_lr.flip(axes)) for axes in choices]
    for answer in answers:
        check_same_shape("enhance, what it returns", answer, "the first channel of x_lr", x_lr[:, :1])
    return torch.stack([answer.flip(axes) for answer, axes in zip(answers, choices, strict=True)])


def mirror_mean(enhance: Callable[[torch.Tensor], torch.Tensor], x_lr: torch.Tensor) -> torch.Tensor:
    """Mean over the eight mirror images of `x_lr`, (batch, channel, z, y, x), each enhanced and mirrored back.

    The scanner's response is even along every axis, so all eight are images of one volume; what a
    network answers to them differs by its own errors, which the mean reduces. As in the "EDSR+" of
    Lim et al. (2017), section 3.4; on a diffusion model it averages over starting noise as well.

    >>> from mpinotes.methods.mirrors import mirror_mean
    >>> x_lr = torch.rand(1, 1, 4, 4, 4)
    >>> torch.allclose(mirror_mean(lambda x: x / 2, x_lr), x_lr / 2)
    True
    """
    return mirror_answers(enhance, x_lr).mean(0)
