"""All image methods behind one call: x_LR -> estimate of x_HR."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from mpinotes.methods import dccdm, regression
from mpinotes.methods.mirrors import mirror_mean
from mpinotes.methods.released import Trained

TITLES = {"edsr": "EDSR", "unet": "3D U-Net", "esrgan": "ESRGAN", "ddpm": "3D DDPM", "dccdm": "DCCDM"}
"""The five methods of Table 1, in its order."""


@dataclass(frozen=True)
class Enhancer:
    """A trained method and how it is called: `enhance` needs `calls` network calls per volume."""

    title: str
    calls: int
    trained: Trained
    enhance: Callable[[torch.Tensor], torch.Tensor]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(parameter.numel() for parameter in self.trained.model.parameters())


def enhancers(methods: dict[str, Trained], steps: int) -> dict[str, Enhancer]:
    """By short name: every method as it is tested, `steps` calls for the diffusion models; and the mean over
    mirror images, eight calls, of the DDPM at one call each and of the U-Net."""
    single = {name: _single_call(name, trained) for name, trained in methods.items()}
    rows = {}
    for name, trained in methods.items():
        if name in ("ddpm", "dccdm"):
            rows[name] = Enhancer(TITLES[name], steps, trained, partial(_diffuse, trained, steps))
        else:
            rows[name] = Enhancer(TITLES[name], 1, trained, single[name])
    for name in ("ddpm", "unet"):
        if name in methods:
            title = f"{TITLES[name]}, mirrors"
            rows[f"{name}_mirrors"] = Enhancer(title, 8, methods[name], partial(mirror_mean, single[name]))
    return rows


def _single_call(name: str, trained: Trained) -> Callable[[torch.Tensor], torch.Tensor]:
    if name in ("ddpm", "dccdm"):
        return partial(_diffuse, trained, 1)
    return partial(regression.enhance, trained.model)


def _diffuse(trained: Trained, steps: int, x_lr: torch.Tensor) -> torch.Tensor:
    return dccdm.enhance(trained.model, x_lr, trained.config, steps=steps)
