"""Progressive condition decay: Wei, Tian & Hui (2026), Algorithm 2."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from mpinotes.diffusion.objective import to_x0
from mpinotes.diffusion.sampler import SamplerState, normal_like
from mpinotes.diffusion.schedule import Schedule
from mpinotes.validation import check_choice, check_range, check_same_shape

NoisePredictor = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""x_t (batch, ...), t (batch,), condition (batch, ...) -> ε̂ (batch, ...)."""


@dataclass(frozen=True)
class ConditionDecay:
    """How noisy (η_t) and how strong (w_t) the condition is at step t: Algorithm 2, lines 3 and 5.

    η_t = η_max (1 − t/T)^γ and w_t = w_min + (w_max − w_min)(t/T)^σ. The paper prints no values;
    the defaults are ours. `eta_max` ≥ 0 in the condition's own units, `gamma`, `sigma` ≥ 0,
    0 ≤ `w_min` ≤ `w_max`.
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


def progressive_path(
    predict_noise: NoisePredictor,
    x: torch.Tensor,
    condition: torch.Tensor,
    schedule: Schedule,
    decay: ConditionDecay,
    *,
    steps: int,
    variant: str = "derived",
    generator: torch.Generator | None = None,
) -> Iterator[SamplerState]:
    """Algorithm 2 over `steps` kept steps from x_T = `x`, yielding every state.

    `variant` "printed" follows the page: line 8 divides by √α̅_t, which makes µ the estimate x̂_0
    itself, and one z, drawn before the loop, serves all steps. "derived" uses the mean of Ho et al.
    (2020), eq. (11), which has α_t, and a fresh z per step. σ_t, which the paper leaves open, is the
    posterior standard deviation in both. `condition` has the shape of `x`.
    """
    check_choice("variant", variant, ("printed", "derived"))
    check_same_shape("condition", condition, "x", x)
    noise_y, z = normal_like(condition, generator), normal_like(x, generator)
    kept = schedule.kept_steps(steps)
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        here, there = schedule.alpha_bar[t].item(), schedule.alpha_bar[previous].item()
        alpha = here / there
        progress = t / schedule.steps
        perturbed = decay.weight(progress) * (condition + decay.eta(progress) * noise_y)
        step = torch.full((len(x),), t, device=x.device)
        noise = predict_noise(x, step, perturbed)
        x0 = to_x0(noise, x, step, schedule, "epsilon")
        if variant == "printed":
            mean = x0
        else:
            mean = (x - (1 - alpha) / (1 - here) ** 0.5 * noise) / alpha**0.5
            z = normal_like(x, generator)
        # At the last kept step the posterior variance is zero: lines 9 to 13.
        spread = ((1 - there) / (1 - here) * (1 - alpha)) ** 0.5
        x = mean + spread * z
        yield SamplerState(previous, x, x0)
