"""From a configuration to an untrained network."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from mpinotes.checks import check_count
from mpinotes.networks.edsr import EDSR, EDSRConfig
from mpinotes.networks.esrgan import ESRGANConfig, RRDBNet
from mpinotes.networks.unet import UNet, UNetConfig

_Module = TypeVar("_Module", bound=nn.Module)

NetworkConfig = UNetConfig | EDSRConfig | ESRGANConfig
"""What `build_network` takes."""


def build_network(config: NetworkConfig) -> nn.Module:
    """The network a configuration describes: a U-Net, an EDSR, or the generator of an ESRGAN.

    >>> type(build_network(UNetConfig(widths=(8, 16)))).__name__
    'UNet'
    """
    if isinstance(config, UNetConfig):
        return UNet(config)
    return EDSR(config) if isinstance(config, EDSRConfig) else RRDBNet(config)


def seeded_network(config: NetworkConfig, seed: int) -> nn.Module:
    """An untrained network whose weights depend on `seed` alone.

    >>> config = EDSRConfig(width=8, blocks=1)
    >>> first, second = seeded_network(config, seed=0), seeded_network(config, seed=0)
    >>> torch.equal(first.head.weight, second.head.weight)
    True
    """
    return seeded(lambda: build_network(config), seed)


def seeded(build: Callable[[], _Module], seed: int) -> _Module:
    """What `build` returns when its random numbers depend on `seed` alone: on the CPU, in float32, and
    fit to be trained, also where the caller has set other defaults.

    >>> first, second = (seeded(lambda: torch.nn.Linear(2, 1), seed=0) for _ in range(2))
    >>> torch.equal(first.weight, second.weight)
    True
    """
    check_count("seed", seed, -(2**63), 2**64 - 1)
    dtype = torch.get_default_dtype()  # decides how many random bits a weight takes
    torch.set_default_dtype(torch.float32)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu"), torch.inference_mode(False):
            torch.manual_seed(int(seed))
            return build()
    finally:
        torch.set_default_dtype(dtype)
