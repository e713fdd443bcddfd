"""Regression from x_LR to x_HR in one network call: the 3D U-Net and EDSR of Qiu et al. (2026), Table 1."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from mpinotes.checks import check_choice, check_count, check_images, make_plain
from mpinotes.methods.inference import evaluating
from mpinotes.methods.method import ImageMethod
from mpinotes.methods.mirrors import flip_together
from mpinotes.networks import NetworkConfig, UNet
from mpinotes.training import forward


@dataclass(frozen=True)
class RegressionConfig:
    """A `network` that says what to add to x_LR, and the `norm` of its error: "l2" or "l1".

    EDSR is trained with L1 by its authors. For the U-Net the paper names no loss; the squared error
    is the one whose optimum is the posterior mean, the best PSNR there is.

    >>> from mpinotes.methods import regression
    >>> from mpinotes.networks import EDSRConfig
    >>> regression.RegressionConfig(EDSRConfig(), norm="l1").network.blocks
    14
    """

    network: NetworkConfig
    norm: str = "l2"

    def __post_init__(self) -> None:
        make_plain(self)
        check_choice("norm", self.norm, ("l2", "l1"))


def loss(model: nn.Module, drawn: tuple[torch.Tensor, ...], config: RegressionConfig) -> dict[str, torch.Tensor]:
    """Error on pairs (x_LR, x_HR) in [0, 1], compared in [-1, 1].

    >>> from mpinotes.methods import regression
    >>> from mpinotes.networks import EDSRConfig, seeded_network
    >>> config = regression.RegressionConfig(EDSRConfig(width=8, blocks=1), norm="l1")
    >>> model = seeded_network(config.network, seed=0)
    >>> x_lr, x_hr = torch.zeros(2, 1, 8, 8, 8), torch.ones(2, 1, 8, 8, 8)
    >>> regression.loss(model, (x_lr, x_hr), config)["total"].item()
    2.0
    """
    x_lr, x_hr = drawn
    error = 2 * (estimate(model, x_lr) - x_hr)
    return {"total": error.square().mean() if config.norm == "l2" else error.abs().mean()}


def estimate(model: nn.Module, x_lr: torch.Tensor) -> torch.Tensor:
    """x_LR plus half of what the network sees in it, on the scale [-1, 1]; not clipped. Behind the first channel
    of `x_lr` there may be others, further images of the same scan, which the network sees, too.

    >>> from mpinotes.methods import regression
    >>> from mpinotes.networks import EDSRConfig, seeded_network
    >>> config = regression.RegressionConfig(EDSRConfig(width=8, blocks=1), norm="l1")
    >>> model = seeded_network(config.network, seed=0)
    >>> regression.estimate(model, torch.zeros(2, 1, 8, 8, 8)).shape
    torch.Size([2, 1, 8, 8, 8])
    """
    return x_lr[:, :1] + forward(model, 2 * x_lr - 1) / 2


def enhance(model: nn.Module, x_lr: torch.Tensor, *, batch: int = 16) -> torch.Tensor:
    """Estimate x_HR from x_LR, both (batch, 1, z, y, x) in [0, 1], in one network call. Behind the first channel
    of `x_lr` there may be others, as many as the network was trained with.

    >>> from mpinotes.methods import regression
    >>> from mpinotes.networks import EDSRConfig, seeded_network
    >>> config = regression.RegressionConfig(EDSRConfig(width=8, blocks=1), norm="l1")
    >>> model = seeded_network(config.network, seed=0)
    >>> regression.enhance(model, torch.zeros(2, 1, 8, 8, 8)).shape
    torch.Size([2, 1, 8, 8, 8])
    """
    check_images("x_lr", x_lr, model.config.in_channels if isinstance(model, UNet) else 1)
    check_count("batch", batch)
    device = next(model.parameters()).device
    with evaluating(model), torch.no_grad():
        return torch.cat([estimate(model, part.to(device)).clamp(0, 1).to(x_lr) for part in x_lr.split(batch)])


@dataclass(frozen=True)
class RegressionMethod(ImageMethod):
    """The 3D U-Net or EDSR as a `Method`."""

    config: RegressionConfig

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return flip_together(batch, generator)

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        return loss(model, drawn, self.config)

    def apply(self, model: nn.Module, x_lr: torch.Tensor, **options: Any) -> torch.Tensor:
        return enhance(model, x_lr, **options)
