"""What the decay of Wei et al. (2026) is compared with: other ways for a condition to enter a sampler."""

from dataclasses import dataclass
from typing import ClassVar

from mpinotes.checks import check_range
from mpinotes.diffusion.condition_decay import ConditionDecay, ConditionSchedule


@dataclass(frozen=True)
class ConstantCondition(ConditionSchedule):
    """The clean condition at full weight, from the first step to the last.

    >>> ConstantCondition().levels(progress=0.5, alpha_bar=0.1)
    (1.0, 0.0)
    """

    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """(1, 0)."""
        return 1.0, 0.0


@dataclass(frozen=True)
class ReversedDecay(ConditionSchedule):
    """The same curves in the other direction: noisy and weak at first, clean and strong at last.

    >>> ReversedDecay(ConditionDecay(eta_max=0.2)).levels(progress=1.0, alpha_bar=0.0)
    (0.5, 0.1)
    """

    decay: ConditionDecay = ConditionDecay()

    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """Those of `decay` at 1 − t/T."""
        return self.decay.levels(1 - progress, alpha_bar)


@dataclass(frozen=True)
class AnnealedCondition(ConditionSchedule):
    """Condition-annealed sampling, CADS (Sadat et al. 2024, eqs. (3) and (4)): √γ y + s √(1 − γ) ε_y.

    γ is 0 above t/T = `tau2`, 1 below `tau1`, and linear between; s: `scale`. The rescaling of the
    source's eq. (5), its ψ, is left out, as for ψ = 0.

    >>> annealed = AnnealedCondition(tau1=0.6, tau2=0.9, scale=0.25)
    >>> [annealed.levels(progress, alpha_bar=0.1) for progress in (1.0, 0.5)]
    [(0.0, 0.25), (1.0, 0.0)]
    """

    tau1: float = 0.6
    tau2: float = 0.9
    scale: float = 0.25
    fresh_noise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("tau2", self.tau2, 0.0, 1.0, open_low=True)
        check_range("tau1", self.tau1, 0.0, self.tau2)
        check_range("scale", self.scale, 0.0, float("inf"))

    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """(√γ, s √(1 − γ))."""
        check_range("progress", progress, 0.0, 1.0)
        if progress <= self.tau1:
            return 1.0, 0.0
        gamma = max(0.0, (self.tau2 - progress) / (self.tau2 - self.tau1)) if progress < self.tau2 else 0.0
        return gamma**0.5, self.scale * (1 - gamma) ** 0.5


@dataclass(frozen=True)
class NoisedCondition(ConditionSchedule):
    """The condition at the sample's own noise level, √α̅_t y + √(1 − α̅_t) ε_y: what the text of
    Wei et al. (2026), section II.II, says of training and its Algorithm 1 does not do.

    >>> NoisedCondition().levels(progress=0.5, alpha_bar=0.64)
    (0.8, 0.6)
    """

    fresh_noise: ClassVar[bool] = True

    def levels(self, progress: float, alpha_bar: float) -> tuple[float, float]:
        """(√α̅_t, √(1 − α̅_t))."""
        return alpha_bar**0.5, (1 - alpha_bar) ** 0.5
