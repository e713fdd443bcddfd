"""What EDSR and the generator of ESRGAN share: a chain of blocks on half the resolution."""

from collections.abc import Iterable

import torch
from torch import nn

from mpinotes.networks.convolution import Conv3d
from mpinotes.networks.unet import depth_to_space, space_to_depth


class HalfGridNetwork(nn.Module):
    """A chain of `blocks`, modules that keep `width` channels, between two skips, on half the resolution.

    Our x_LR comes interpolated on the fine grid, so its cells of 2³ are first folded into channels and
    unfolded at the end: the blocks work where those of a super-resolution network for photographs do.
    Input and output: (batch, 1, z, y, x), even sides. Untrained, it returns zeros.
    """

    def __init__(self, width: int, blocks: Iterable[nn.Module]):
        super().__init__()
        self.head = Conv3d(8, width, 3, padding=1)
        self.body = nn.Sequential(*blocks)
        self.last = Conv3d(width, width, 3, padding=1)
        self.tail = Conv3d(width, 8, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]  # torch's stubs call it optional

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_even_volume(x)
        first = self.head(space_to_depth(x))
        return depth_to_space(self.tail(first + self.last(self.body(first))), 3)


def check_even_volume(x: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `x` is (batch, 1, z, y, x) with even sides."""
    if x.ndim != 5 or x.shape[1] != 1 or x.numel() == 0 or any(side % 2 for side in x.shape[2:]):
        raise ValueError(f"x: got shape {tuple(x.shape)}, accepted is (batch, 1, three even sides)")
