"""EDSR in three dimensions: Lim et al., CVPR Workshops (2017)."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from mpinotes.networks.unet import depth_to_space, space_to_depth
from mpinotes.validation import check_count


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
        check_count("width", self.width)
        check_count("blocks", self.blocks)


class HalfGridNetwork(nn.Module):
    """A chain of `blocks`, modules that keep `width` channels, between two skips, on half the resolution.

    Our x_LR comes interpolated on the fine grid, so its cells of 2³ are first folded into channels and
    unfolded at the end: the blocks work where those of a super-resolution network for photographs do.
    Input and output: (batch, 1, z, y, x), even sides. Untrained, it returns zeros.
    """

    def __init__(self, width: int, blocks: Iterable[nn.Module]):
        super().__init__()
        self.head = nn.Conv3d(8, width, 3, padding=1)
        self.body = nn.Sequential(*blocks)
        self.last = nn.Conv3d(width, width, 3, padding=1)
        self.tail = nn.Conv3d(width, 8, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]  # torch's stubs call it optional

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_even_volume(x)
        first = self.head(space_to_depth(x))
        return depth_to_space(self.tail(first + self.last(self.body(first))), 3)


class EDSR(HalfGridNetwork):
    """Residual blocks without normalisation, then a sub-voxel shuffle.

    >>> EDSR(EDSRConfig(width=8, blocks=2))(torch.zeros(1, 1, 4, 6, 8)).shape
    torch.Size([1, 1, 4, 6, 8])
    """

    def __init__(self, config: EDSRConfig):
        super().__init__(
            config.width, (ResidualBlock(config.width, config.residual_scale) for _ in range(config.blocks))
        )
        self.config = config


class ResidualBlock(nn.Module):
    """Two convolutions, whose result is scaled and added."""

    def __init__(self, width: int, scale: float):
        super().__init__()
        self.scale = scale
        self.first = nn.Conv3d(width, width, 3, padding=1)
        self.second = nn.Conv3d(width, width, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.scale * self.second(F.relu(self.first(x)))


def check_even_volume(x: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `x` is (batch, 1, z, y, x) with even sides."""
    if x.ndim != 5 or x.shape[1] != 1 or x.numel() == 0 or any(side % 2 for side in x.shape[2:]):
        raise ValueError(f"x: got shape {tuple(x.shape)}, accepted is (batch, 1, three even sides)")
