"""Trained networks, ready to use."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from mpinotes.checks import check_choice
from mpinotes.files import AnyPath
from mpinotes.methods.method import Method
from mpinotes.methods.registry import METHODS
from mpinotes.networks import seeded_network
from mpinotes.pretrained import FOLDER, load_release
from mpinotes.pretrained.card import from_dict
from mpinotes.training import TrainConfig


@dataclass(frozen=True)
class Trained:
    """A trained `method`, its network, `model`, and the `card` that says where it comes from. Call it to
    apply it.

    >>> trained = load("dccdm")
    >>> trained.method.title, trained.card["seed"]
    ('DCCDM', 0)
    >>> trained(torch.zeros(1, 1, 8, 8, 8), steps=1).shape
    torch.Size([1, 1, 8, 8, 8])
    """

    method: Method
    model: nn.Module
    card: dict[str, Any]

    @property
    def config(self) -> Any:
        """The configuration of the method, as it was trained."""
        return self.method.config

    def __call__(self, *inputs: torch.Tensor, **options: Any) -> torch.Tensor:
        """What the method makes of its inputs: see `ImageMethod.apply` and `MatrixMethod.apply`."""
        return self.method.apply(self.model, *inputs, **options)


def load(name: str, folder: AnyPath = FOLDER) -> Trained:
    """A trained method by name, in evaluation mode on the CPU.

    `folder`: where ``python -m mpinotes train`` wrote it; by default the package's own releases,
    those that `mpinotes.pretrained.released` lists.
    Raises ``ValueError`` for an unknown name or files that are damaged or do not fit together.

    >>> load("dccdm").config.gamma
    0.3
    """
    check_choice("name", name, METHODS)
    weights, card = load_release(name, folder)
    if card.get("method") != name:
        raise ValueError(f"release {name!r} in {folder} is of {card.get('method')!r}: train it again")
    method = METHODS[name]
    try:
        config, training = from_dict(type(method.config), card["config"]), from_dict(TrainConfig, card["training"])
        method = replace(method, config=config, training=training)
        model = seeded_network(method.config.network, seed=0)  # on the CPU, in float32, whatever the defaults
        model.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"release {name!r} in {folder} does not fit its card ({error}): train it again") from error
    return Trained(method, model.eval(), card)
