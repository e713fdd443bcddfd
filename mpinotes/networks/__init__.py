"""Networks. They know nothing of diffusion."""

from mpinotes.networks.unet import UNet, UNetConfig, seeded_unet

__all__ = ["UNet", "UNetConfig", "seeded_unet"]
