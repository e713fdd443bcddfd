"""Progressive condition decay: what is new in Wei, Tian & Hui (2026), Algorithm 2."""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from mpinotes.checks import check_range
from mpinotes.diffusion.condition import ConditionSchedule
from mpinotes.diffusion.sampler import posterior_deviation

Values = TypeVar("Values", float, np.ndarray, torch.Tensor)


@dataclass(frozen=True)
class ConditionDecay(ConditionSchedule):
    """How noisy (η_t) and how strong (w_t) the condition is at step t: Algorithm 2, lines 3 and 5.

    η_t = η_max (1 − t/T)^γ and w_t = w_min + (w_max − w_min)(t/T)^σ. The paper prints no values;
    the defaults are ours.

    :param eta_max: largest noise level, in the condition's own units, ≥ 0.
    :param gamma: exponent of the noise level, ≥ 0.
    :param w_max: weight at t = T.
    :param w_min: weight at t = 0, from 0 to `w_max`.
    :param sigma: exponent of the weight, ≥ 0.

    >>> decay = ConditionDecay(eta_max=0.25, w_min=0.5)
    >>> [decay.weight(progress) for progress in (1.0, 0.5, 0.0)]
    [1.0, 0.75, 0.5]
    >>> decay.at(torch.tensor([1000, 500]), Schedule())  # weight, and level times weight
    tensor([[1.0000, 0.0000],
            [0.7500, 0.0938]], dtype=torch.float64)
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

    def eta(self, progress: Values) -> Values:
        """η_t at `progress` = t/T in [0, 1]: a number, an array or a tensor, elementwise."""
        return self.eta_max * (1 - progress) ** self.gamma

    def weight(self, progress: Values) -> Values:
        """w_t at `progress` = t/T in [0, 1], as `eta`."""
        return self.w_min + (self.w_max - self.w_min) * progress**self.sigma

    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(w_t, w_t η_t): Algorithm 2 weighs the noise along with the condition."""
        weight = self.weight(progress)
        return weight, weight * self.eta(progress)


@dataclass(frozen=True, eq=False)
class PrintedStep:
    """Lines 8 to 13 of Algorithm 2 as they are printed: a `Step` of the sampler.

    Line 8 divides by √α̅_t, which makes µ the estimate x̂_0 itself, not the mean of Ho et al. (2020),
    eq. (11), which has α_t; and one `z`, drawn before the loop, serves all steps. σ_t, which the
    paper leaves open, is the posterior's standard deviation.

    >>> step = PrintedStep(z=torch.ones(1, 2))
    >>> step(torch.zeros(1, 2), torch.zeros(1, 2), 0.5, 0.75, None)
    tensor([[0.4082, 0.4082]])
    """

    z: torch.Tensor

    def __call__(
        self, x: torch.Tensor, x0: torch.Tensor, alpha_bar_t: float, alpha_bar_prev: float,
        generator: torch.Generator | None,
    ) -> torch.Tensor:  # fmt: skip
        """x̂_0 + σ_t z."""
        return x0 + posterior_deviation(alpha_bar_t, alpha_bar_prev) * self.z
