"""What the decay of Wei et al. (2026) is compared with: other ways for a condition to enter a sampler."""

from dataclasses import dataclass
from typing import ClassVar

import torch

from mpinotes.checks import check_range
from mpinotes.diffusion.condition import ConditionSchedule
from mpinotes.diffusion.condition_decay import ConditionDecay


@dataclass(frozen=True)
class ConstantCondition(ConditionSchedule):
    """The clean condition at full weight, from the first step to the last.

    >>> ConstantCondition().at(torch.tensor([500]), Schedule())
    tensor([[1., 0.]], dtype=torch.float64)
    """

    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(1, 0)."""
        return torch.ones_like(progress), torch.zeros_like(progress)


@dataclass(frozen=True)
class ReversedDecay(ConditionSchedule):
    """The same curves in the other direction: noisy and weak at first, clean and strong at last.

    >>> ReversedDecay(ConditionDecay(eta_max=0.2)).at(torch.tensor([1000]), Schedule())
    tensor([[0.5000, 0.1000]], dtype=torch.float64)
    """

    decay: ConditionDecay = ConditionDecay()

    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of `decay` at 1 − t/T."""
        return self.decay.levels(1 - progress, alpha_bar)


@dataclass(frozen=True)
class AnnealedCondition(ConditionSchedule):
    """Condition-annealed sampling, CADS (Sadat et al. 2024, eqs. (3) and (4)): √γ y + s √(1 − γ) ε_y.

    γ is 0 above t/T = `tau2`, 1 below `tau1`, and linear between; s: `scale`. The rescaling of the
    source's eq. (5), its ψ, is left out, as for ψ = 0.

    >>> annealed = AnnealedCondition(tau1=0.6, tau2=0.9, scale=0.25)
    >>> annealed.at(torch.tensor([1000, 500]), Schedule())
    tensor([[0.0000, 0.2500],
            [1.0000, 0.0000]], dtype=torch.float64)
    """

    tau1: float = 0.6
    tau2: float = 0.9
    scale: float = 0.25
    fresh_noise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_range("tau2", self.tau2, 0.0, 1.0, open_low=True)
        check_range("tau1", self.tau1, 0.0, self.tau2)
        check_range("scale", self.scale, 0.0, float("inf"))

    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(√γ, s √(1 − γ))."""
        if self.tau1 < self.tau2:
            gamma = ((self.tau2 - progress) / (self.tau2 - self.tau1)).clamp(0, 1)
        else:
            gamma = (progress <= self.tau1).to(progress)
        return gamma.sqrt(), self.scale * (1 - gamma).sqrt()


@dataclass(frozen=True)
class NoisedCondition(ConditionSchedule):
    """The condition at the sample's own noise level, √α̅_t y + √(1 − α̅_t) ε_y: what the text of
    Wei et al. (2026), section II.II, says of training and its Algorithm 1 does not do.

    >>> NoisedCondition().levels(torch.tensor(0.5), alpha_bar=torch.tensor(0.64))
    (tensor(0.8000), tensor(0.6000))
    """

    fresh_noise: ClassVar[bool] = True

    def levels(self, progress: torch.Tensor, alpha_bar: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(√α̅_t, √(1 − α̅_t))."""
        return alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
