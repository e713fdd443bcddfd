"""Progressive condition decay: Wei, Tian & Hui (2026), Algorithm 2."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from mpinotes.checks import check_choice, check_range, check_same_shape
from mpinotes.diffusion.objective import to_x0
from mpinotes.diffusion.sampler import SamplerState, normal_like
from mpinotes.diffusion.schedule import Schedule

NoisePredictor = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, tuple[float, float]], torch.Tensor]
"""x_t (batch, ...), t (batch,), condition (batch, ...), its weight and noise level -> ε̂ (batch, ...)."""

VARIANTS = ("ddim", "derived", "printed")


class ConditionSchedule(ABC):
    """How a condition y enters step t: as weight · y + level · ε_y.

    `fresh_noise`: whether ε_y is drawn anew at every step; Algorithm 2 draws it once.

    >>> class Half(ConditionSchedule):
    ...     def levels(self, progress, alpha_bar):
    ...         return 0.5, 0.0
    >>> Half().levels(progress=1.0, alpha_bar=0.0)
    (0.5, 0.0)
    """

    fresh_noise: ClassVar[bool] = False

    @abstractmethod
    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """(weight, level) at `progress` = t/T in [0, 1], where the sample's own signal is α̅_t."""


@dataclass(frozen=True)
class ConditionDecay(ConditionSchedule):
    """How noisy (η_t) and how strong (w_t) the condition is at step t: Algorithm 2, lines 3 and 5.

    η_t = η_max (1 − t/T)^γ and w_t = w_min + (w_max − w_min)(t/T)^σ. The paper prints no values;
    the defaults are ours. `eta_max` ≥ 0 in the condition's own units, `gamma`, `sigma` ≥ 0,
    0 ≤ `w_min` ≤ `w_max`.

    >>> decay = ConditionDecay(eta_max=0.25, w_min=0.5)
    >>> [decay.levels(progress, alpha_bar=0.5) for progress in (1.0, 0.5, 0.0)]
    [(1.0, 0.0), (0.75, 0.09375), (0.5, 0.125)]
    """

    eta_max: float = 0.1
    gamma: float = 1.0
    w_max: float = 1.0
    w_min: float = 0.5
    sigma: float = 1.0

    def __post_init__(self) -> None:
        for name in ("eta_max", "gamma", "w_max", "sigma"):
            check_range(name, getattr(self, name), 0.0, math.inf)
        check_range("w_min", self.w_min, 0.0, self.w_max)

    def eta(self, progress: float) -> float:
        """η_t at `progress` = t/T in [0, 1]."""
        check_range("progress", progress, 0.0, 1.0)
        return self.eta_max * (1 - progress) ** self.gamma

    def weight(self, progress: float) -> float:
        """w_t at `progress` = t/T in [0, 1]."""
        check_range("progress", progress, 0.0, 1.0)
        return self.w_min + (self.w_max - self.w_min) * progress**self.sigma

    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """(w_t, w_t η_t): Algorithm 2 weighs the noise along with the condition."""
        weight = self.weight(progress)
        return weight, weight * self.eta(progress)


def progressive_path(
    predict_noise: NoisePredictor,
    x: torch.Tensor,
    condition: torch.Tensor,
    schedule: Schedule,
    decay: ConditionSchedule,
    *,
    steps: int,
    variant: str = "derived",
    generator: torch.Generator | None = None,
) -> Iterator[SamplerState]:
    """Algorithm 2 over `steps` kept steps from x_T = `x`, yielding every state.

    `variant` "printed" follows the page: line 8 divides by √α̅_t, which makes µ the estimate x̂_0
    itself, and one z, drawn before the loop, serves all steps. "derived" uses the mean of Ho et al.
    (2020), eq. (11), which has α_t, and a fresh z per step. σ_t, which the paper leaves open, is the
    posterior standard deviation in both. "ddim" takes Song et al. (2021), eq. (12), without noise.
    `condition` has the shape of `x`.

    >>> def predict_noise(x, t, condition, levels):
    ...     return x - condition
    >>> x, y = torch.zeros(1, 2), torch.zeros(1, 2)
    >>> path = progressive_path(predict_noise, x, y, Schedule(), ConditionDecay(), steps=4)
    >>> [state.t for state in path]
    [667, 334, 1, 0]
    """
    check_choice("variant", variant, VARIANTS)
    check_same_shape("condition", condition, "x", x)
    noise_y, z = normal_like(condition, generator), normal_like(x, generator)
    kept = schedule.kept_steps(steps)
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        here, there = schedule.alpha_bar[t].item(), schedule.alpha_bar[previous].item()
        alpha = here / there
        if decay.fresh_noise:
            noise_y = normal_like(condition, generator)
        weight, level = decay.levels(t / schedule.steps, here)
        step = torch.full((len(x),), t, device=x.device)
        noise = predict_noise(x, step, weight * condition + level * noise_y, (weight, level))
        x0 = to_x0(noise, x, step, schedule, "epsilon")
        # At the last kept step the posterior variance is zero: lines 9 to 13.
        spread = ((1 - there) / (1 - here) * (1 - alpha)) ** 0.5
        if variant == "ddim":
            x = there**0.5 * x0 + (1 - there) ** 0.5 * noise
        elif variant == "derived":
            mean = (x - (1 - alpha) / (1 - here) ** 0.5 * noise) / alpha**0.5
            x = mean + spread * normal_like(x, generator)
        else:
            x = x0 + spread * z
        yield SamplerState(previous, x, x0)
