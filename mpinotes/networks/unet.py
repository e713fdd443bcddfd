"""One U-Net for images and volumes, conditioned on the diffusion step."""

import copy
import math
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from mpinotes.checks import check_count, check_kind, check_several, make_plain
from mpinotes.networks.convolution import Conv3d


@dataclass(frozen=True)
class UNetConfig:
    """Shape of the U-Net.

    :param dims: 2 (images) or 3 (volumes)
    :param in_channels: sample and condition together
    :param out_channels: of the result
    :param widths: channels per level, each half the resolution of the one before; the first level
        already sits at half the input's resolution, behind a space-to-depth stem
    :param blocks: per level and side

    >>> network = build_network(UNetConfig(dims=2, widths=(8, 16)))
    >>> sum(parameter.numel() for parameter in network.parameters())
    14692
    """

    dims: int = 3
    in_channels: int = 2
    out_channels: int = 1
    widths: tuple[int, ...] = (32, 64, 128)
    blocks: int = 1

    def __post_init__(self) -> None:
        make_plain(self)
        check_count("dims", self.dims, 2, 3)
        check_several("widths", self.widths, range(1, 11), "multiples of 8, one for each level")
        if any(not isinstance(width, int) or width % 8 or width < 1 for width in self.widths):
            raise ValueError(f"widths: got {self.widths}, accepted are multiples of 8")
        for name in ("in_channels", "out_channels", "blocks"):
            check_count(name, getattr(self, name))


