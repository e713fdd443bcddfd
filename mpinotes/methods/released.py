"""Trained networks, ready to use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from mpinotes.checks import check_choice
from mpinotes.methods.adversarial import AdversarialConfig
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.methods.recipes import METHODS
from mpinotes.methods.regression import RegressionConfig
from mpinotes.methods.sm_synthesis import SynthesisConfig
from mpinotes.networks import build_network
from mpinotes.pretrained import FOLDER, load_release
from mpinotes.pretrained.card import from_dict

CONFIGURATIONS: dict[str, type] = {
    "ddpm": DCCDMConfig,
    "dccdm": DCCDMConfig,
    "unet": RegressionConfig,
    "edsr": RegressionConfig,
    "esrgan": AdversarialConfig,
}
CONFIGURATIONS |= {name: SynthesisConfig for name in METHODS if name.startswith("sm_")}
"""What the card of each method holds under "config"."""


@dataclass(frozen=True)
class Trained:
    """A trained `model`, the `config` that goes with it, and its `card`.

    >>> trained = load("dccdm")
    >>> trained.model.training, trained.card["method"]
    (False, 'dccdm')
    """

    model: nn.Module
    config: Any
    card: dict[str, Any]


def load(name: str, folder: Path = FOLDER) -> Trained:
    """A trained method by name, in evaluation mode on the CPU.

    `folder`: where ``python -m mpinotes train`` wrote it; by default the package's own releases,
    those that `mpinotes.pretrained.released` lists.
    Raises ``ValueError`` for an unknown name or files that are damaged or do not fit together.

    >>> load("dccdm").config.gamma
    0.3
    """
    check_choice("name", name, CONFIGURATIONS)
    weights, card = load_release(name, folder)
    try:
        config: Any = from_dict(CONFIGURATIONS[name], card["config"])
        model = build_network(config.network)
        model.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"release {name!r} in {folder} does not fit its card ({error}): train it again") from error
    return Trained(model.eval(), config, card)
