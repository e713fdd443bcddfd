"""The convolution of all networks on volumes."""

import torch
from torch import nn


class Conv3d(nn.Conv3d):
    """torch's own, but over one or two layers in the precision of its weights.

    There oneDNN's gradient of a bfloat16 convolution takes up memory that is not its own, and is NaN now and
    then: in 3 to 20 of 100 backward passes over grids of 2³, in none over others (torch 2.13).

    >>> from mpinotes.networks.convolution import Conv3d
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     [Conv3d(1, 1, 3, padding=1)(torch.ones(1, 1, layers, 8, 8)).dtype for layers in (2, 4)]
    [torch.float32, torch.bfloat16]
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[2] <= 2 and x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.to(self.weight.dtype))
        return super().forward(x)
