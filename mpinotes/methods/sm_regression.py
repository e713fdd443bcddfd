"""Regression from low- to high-gradient components: the network of the diffusion model, called once.

Of a `SynthesisConfig` that predicts x̂_0 it follows `network` and `ordered`; the rest concerns diffusion alone.
"""

import torch
from torch import nn

from mpinotes.methods.sm_synthesis import (
    SynthesisConfig,
    align_phase,
    check_components,
    predict_x0,
    to_channels,
    to_components,
    to_training_channels,
)
from mpinotes.training import local_rows


def loss(
    model: nn.Module, batch: tuple[torch.Tensor, ...], generator: torch.Generator, config: SynthesisConfig
) -> dict[str, torch.Tensor]:
    """Squared error on (low, high, orders): pairs of complex components.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> generator = torch.Generator().manual_seed(0)
    >>> list(sm_regression.loss(model, (low, low, orders), generator, config))
    ['total']
    """
    low, high, orders = local_rows(*to_training_channels(batch, generator))
    return {"total": (_estimate(model, low, orders, config) - high).square().mean()}


def synthesise(model: nn.Module, low: torch.Tensor, orders: torch.Tensor, config: SynthesisConfig) -> torch.Tensor:
    """High-gradient components for low-gradient ones, both complex (batch, 2, y, x), modulus ≤ 1, and
    their mixing `orders` (batch, 2).

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 2, 8, 8) + 0j, torch.tensor([[2, 0], [1, 1]])
    >>> sm_regression.synthesise(model, low, orders, config).shape
    torch.Size([2, 2, 8, 8])
    """
    check_components(low, orders)
    device = next(model.parameters()).device
    turn = align_phase(low)
    model.eval()
    with torch.no_grad():
        channels = _estimate(model, to_channels(low * turn).to(device), orders.to(device), config)
    return to_components(channels).to(low) / turn


def _estimate(model: nn.Module, low: torch.Tensor, orders: torch.Tensor, config: SynthesisConfig) -> torch.Tensor:
    t = torch.zeros(len(low), device=low.device)
    return predict_x0(model, torch.zeros_like(low), t, low, low.new_zeros(len(low), 2), orders, config)
