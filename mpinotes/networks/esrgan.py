"""ESRGAN in three dimensions: Wang et al., ECCV Workshops (2018)."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from mpinotes.checks import check_count, make_plain
from mpinotes.networks.convolution import Conv3d
from mpinotes.networks.half_grid import HalfGridNetwork, check_even_volume
from mpinotes.networks.unet import space_to_depth


@dataclass(frozen=True)
class ESRGANConfig:
    """Shape of generator and discriminator: `blocks` RRDBs of `width` channels, growing by `growth`;
    `critic_width` channels in the discriminator's first stage, twice as many in each of the next two.

    >>> network = build_network(ESRGANConfig(width=8, growth=4, blocks=1))
    >>> sum(parameter.numel() for parameter in network.parameters())
    38976
    """

    width: int = 48
    growth: int = 32
    blocks: int = 2
    critic_width: int = 24

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("width", "growth", "blocks", "critic_width"):
            check_count(name, getattr(self, name))


class RRDBNet(HalfGridNetwork):
    """The generator: residual-in-residual dense blocks.

    Input and output: (batch, 1, z, y, x), even sides.

    >>> RRDBNet(ESRGANConfig(width=8, growth=4, blocks=1))(torch.zeros(1, 1, 4, 6, 8)).shape
    torch.Size([1, 1, 4, 6, 8])
    """

    def __init__(self, config: ESRGANConfig):
        super().__init__(config.width, (RRDB(config.width, config.growth) for _ in range(config.blocks)))


class RRDB(nn.Module):
    """Three dense blocks; what they add is scaled by 0.2 once more."""

    def __init__(self, width: int, growth: int):
        super().__init__()
        self.blocks = nn.Sequential(*(DenseBlock(width, growth) for _ in range(3)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.2 * (self.blocks(x) - x)


class DenseBlock(nn.Module):
    """Five convolutions, each seeing all before it; the sum is scaled by 0.2 as in the source."""

    def __init__(self, width: int, growth: int):
        super().__init__()
        self.convs = nn.ModuleList(
            Conv3d(width + i * growth, growth if i < 4 else width, 3, padding=1) for i in range(5)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x
        for conv in self.convs[:-1]:
            seen = torch.cat([seen, F.leaky_relu(conv(seen), 0.2)], dim=1)
        return x + 0.2 * self.convs[-1](seen)


class Discriminator(nn.Module):
    """Three strided stages and a score per volume, (batch,), with the features of each stage: they
    stand in for the VGG features of the source, which know photographs and two dimensions.

    >>> network = Discriminator(ESRGANConfig(critic_width=4))
    >>> scores, features = network(torch.zeros(2, 1, 8, 8, 8))
    >>> scores.shape, [tuple(feature.shape) for feature in features]
    (torch.Size([2]), [(2, 4, 4, 4, 4), (2, 8, 2, 2, 2), (2, 16, 1, 1, 1), (2, 16, 1, 1, 1)])
    """

    def __init__(self, config: ESRGANConfig):
        super().__init__()
        w = config.critic_width
        self.stages = nn.ModuleList(
            Conv3d(a, b, 3, stride=stride, padding=1)
            for a, b, stride in ((8, w, 1), (w, 2 * w, 2), (2 * w, 4 * w, 2), (4 * w, 4 * w, 1))
        )
        self.score = nn.Linear(4 * w, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        check_even_volume(x)
        h, features = space_to_depth(x), []
        for stage in self.stages:
            h = F.leaky_relu(stage(h), 0.2)
            features.append(h)
        return self.score(h.mean((2, 3, 4))).squeeze(1), features
