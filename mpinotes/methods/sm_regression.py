"""Regression from low- to high-gradient components: the network of the diffusion model, called once.

Of a `SynthesisConfig` that predicts x̂_0 it follows `network` and `condition_on_order`; the rest concerns
diffusion alone.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mpinotes.methods.inference import evaluating
from mpinotes.methods.method import MatrixMethod
from mpinotes.methods.sm_synthesis import (
    SynthesisConfig,
    align_phase,
    check_components,
    predict_x0,
    to_channels,
    to_components,
    to_training_channels,
)


def loss(model: nn.Module, drawn: tuple[torch.Tensor, ...], config: SynthesisConfig) -> dict[str, torch.Tensor]:
    """Squared error on (low, high, orders), components as real channels, see `sm_synthesis.to_training_channels`.

    >>> from mpinotes.networks import seeded_network
    >>> config = sm_synthesis.SynthesisConfig()
    >>> model = seeded_network(config.network, seed=0)
    >>> low, orders = torch.ones(2, 4, 8, 8), torch.tensor([[2, 0], [1, 1]])
    >>> sm_regression.loss(model, (low, low, orders), config)
    {'total': tensor(1., grad_fn=<MeanBackward0>)}
    """
    low, high, orders = drawn
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
    with evaluating(model), torch.no_grad():
        channels = _estimate(model, to_channels(low * turn).to(device), orders.to(device), config)
    return to_components(channels).to(low) / turn


def _estimate(model: nn.Module, low: torch.Tensor, orders: torch.Tensor, config: SynthesisConfig) -> torch.Tensor:
    t = torch.zeros(len(low), dtype=torch.int64, device=low.device)
    return predict_x0(model, torch.zeros_like(low), t, low, low.new_zeros(len(low), 2), orders, config)


@dataclass(frozen=True)
class MatrixRegressionMethod(MatrixMethod):
    """The regression of components as a `Method`."""

    config: SynthesisConfig

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return to_training_channels(batch, generator)

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        return loss(model, drawn, self.config)

    def apply(self, model: nn.Module, low: torch.Tensor, orders: torch.Tensor, **options: Any) -> torch.Tensor:
        return synthesise(model, low, orders, self.config, **options)
