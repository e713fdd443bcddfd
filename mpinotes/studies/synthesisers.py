"""All matrix methods behind one call: low-gradient components -> estimate of the high-gradient ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from mpinotes.data import MatrixPairs, MatrixSetting
from mpinotes.methods import sm_regression, sm_synthesis
from mpinotes.methods.nearest_neighbour import nearest_neighbour
from mpinotes.methods.recipes import MATRIX_SUFFIXES
from mpinotes.methods.refit import refit_matrix
from mpinotes.methods.released import Trained
from mpinotes.methods.sm_synthesis import TRAINING_CONDITIONS
from mpinotes.methods.wiener import fit_wiener
from mpinotes.physics import order_patterns
from mpinotes.studies.profiles import Profile
from mpinotes.studies.trained import find_trained

TITLES = {
    "sm_unet": "U-Net regression",
    "sm_unet_ordered": "U-Net regression, order told",
    "sm_algorithm1": "Algorithm 1",
    "sm_noised": "noised condition",
    "sm_attenuated": "attenuated condition",
    "sm_null": "learned null",
    "sm_aware": "noise-aware",
    "sm_ordered": "Algorithm 1, order told",
}
"""The networks, by method."""

NETWORK_SPLITS = {"grid": "held-out diameters"}
"""Splits whose training settings are those of another one."""

Synthesise = Callable[[MatrixPairs, Sequence[MatrixSetting]], torch.Tensor]


@dataclass(frozen=True)
class Synthesiser:
    """A method and how it is called: `synthesise` (test pairs and their settings -> components) needs `calls`
    network calls."""

    title: str
    calls: int
    synthesise: Synthesise


def networks(split: str, runs: Path) -> dict[str, Trained]:
    """By short name: the networks trained on a split."""
    suffix = MATRIX_SUFFIXES[NETWORK_SPLITS.get(split, split)]
    found = find_trained([name + suffix for name in TITLES], runs)
    return {name.removesuffix(suffix): trained for name, trained in found.items()}


def synthesisers(profile: Profile, split: str, train: MatrixPairs, runs: Path) -> dict[str, Synthesiser]:
    """By short name: the low-gradient matrix itself, what needs no network, and every network of a split, the
    diffusion models sampled as they were trained, in `profile.matrix_calls` DDIM calls.

    Filter and look-up use the training pairs `train`, whose noise should be that of the test.
    """
    components = profile.matrix_components
    wiener = fit_wiener(train.low, train.high, components)
    rows = {
        "low": Synthesiser("low gradient", 0, lambda pairs, settings: pairs.low),
        "pattern": Synthesiser("pattern of the order", 0, lambda pairs, settings: pattern(pairs)),
        "wiener": Synthesiser("Wiener", 0, lambda pairs, settings: wiener(pairs.low)),
        "nearest_neighbour": Synthesiser(
            "nearest neighbour", 0, lambda pairs, settings: nearest_neighbour(pairs.low, train, components)
        ),
        "refit": Synthesiser("refitted physics", 0, partial(refit, chain="unknown")),
    }
    for name, trained in networks(split, runs).items():
        if name.startswith("sm_unet"):
            rows[name] = Synthesiser(TITLES[name], 1, partial(_regress, trained))
        else:
            synthesise = partial(_diffuse, trained, profile.matrix_calls)
            rows[name] = Synthesiser(TITLES[name], profile.matrix_calls, synthesise)
    return rows


def pattern(pairs: MatrixPairs) -> torch.Tensor:
    """What the mixing order alone says: its pattern, of modulus ≤ 1, in the phase of the low-gradient
    component, from which nothing else is taken."""
    height, width = pairs.low.shape[-2:]
    waves = order_patterns(pairs.orders, (height, width)).to(pairs.low)
    waves = waves / waves.abs().amax((-2, -1), keepdim=True).clamp_min(1e-6)  # that of n = 0 is empty
    phase = (waves * pairs.low).sum((-2, -1), keepdim=True)
    return waves * phase / phase.abs().clamp_min(1e-12)


def refit(pairs: MatrixPairs, settings: Sequence[MatrixSetting], chain: str) -> torch.Tensor:
    """`refit_matrix` for every setting, from components in volts."""
    low = pairs.low_voltage.chunk(len(settings))
    orders = pairs.orders[: len(pairs.orders) // len(settings)]
    matrices = [
        refit_matrix(part, setting, orders, chain=chain)[0] for part, setting in zip(low, settings, strict=True)
    ]
    return torch.cat(matrices).to(pairs.low.dtype)


def _regress(trained: Trained, pairs: MatrixPairs, settings: Sequence[MatrixSetting]) -> torch.Tensor:
    return sm_regression.synthesise(trained.model, pairs.low, pairs.orders, trained.config)


def _diffuse(trained: Trained, steps: int, pairs: MatrixPairs, settings: Sequence[MatrixSetting]) -> torch.Tensor:
    config = trained.config
    # A network that was told weight and level knows the clean condition; so does Algorithm 1's.
    decay = TRAINING_CONDITIONS["clean" if config.told else config.condition]
    return sm_synthesis.synthesise(trained.model, pairs.low, pairs.orders, config, steps=steps, decay=decay)
