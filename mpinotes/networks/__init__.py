"""Networks. They know nothing of diffusion."""

from mpinotes.networks.edsr import EDSR, EDSRConfig
from mpinotes.networks.esrgan import Discriminator, ESRGANConfig, RRDBNet
from mpinotes.networks.seeded import NetworkConfig, build_network, seeded, seeded_network
from mpinotes.networks.unet import UNet, UNetConfig, widen_input

__all__ = [
    "EDSR",
    "Discriminator",
    "EDSRConfig",
    "ESRGANConfig",
    "NetworkConfig",
    "RRDBNet",
    "UNet",
    "UNetConfig",
    "build_network",
    "seeded",
    "seeded_network",
    "widen_input",
]
