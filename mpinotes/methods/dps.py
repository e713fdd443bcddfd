"""Diffusion posterior sampling: Chung et al. (2023), which Qiu et al. (2026) name as their inspiration."""

import torch
from torch import nn

from mpinotes.checks import check_images, check_kind, check_range
from mpinotes.diffusion import ANCESTRAL
from mpinotes.methods import dccdm
from mpinotes.operators import Degradation
from mpinotes.operators.degradation import check_sides


def enhance(
    model: nn.Module,
    x_lr: torch.Tensor,
    config: dccdm.DCCDMConfig,
    *,
    steps: int,
    strength: float = 1.0,
    degradation: Degradation | None = None,
    seed: int = 0,
    batch: int = 16,
) -> torch.Tensor:
    """Sample with a DDPM whose every step is pulled to D(x̂_0) = x_LR; no training.

    Algorithm 1 of the source: after each ancestral step, x ← x − ζ ∇ₓ‖x_LR − D(x̂_0)‖ through the
    network. The norm, and so the step, is taken per volume, not over the batch. Volumes are
    (batch, 1, z, y, x) in [0, 1]; further images behind x_LR condition the network and enter no norm.

    :param model: the DDPM's network.
    :param x_lr: the images.
    :param config: of its training.
    :param steps: network calls per volume, each with a backward pass.
    :param strength: ζ, in units of the data in [-1, 1]; 0 is the plain DDPM.
    :param degradation: D; by default the configuration's.
    :param seed: of starting noise and steps.
    :param batch: volumes at a time.

    >>> from mpinotes.methods import dps
    >>> from mpinotes.networks import seeded_network
    >>> config = dccdm.DCCDMConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> dps.enhance(model, torch.zeros(1, 1, 8, 8, 8), config, steps=2).shape
    torch.Size([1, 1, 8, 8, 8])
    """
    check_range("strength", strength, 0.0, float("inf"))
    check_kind("config", config, dccdm.DCCDMConfig)
    degradation = config.degradation if degradation is None else degradation
    check_kind("degradation", degradation, Degradation)
    check_images("x_lr", x_lr, config.network.in_channels - 1)
    check_sides("x_lr", x_lr.shape[-3:], degradation.factor)

    def misfit(x0: torch.Tensor, x_lr: torch.Tensor) -> torch.Tensor:
        return strength * (2 * (x_lr[:, :1] - degradation.apply((x0 + 1) / 2))).flatten(1).norm(dim=1)

    return dccdm.enhance(
        model, x_lr, config, steps=steps, step=ANCESTRAL, misfit=misfit if strength > 0 else None, seed=seed,
        batch=batch,
    )  # fmt: skip