class UNet(nn.Module):
    """U-Net (Ronneberger et al. 2015) with residual blocks modulated by the step (Dhariwal & Nichol
    2021), and a space-to-depth stem (Shi et al. 2016), which makes a step about eight times cheaper
    in 3D. Input (batch, in_channels, …), step t (batch,), 0 where there is none, as in a regression;
    output (batch, out_channels, …).

    >>> network = UNet(UNetConfig(dims=3, in_channels=2, widths=(8, 16)))
    >>> network(torch.zeros(1, 2, 8, 8, 8), torch.tensor([500])).shape
    torch.Size([1, 1, 8, 8, 8])
    """

    def __init__(self, config: UNetConfig):
        super().__init__()
        self.config = config
        conv = Conv3d if config.dims == 3 else nn.Conv2d
        cells, embedding = 2**config.dims, 4 * config.widths[0]
        self.embed = nn.Sequential(nn.Linear(64, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU())
        self.stem = conv(config.in_channels * cells, config.widths[0], 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        self.shrink, self.grow = nn.ModuleList(), nn.ModuleList()

        def stage(width: int, target: int) -> nn.ModuleList:
            widths = [width] + [target] * config.blocks
            return nn.ModuleList(ResidualBlock(conv, a, b, embedding) for a, b in pairwise(widths))

        width = config.widths[0]
        for target in config.widths[:-1]:
            self.down.append(stage(width, target))
            self.shrink.append(conv(target, target, 3, stride=2, padding=1))
            width = target
        self.middle = stage(width, config.widths[-1])
        width = config.widths[-1]
        for target in reversed(config.widths[:-1]):
            self.grow.append(conv(width, target, 3, padding=1))
            self.up.append(stage(2 * target, target))
            width = target
        self.norm = nn.GroupNorm(8, width)
        self.head = conv(width, config.out_channels * cells, 3, padding=1)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: torch.Tensor, t: torch.Tensor | None = None) -> torch.Tensor:
        self._check(x)
        t = torch.zeros(len(x), device=x.device) if t is None else t
        step = self.embed(step_embedding(t, 64).to(x.dtype))
        x, skips = self.stem(space_to_depth(x)), []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            x = _through(blocks, x, step)
            skips.append(x)
            x = shrink(x)
        x = _through(self.middle, x, step)
        for blocks, grow in zip(self.up, self.grow, strict=True):
            x = grow(F.interpolate(x, scale_factor=2, mode="nearest"))
            x = _through(blocks, torch.cat([x, skips.pop()], dim=1), step)
        return depth_to_space(self.head(F.silu(self.norm(x))), self.config.dims)

    def _check(self, x: torch.Tensor) -> None:
        config, multiple = self.config, 2 ** len(self.config.widths)
        wrong_side = x.ndim == config.dims + 2 and any(side % multiple for side in x.shape[2:])
        if x.ndim != config.dims + 2 or x.shape[1] != config.in_channels or wrong_side or x.numel() == 0:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, accepted is (batch, {config.in_channels}, "
                f"{config.dims} sides that are multiples of {multiple})"
            )


def widen_input(network: UNet, in_channels: int) -> UNet:
    """The same network with more input channels, all in all `in_channels`, that it does not look at yet: their
    weights are zero, and a training can go on from here, wherever this is called. What is frozen stays so.

    >>> network = UNet(UNetConfig(dims=2, in_channels=1, widths=(8, 16)))
    >>> _ = torch.nn.init.normal_(network.head.weight)  # it starts at zero, and nothing would depend on x
    >>> wide, x = widen_input(network, 3), torch.rand(1, 3, 8, 8)
    >>> torch.allclose(wide(x), network(x[:, :1]), atol=1e-5)
    True
    >>> wide.config.in_channels, wide.stem.weight[:, 4:].abs().max().item()  # 2 × 2 pixels of each channel
    (3, 0.0)
    """
    check_kind("network", network, UNet)
    config = network.config
    check_count("in_channels", in_channels, config.in_channels)
    with torch.inference_mode(False):  # what is made for inference alone can never be trained
        wide = copy.deepcopy(network)
        wide.config = replace(config, in_channels=in_channels)
        stem = wide.stem
        old = stem.weight.detach()
        new = old.new_zeros(len(old), (in_channels - config.in_channels) * 2**config.dims, *old.shape[2:])
        stem.weight = nn.Parameter(torch.cat([old, new], dim=1), requires_grad=stem.weight.requires_grad)
        stem.in_channels = stem.weight.shape[1]
    return wide


class ResidualBlock(nn.Module):
    """Norm, SiLU, convolution twice, scaled and shifted by the step in between."""

    def __init__(self, conv: type[nn.Module], width: int, target: int, embedding: int):
        super().__init__()
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, target)
        self.conv1, self.conv2 = conv(width, target, 3, padding=1), conv(target, target, 3, padding=1)
        self.modulation = nn.Linear(embedding, 2 * target)
        self.shortcut = conv(width, target, 1) if width != target else nn.Identity()

    def forward(self, x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.modulation(step).view(*step.shape[:1], -1, *[1] * (x.ndim - 2)).chunk(2, dim=1)
        h = self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift))
        return self.shortcut(x) + h


def _through(blocks: nn.Module, x: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    for block in blocks.children():
        x = block(x, step)
    return x


def step_embedding(t: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of the step at geometric frequencies (Vaswani et al. 2017), (batch, width)."""
    number = torch.arange(width // 2, dtype=torch.float32, device=t.device)
    frequency = torch.exp(-math.log(10000) * number / (width // 2))
    phase = t.float()[:, None] * frequency
    return torch.cat([phase.sin(), phase.cos()], dim=1)


def space_to_depth(x: torch.Tensor) -> torch.Tensor:
    """Fold every cell of 2 per axis into channels: (batch, c, …) -> (batch, c·2^dims, …/2)."""
    for axis in range(2, x.ndim):
        x = x.unflatten(axis, (-1, 2)).movedim(axis + 1, 2).flatten(1, 2)
    return x


def depth_to_space(x: torch.Tensor, dims: int) -> torch.Tensor:
    """The inverse of `space_to_depth`."""
    for axis in reversed(range(2, dims + 2)):
        x = x.unflatten(1, (-1, 2)).movedim(2, axis + 1).flatten(axis, axis + 1)
    return x
