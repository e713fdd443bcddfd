"""EDSR in three dimensions: Lim et al., CVPR Workshops (2017)."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from mpinotes.checks import check_count, check_range, make_plain
from mpinotes.networks.convolution import Conv3d
from mpinotes.networks.half_grid import HalfGridNetwork


@dataclass(frozen=True)
class EDSRConfig:
    """Shape of the network: `blocks` residual blocks of `width` channels, whose sum is multiplied by
    `residual_scale` (0.1 in the source, for networks of 256 channels; narrow ones do without).

    >>> network = build_network(EDSRConfig(width=8, blocks=2))
    >>> sum(parameter.numel() for parameter in network.parameters())
    12152
    """

    width: int = 64
    blocks: int = 14
    residual_scale: float = 1.0

    def __post_init__(self) -> None:
        make_plain(self)
        check_count("width", self.width)
        check_count("blocks", self.blocks)
        check_range("residual_scale", self.residual_scale, 0.0)


class EDSR(HalfGridNetwork):
    """Residual blocks without normalisation, then a sub-voxel shuffle.

    >>> EDSR(EDSRConfig(width=8, blocks=2))(torch.zeros(1, 1, 4, 6, 8)).shape
    torch.Size([1, 1, 4, 6, 8])
    """

    def __init__(self, config: EDSRConfig):
        super().__init__(
            config.width, (ResidualBlock(config.width, config.residual_scale) for _ in range(config.blocks))
        )


class ResidualBlock(nn.Module):
    """Two convolutions, whose result is scaled and added."""

    def __init__(self, width: int, scale: float):
        super().__init__()
        self.scale = scale
        self.first = Conv3d(width, width, 3, padding=1)
        self.second = Conv3d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale * self.second(F.relu(self.first(x)))
