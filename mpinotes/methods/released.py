"""Trained networks, ready to use."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.methods.recipes import METHODS
from mpinotes.methods.sm_synthesis import SynthesisConfig
from mpinotes.networks import UNet
from mpinotes.pretrained import FOLDER, load_release
from mpinotes.pretrained.card import from_dict
from mpinotes.validation import check_choice


@dataclass(frozen=True)
class Trained:
    """A trained `model`, the `config` that goes with it, and its `card`."""

    model: UNet
    config: Any
    card: dict[str, Any]


def load(name: str, folder: Path = FOLDER) -> Trained:
    """A released method by name ("ddpm", "dccdm", "sm_synthesis"), in evaluation mode on the CPU.

    `folder`: where ``python -m mpinotes train`` wrote it; by default the package's own releases.
    Raises ``ValueError`` for an unknown name or files that are damaged or do not fit together.
    """
    check_choice("name", name, METHODS)
    weights, card = load_release(name, folder)
    try:
        config: Any = from_dict(SynthesisConfig if name == "sm_synthesis" else DCCDMConfig, card["config"])
        model = UNet(config.network)
        model.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"release {name!r} in {folder} does not fit its card ({error}): train it again") from error
    return Trained(model.eval(), config, card)
