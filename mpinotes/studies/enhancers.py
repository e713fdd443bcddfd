"""All image methods behind one call: x_LR -> estimate of x_HR."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from mpinotes.methods import Trained, mirror_mean

MIRRORED = ("ddpm", "unet")
"""Methods that are tested by their mean over mirror images, too."""


@dataclass(frozen=True)
class Enhancer:
    """A trained method: `enhance` needs `calls` network calls per volume."""

    title: str
    calls: int
    trained: Trained
    enhance: Callable[[torch.Tensor], torch.Tensor]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.trained.model.parameters())


def enhancers(methods: dict[str, Trained]) -> dict[str, Enhancer]:
    """Every method by name, with as many calls as it is made for; and NAME_mirrors, the mean over mirror
    images, eight calls, of those that are `MIRRORED`, a diffusion model with one call each."""
    rows = {
        name: Enhancer(trained.method.title, trained.method.calls, trained, trained)
        for name, trained in methods.items()
    }
    for name in MIRRORED:
        if name in methods:
            trained = methods[name]
            once = trained if trained.method.calls == 1 else partial(trained, steps=1)
            title = f"{trained.method.title}, mirrors"
            rows[f"{name}_mirrors"] = Enhancer(title, 8, trained, partial(mirror_mean, once))
    return rows
