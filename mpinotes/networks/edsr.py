"""EDSR in three dimensions: Lim et al., CVPR Workshops (2017)."""

from dataclasses import dataclass

import torch
from torch import nn

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


class EDSR(nn.Module):
    """Residual blocks without normalisation on a grid of half the resolution, then a sub-voxel shuffle.

    Our x_LR comes interpolated on the fine grid, so its cells of 2³ are first folded into channels:
    the body works where the original's does. Input and output: (batch, 1, z, y, x), even sides.

    >>> EDSR(EDSRConfig(width=8, blocks=2))(torch.zeros(1, 1, 4, 6, 8)).shape
    torch.Size([1, 1, 4, 6, 8])
    """

    def __init__(self, config: EDSRConfig):
        super().__init__()
        self.config = config
        self.head = nn.Conv3d(8, config.width, 3, padding=1)
        self.body = nn.ModuleList(
            nn.Sequential(
                nn.Conv3d(config.width, config.width, 3, padding=1),
                nn.ReLU(),
                nn.Conv3d(config.width, config.width, 3, padding=1),
            )
            for _ in range(config.blocks)
        )
        self.last = nn.Conv3d(config.width, config.width, 3, padding=1)
        self.tail = nn.Conv3d(config.width, 8, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]  # torch's stubs call it optional

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_even_volume(x)
        first = self.head(space_to_depth(x))
        h = first
        for block in self.body:
            h = h + self.config.residual_scale * block(h)
        return depth_to_space(self.tail(first + self.last(h)), 3)


def check_even_volume(x: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `x` is (batch, 1, z, y, x) with even sides."""
    if x.ndim != 5 or x.shape[1] != 1 or x.numel() == 0 or any(side % 2 for side in x.shape[2:]):
        raise ValueError(f"x: got shape {tuple(x.shape)}, accepted is (batch, 1, three even sides)")
