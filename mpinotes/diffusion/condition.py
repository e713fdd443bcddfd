"""How a condition enters a denoiser: with a weight and a noise level that follow the step, and with guidance."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch

from mpinotes.diffusion.sampler import Denoiser
from mpinotes.diffusion.schedule import Schedule
from mpinotes.draw import normal_like

ConditionalDenoiser = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""x_t (batch, ...), t (batch,), condition (batch, ...), its weight and noise level (batch, 2) -> x̂_0 (batch, ...)."""


class ConditionSchedule(ABC):
    """How a condition y enters step t: as weight · y + level · ε_y.

    `fresh_noise`: whether ε_y is drawn anew at every step; Algorithm 2 draws it once.

    >>> class Half(ConditionSchedule):
    ...     def levels(self, progress, alpha_bar):
    ...         return 0.5 * torch.ones_like(progress), torch.zeros_like(progress)
    >>> Half().at(torch.tensor([1000, 1]), Schedule())
    tensor([[0.5000, 0.0000],
            [0.5000, 0.0000]], dtype=torch.float64)
    """

    fresh_noise: ClassVar[bool] = False

    @abstractmethod
    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weight and level at `progress` = t/T in [0, 1], where the sample's own signal is α̅_t, elementwise."""

    def at(self, t: torch.Tensor, schedule: Schedule) -> torch.Tensor:
        """Weight and level at steps t, (batch,): (batch, 2), float64."""
        progress = t.double() / schedule.steps
        return torch.stack(self.levels(progress, schedule.at(t, like=progress)), dim=1)


def perturb(condition: torch.Tensor, noise: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """Weight · condition + level · noise, (batch, ...), for `levels` (batch, 2).

    >>> perturb(torch.ones(1, 2), torch.tensor([[1.0, -1.0]]), torch.tensor([[0.5, 0.25]]))
    tensor([[0.7500, 0.2500]])
    """
    weight, level = levels.to(condition).view(-1, 2, *[1] * (condition.ndim - 1)).unbind(1)
    return weight * condition + level * noise


def conditioned(
    denoise: ConditionalDenoiser,
    condition: torch.Tensor,
    condition_schedule: ConditionSchedule,
    schedule: Schedule,
    noise: torch.Tensor,
    generator: torch.Generator | None = None,
) -> Denoiser:
    """A denoiser whose condition enters as its schedule says: Algorithm 2 of Wei et al. (2026), lines 3 to 6.

    :param denoise: takes x_t, t, the condition and its levels.
    :param condition: y, (batch, ...).
    :param condition_schedule: its weight and noise level at every step.
    :param schedule: of the sampler.
    :param noise: ε_y, of the shape of the condition; not used where the schedule wants fresh noise.
    :param generator: draws the fresh noise.

    >>> def answer(x, t, condition, levels):
    ...     return condition
    >>> y, noise = torch.ones(1, 2), torch.zeros(1, 2)
    >>> denoise = conditioned(answer, y, ConditionDecay(w_min=0.5), Schedule(), noise)
    >>> denoise(torch.zeros(1, 2), torch.tensor([500]))
    tensor([[0.7500, 0.7500]])
    """

    def wrapped(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        drawn = normal_like(condition, generator) if condition_schedule.fresh_noise else noise
        levels = condition_schedule.at(t, schedule).to(condition)
        return denoise(x, t, perturb(condition, drawn, levels), levels)

    return wrapped


def guided(conditional: Denoiser, unconditional: Denoiser, scale: float) -> Denoiser:
    """Classifier-free guidance (Ho & Salimans 2022): x̂_0 = null + scale · (conditional − null).

    >>> denoise = guided(lambda x, t: x + 1, lambda x, t: x, scale=1.5)
    >>> denoise(torch.zeros(1, 2), torch.tensor([500]))
    tensor([[1.5000, 1.5000]])
    """

    def wrapped(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        with_condition, null = conditional(x, t), unconditional(x, t)
        return null + scale * (with_condition - null)

    return wrapped
