"""All matrix methods behind one call: low-gradient components -> estimate of the high-gradient ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from mpinotes.data import PAPER_TEST, PARTICLE_SPLITS, MatrixPairs, MatrixSetting, ParticleSetting, believed_setting
from mpinotes.methods import (
    MATRIX_METHODS,
    METHODS,
    Trained,
    fit_pattern,
    fit_wiener,
    nearest_neighbour,
    refit_pairs,
    refit_settings,
)
from mpinotes.physics import DriveIntegrals
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile

SAME_TRAINING = {"grid": "held-out diameters"}
"""Splits whose training settings are those of another one."""

AnySettings = Sequence[MatrixSetting] | Sequence[ParticleSetting]
Synthesise = Callable[[MatrixPairs, AnySettings], torch.Tensor]


@dataclass(frozen=True)
class Synthesiser:
    """A method: `synthesise` (test pairs and their settings -> components) in `calls` network calls."""

    title: str
    calls: int
    synthesise: Synthesise


def networks(split: str, runs: Path) -> dict[str, Trained]:
    """The networks trained on a split, by variant."""
    names = _names(split)
    found = find_trained((METHODS[name] for name in names), runs)
    return {names[name]: trained for name, trained in found.items()}


def repeated_networks(split: str, runs: Path) -> list[dict[str, Trained]]:
    """Other trainings of the same, in `runs`/NAME_1, then `runs`/NAME_2, …: as many as there are, by variant."""
    names = _names(split)
    trainings: list[dict[str, Trained]] = []
    suffix = "_1"
    while here := [name for name in names if (runs / f"{name}{suffix}" / f"{name}.safetensors").is_file()]:
        found = find_trained((METHODS[name] for name in here), runs, suffix)
        trainings.append({names[name]: trained for name, trained in found.items()})
        suffix = f"_{len(trainings) + 1}"
    return trainings


def _names(split: str) -> dict[str, str]:
    """Variants of the networks of a split, by name."""
    split = SAME_TRAINING.get(split, split)
    return {method.name: method.variant for method in MATRIX_METHODS if method.split == split}


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
        **(_tracer_refits() if split in PARTICLE_SPLITS else _core_refit()),
    }
    for variant, trained in networks(split, runs).items():
        rows[variant] = of_network(trained, profile)
    return rows


def of_network(trained: Trained, profile: Profile) -> Synthesiser:
    """A network as a method, sampled as it was trained."""
    method = profile.shortened(trained.method)
    short = replace(trained, method=method)
    return Synthesiser(method.title, method.calls, lambda pairs, settings: short(pairs.low, pairs.orders))


def _core_refit() -> dict[str, Synthesiser]:
    integrals = DriveIntegrals(capacity=24)

    def synthesise(pairs: MatrixPairs, settings: AnySettings) -> torch.Tensor:
        return refit_pairs(pairs, [s for s in settings if isinstance(s, MatrixSetting)], integrals=integrals)

    return {"refit": Synthesiser("refitted physics", 0, synthesise)}


def _tracer_refits() -> dict[str, Synthesiser]:
    """What physics can do for particles with an easy axis, by how much of it is known."""
    integrals = DriveIntegrals(capacity=24)

    def isotropic(pairs: MatrixPairs, settings: AnySettings) -> torch.Tensor:
        return refit_pairs(pairs, [PAPER_TEST] * len(settings), integrals=integrals)

    def anisotropic(pairs: MatrixPairs, settings: AnySettings, error: float) -> torch.Tensor:
        tracers = [setting for setting in settings if isinstance(setting, ParticleSetting)]
        return refit_settings(pairs, [believed_setting(setting, error) for setting in tracers])

    return {
        "refit": Synthesiser("refitted diameter, no easy axis", 0, isotropic),
        "refit_nominal": Synthesiser("refitted diameter and anisotropy", 0, partial(anisotropic, error=1.0)),
        "refit_known": Synthesiser("the same, all else known", 0, partial(anisotropic, error=0.0)),
    }
