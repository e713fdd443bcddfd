"""MONAI's network, which only `make bench` installs."""

import torch
from monai.networks.nets import DiffusionModelUNet


class MonaiUNet(torch.nn.Module):
    """MONAI's diffusion U-Net of the same depth, as its users call it, behind our calling convention."""

    def __init__(self) -> None:
        super().__init__()
        self.network = DiffusionModelUNet(
            spatial_dims=3,
            in_channels=2,
            out_channels=1,
            channels=(32, 48, 64),
            attention_levels=(False, False, False),
            num_res_blocks=2,
            num_head_channels=8,
            norm_num_groups=8,
        )

    def forward(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return self.network(x, timesteps=t)
