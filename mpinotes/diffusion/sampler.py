"""The sampler: from Gaussian noise to an image, one denoising call per kept step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from tqdm.auto import tqdm

from mpinotes.checks import check_range
from mpinotes.diffusion.schedule import Schedule
from mpinotes.draw import normal_like
from mpinotes.numerics import full_precision

Denoiser = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""x_t (batch, ...), t (batch,) -> x̂_0 (batch, ...)."""

Misfit = Callable[[torch.Tensor], torch.Tensor]
"""x̂_0 (batch, ...) -> how far each is from what was measured, (batch,)."""


class Step(Protocol):
    """From x_t and the estimate x̂_0 to the sample at the previous kept step.

    >>> halve = lambda x, x0, alpha_bar_t, alpha_bar_prev, generator: x / 2  # a Step of your own
    >>> sample(lambda x, t: x, torch.ones(1, 2), Schedule(), steps=3, step=halve)
    tensor([[0.1250, 0.1250]])
    """

    def __call__(
        self, x: torch.Tensor, x0: torch.Tensor, alpha_bar_t: float, alpha_bar_prev: float,
        generator: torch.Generator | None, /,
    ) -> torch.Tensor: ...  # fmt: skip


def posterior_deviation(alpha_bar_t: float, alpha_bar_prev: float) -> float:
    """Standard deviation of x_prev given x_t and x_0: √((1 − α̅_prev)/(1 − α̅_t) · (1 − α̅_t/α̅_prev)),
    Ho et al. (2020), eq. (7), between kept steps.

    >>> round(posterior_deviation(alpha_bar_t=0.5, alpha_bar_prev=0.75), 3), posterior_deviation(0.5, 1.0)
    (0.408, 0.0)
    """
    return ((1 - alpha_bar_prev) / (1 - alpha_bar_t) * (1 - alpha_bar_t / alpha_bar_prev)) ** 0.5


@dataclass(frozen=True)
class ReverseStep:
    """The step of Song et al. (2021), eqs. (12) and (16), taken between kept steps, so that respacing
    stays exact. `eta` 0 is DDIM (no noise), 1 is ancestral sampling, the DDPM of Ho et al. (2020).

    >>> x, x0 = torch.ones(1, 2), torch.zeros(1, 2)
    >>> ReverseStep(eta=0.0)(x, x0, 0.5, 0.75, None)
    tensor([[0.7071, 0.7071]])
    """

    eta: float

    def __post_init__(self) -> None:
        check_range("eta", self.eta, 0.0, 1.0)

    def __call__(
        self, x: torch.Tensor, x0: torch.Tensor, alpha_bar_t: float, alpha_bar_prev: float,
        generator: torch.Generator | None,
    ) -> torch.Tensor:  # fmt: skip
        """√α̅_prev x̂_0 + √(1 − α̅_prev − s²) ε̂ + s z, with ε̂ that of x_t and x̂_0."""
        noise = (x - alpha_bar_t**0.5 * x0) / (1 - alpha_bar_t) ** 0.5
        spread = self.eta * posterior_deviation(alpha_bar_t, alpha_bar_prev)
        mean = alpha_bar_prev**0.5 * x0 + (1 - alpha_bar_prev - spread**2) ** 0.5 * noise
        return mean + spread * normal_like(x, generator) if spread > 0 else mean


DDIM, ANCESTRAL = ReverseStep(0.0), ReverseStep(1.0)
"""The two ends of `ReverseStep`: deterministic, and with the noise of the posterior."""


@dataclass(frozen=True)
class SamplerState:
    """One point of the reverse process: the step `t` just left for, its sample `x` and the `x0` estimate.

    >>> path = sample_path(lambda x, t: 0 * x, torch.ones(1, 2), Schedule(steps=100), steps=2)
    >>> state = next(path)
    >>> state.t, state.x.shape, state.x0
    (1, torch.Size([1, 2]), tensor([[0., 0.]]))
    """

    t: int
    x: torch.Tensor
    x0: torch.Tensor


@full_precision
def sample_path(
    denoise: Denoiser,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    steps: int,
    step: Step = DDIM,
    misfit: Misfit | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[SamplerState]:
    """Walk from x_T to x_0 over the kept steps, yielding every state.

    :param denoise: x_t (batch, ...) and t (batch,) -> x̂_0; a condition and guidance wrap it.
    :param x: the start x_T, (batch, ...).
    :param schedule: of the noise.
    :param steps: how many steps are kept, each one call of `denoise`.
    :param step: how a kept step is taken: `DDIM`, `ANCESTRAL`, a `ReverseStep` between them, or another.
    :param misfit: x̂_0 -> (batch,); each step ends with −∇ of it with respect to x_t, through `denoise`
        (diffusion posterior sampling, Chung et al. 2023, Algorithm 1).
    :param generator: draws the noise of the steps.

    >>> path = sample_path(lambda x, t: 0 * x, torch.ones(1, 2), Schedule(), steps=4)
    >>> [state.t for state in path]
    [667, 334, 1, 0]
    """
    kept = schedule.kept_steps(steps)
    alpha_bar = schedule.alpha_bar.tolist()
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        at = torch.full((len(x),), t, device=x.device)
        if misfit is None:
            x0 = denoise(x, at)
            x = step(x, x0, alpha_bar[t], alpha_bar[previous], generator)
        else:
            x0, slope = _slope(denoise, misfit, x, at)
            x = step(x, x0, alpha_bar[t], alpha_bar[previous], generator) - slope
        yield SamplerState(previous, x, x0)


def sample(
    denoise: Denoiser,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    steps: int,
    step: Step = DDIM,
    misfit: Misfit | None = None,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> torch.Tensor:
    """The sample x_0 at the end of `sample_path`, same shape as the start `x`. No gradients.

    :param denoise: see `sample_path`, as all but the last.
    :param x: the start x_T, (batch, ...).
    :param schedule: of the noise.
    :param steps: how many steps are kept.
    :param step: how a kept step is taken.
    :param misfit: what each step lowers.
    :param generator: draws the noise of the steps.
    :param progress: whether a bar is shown.

    >>> answer = torch.tensor([[0.5, -0.5]])
    >>> sample(lambda x, t: answer, torch.randn(1, 2), Schedule(), steps=4)
    tensor([[ 0.5000, -0.5000]])
    """
    with torch.no_grad():
        path = sample_path(denoise, x, schedule, steps=steps, step=step, misfit=misfit, generator=generator)
        for state in tqdm(path, total=steps, desc="sampling", disable=not progress):
            x = state.x
    return x


def _slope(denoise: Denoiser, misfit: Misfit, x: torch.Tensor, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """x̂_0 and ∇ₓ of its misfit; the gradient of a sum over the batch is each item's own."""
    with torch.inference_mode(False), torch.enable_grad():  # whatever the caller does without
        x = x.detach().clone().requires_grad_()
        x0 = denoise(x, t)
        (slope,) = torch.autograd.grad(misfit(x0).sum(), x)
    return x0.detach(), slope
