"""Samplers: from Gaussian noise to an image, one denoising call per kept step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from tqdm.auto import tqdm

from mpinotes.checks import check_range
from mpinotes.diffusion.schedule import Schedule

Denoiser = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""x_t (batch, ...), t (batch,) -> x̂_0 (batch, ...)."""


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


def sample_path(
    denoise: Denoiser,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    steps: int,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
) -> Iterator[SamplerState]:
    """Walk from x_T = `x` to x_0 over `steps` kept steps, yielding every state.

    `eta` 0 is DDIM (deterministic), 1 is DDPM with the posterior variance: Song et al. (2021),
    eqs. (12) and (16), taken between kept steps, so that respacing stays exact.

    >>> path = sample_path(lambda x, t: 0 * x, torch.ones(1, 2), Schedule(), steps=4)
    >>> [state.t for state in path]
    [667, 334, 1, 0]
    """
    check_range("eta", eta, 0.0, 1.0)
    kept = schedule.kept_steps(steps)
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        x0 = denoise(x, torch.full((len(x),), t, device=x.device))
        x = reverse_step(x, x0, schedule, t, previous, eta, generator)
        yield SamplerState(previous, x, x0)


def reverse_step(
    x: torch.Tensor, x0: torch.Tensor, schedule: Schedule, t: int, previous: int, eta: float,
    generator: torch.Generator | None,
) -> torch.Tensor:  # fmt: skip
    """From x_t = `x` and the estimate `x0` to the sample at the step `previous` < t: Song et al. (2021), eq. (12)."""
    here, there = schedule.alpha_bar[t].item(), schedule.alpha_bar[previous].item()
    noise = (x - here**0.5 * x0) / (1 - here) ** 0.5
    spread = eta * ((1 - there) / (1 - here) * (1 - here / there)) ** 0.5
    x = there**0.5 * x0 + (1 - there - spread**2) ** 0.5 * noise
    return x + spread * normal_like(x, generator) if spread > 0 else x


def sample(
    denoise: Denoiser,
    x: torch.Tensor,
    schedule: Schedule,
    *,
    steps: int,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
    progress: bool = False,
) -> torch.Tensor:
    """The sample x_0 at the end of `sample_path`, same shape as the start `x`. No gradients.

    >>> answer = torch.tensor([[0.5, -0.5]])
    >>> sample(lambda x, t: answer, torch.randn(1, 2), Schedule(), steps=4)
    tensor([[ 0.5000, -0.5000]])
    """
    with torch.no_grad():
        path = sample_path(denoise, x, schedule, steps=steps, eta=eta, generator=generator)
        for state in tqdm(path, total=steps, desc="sampling", disable=not progress):
            x = state.x
    return x


def normal_like(x: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Standard normal numbers with the shape, dtype and device of `x`, drawn where the generator lives."""
    source = generator.device if generator is not None else x.device
    return torch.randn(x.shape, generator=generator, dtype=x.dtype, device=source).to(x.device)
