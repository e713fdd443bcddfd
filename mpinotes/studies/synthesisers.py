"""All matrix methods behind one call: low-gradient components -> estimate of the high-gradient ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from mpinotes.data import MatrixPairs, MatrixSetting
from mpinotes.methods import MATRIX_METHODS, Trained, fit_pattern, fit_wiener, nearest_neighbour, refit_pairs
from mpinotes.physics import DriveIntegrals
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile

SAME_TRAINING = {"grid": "held-out diameters"}
"""Splits whose training settings are those of another one."""

Synthesise = Callable[[MatrixPairs, Sequence[MatrixSetting]], torch.Tensor]


@dataclass(frozen=True)
class Synthesiser:
    """A method: `synthesise` (test pairs and their settings -> components) in `calls` network calls."""

    title: str
    calls: int
    synthesise: Synthesise


def networks(split: str, runs: Path) -> dict[str, Trained]:
    """The networks trained on a split, by variant."""
    split = SAME_TRAINING.get(split, split)
    methods = {method.name: method for method in MATRIX_METHODS if method.split == split}
    return {methods[name].variant: trained for name, trained in find_trained(methods.values(), runs).items()}


def synthesisers(profile: Profile, split: str, train: MatrixPairs, runs: Path) -> dict[str, Synthesiser]:
    """The low-gradient matrix itself, what needs no network, and every network of a split, by variant, the
    diffusion models sampled as they were trained.

    Filter and look-up use the training pairs `train`, whose noise should be that of the test.
    """
    components = profile.matrix_components
    wiener = fit_wiener(train.low, train.high, components)
    rows = {
        "low": Synthesiser("low gradient", 0, lambda pairs, settings: pairs.low),
        "pattern": Synthesiser("pattern of the order", 0, lambda pairs, settings: fit_pattern(pairs.low, pairs.orders)),
        "wiener": Synthesiser("Wiener", 0, lambda pairs, settings: wiener(pairs.low)),
        "nearest_neighbour": Synthesiser(
            "nearest neighbour", 0, lambda pairs, settings: nearest_neighbour(pairs.low, train, components)
        ),
        "refit": Synthesiser("refitted physics", 0, partial(refit_pairs, integrals=DriveIntegrals(capacity=24))),
    }
    for variant, trained in networks(split, runs).items():
        method = profile.shortened(trained.method)
        rows[variant] = Synthesiser(method.title, method.calls, partial(_apply, replace(trained, method=method)))
    return rows


def _apply(trained: Trained, pairs: MatrixPairs, settings: Sequence[MatrixSetting]) -> torch.Tensor:
    return trained(pairs.low, pairs.orders)
