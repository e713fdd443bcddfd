"""Diffusion posterior sampling: Chung et al. (2023), which Qiu et al. (2026) name as their inspiration."""

import torch
from torch import nn

from mpinotes.checks import check_range, check_unit_volumes
from mpinotes.diffusion.sampler import reverse_step
from mpinotes.methods.dccdm import DCCDMConfig, predict_x0
from mpinotes.operators import Degradation


def enhance(
    model: nn.Module,
    x_lr: torch.Tensor,
    config: DCCDMConfig,
    *,
    steps: int,
    strength: float = 1.0,
    degradation: Degradation | None = None,
    seed: int = 0,
    batch: int = 16,
) -> torch.Tensor:
    """Sample with a DDPM whose every step is pulled to D(x̂_0) = x_LR; no training.

    Algorithm 1 of the source: after each ancestral step, x ← x − ζ ∇ₓ‖x_LR − D(x̂_0)‖ through the
    network. The norm, and so the step, is taken per volume, not over the batch. `strength`: ζ in
    units of the data in [-1, 1]; 0 is the plain DDPM. `degradation`: by default the configuration's.
    `steps` network calls, each with a backward pass. Volumes (batch, 1, z, y, x) in [0, 1].

    >>> from mpinotes.methods import dps
    >>> from mpinotes.networks import seeded_network
    >>> from mpinotes.operators import Degradation
    >>> config = dccdm.DCCDMConfig(Degradation(sigma=1.0))
    >>> model = seeded_network(config.network, seed=0)
    >>> dps.enhance(model, torch.zeros(1, 1, 8, 8, 8), config, steps=2).shape
    torch.Size([1, 1, 8, 8, 8])
    """
    check_unit_volumes("x_lr", x_lr)
    check_range("strength", strength, 0.0, float("inf"))
    degradation = degradation or config.degradation
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    starts = torch.randn(x_lr.shape, generator=generator)
    model.eval().requires_grad_(False)
    results = []
    for part, start in zip(x_lr.split(batch), starts.split(batch), strict=True):
        x = _walk(model, start.to(device), part.to(device), config, degradation, steps, strength, generator)
        results.append(((x + 1) / 2).clamp(0, 1).to(x_lr))
    return torch.cat(results)


def _walk(
    model: nn.Module, x: torch.Tensor, x_lr: torch.Tensor, config: DCCDMConfig, degradation: Degradation,
    steps: int, strength: float, generator: torch.Generator,
) -> torch.Tensor:  # fmt: skip
    schedule = config.objective.schedule
    kept = schedule.kept_steps(steps)
    for t, previous in zip(kept, [*kept[1:], 0], strict=True):
        x = x.requires_grad_(strength > 0)
        with torch.set_grad_enabled(strength > 0):
            x0 = predict_x0(model, x, torch.full((len(x),), t, device=x.device), x_lr, config).clamp(-1, 1)
            misfit = (2 * (x_lr - degradation.apply((x0 + 1) / 2))).flatten(1).norm(dim=1)
        # The gradient of a sum over volumes is each volume's own.
        pull = strength * torch.autograd.grad(misfit.sum(), x)[0] if strength > 0 else 0.0
        x = reverse_step(x.detach(), x0.detach(), schedule, t, previous, 1.0, generator) - pull
    return x
