"""From a configuration to an untrained network."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from mpinotes.networks.edsr import EDSR, EDSRConfig
from mpinotes.networks.esrgan import ESRGANConfig, RRDBNet
from mpinotes.networks.unet import UNet, UNetConfig

_Module = TypeVar("_Module", bound=nn.Module)

NetworkConfig = UNetConfig | EDSRConfig | ESRGANConfig


def build_network(config: NetworkConfig) -> nn.Module:
    """The network a configuration describes: a U-Net, an EDSR, or the generator of an ESRGAN."""
    if isinstance(config, UNetConfig):
        return UNet(config)
    return EDSR(config) if isinstance(config, EDSRConfig) else RRDBNet(config)


def seeded_network(config: NetworkConfig, seed: int) -> nn.Module:
    """An untrained network whose weights depend on `seed` alone."""
    return seeded(lambda: build_network(config), seed)


def seeded(build: Callable[[], _Module], seed: int) -> _Module:
    """What `build` returns when its random numbers depend on `seed` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
