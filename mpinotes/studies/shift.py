"""Noise and scanners the networks never saw."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import TEST_SEED, Imaging, available_vessels, image_pairs, synthetic_vessels
from mpinotes.methods import IMAGE_METHODS
from mpinotes.physics import ScanSignal, add_coloured_noise, add_drifting_background, add_impulsive_noise
from mpinotes.studies.enhancers import enhancers
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject, image_scores

Disturbance = Callable[[ScanSignal, torch.Generator], ScanSignal]

STUDY = "shift"

AS_TRAINED = "white/1"
"""The condition of the training."""

OTHER_TITLES = {
    "synthetic": "synthetic vessels",
    "drive_10_12": "drive 10 to 12 kHz",
    "drive_50_60": "drive 50 to 60 kHz",
    "gradient/1": "gradient 1 T/m",
    "gradient/2": "gradient 2 T/m",
}
"""Of conditions that are no level of noise."""


@dataclass(frozen=True)
class Case:
    """One test condition: `volumes` and what happens to their voltages."""

    volumes: torch.Tensor
    disturb: Disturbance


def cases(real: torch.Tensor) -> dict[str, tuple[dict[str, Any], dict[str, Case]]]:
    """By scanner: what of the scan changes, and its cases by condition. Levels are in noises of the training."""
    level = Imaging().scan.noise

    def white(factor: float) -> Disturbance:
        return lambda signal, generator: add_coloured_noise(signal, factor * level, exponent=0.0, generator=generator)

    def other(add: Callable[..., ScanSignal], factor: float) -> Disturbance:
        return lambda signal, generator: add(signal, factor * level, generator=generator)

    def with_white(disturb: Disturbance) -> Disturbance:
        return lambda signal, generator: white(1.0)(disturb(signal, generator), generator)

    trained = {f"white/{factor:g}": Case(real, white(factor)) for factor in (1.0, 0.5, 2.0, 4.0)}
    for kind, add in (("coloured", add_coloured_noise), ("impulsive", add_impulsive_noise)):
        trained |= {f"{kind}/{factor:g}": Case(real, other(add, factor)) for factor in (1.0, 2.0, 4.0)}
    for factor in (1.0, 2.0, 4.0):
        trained[f"background/{factor:g}"] = Case(real, with_white(other(add_drifting_background, factor)))
    trained["synthetic"] = Case(synthetic_vessels(len(real), seed=TEST_SEED).round(), white(1.0))
    scanners: dict[str, dict[str, Any]] = {
        "drive_10_12": {"drive_frequency": (10e3, 12e3)},
        "drive_50_60": {"drive_frequency": (50e3, 60e3)},
        "gradient/1": {"gradient": (1.0, 1.0, -2.0)},
        "gradient/2": {"gradient": (2.0, 2.0, -4.0)},
    }
    changed = {name: (scan, {name: Case(real, white(1.0))}) for name, scan in scanners.items()}
    return {"as_trained": ({}, trained), **changed}


def run(profile: Profile, runs: Path) -> Record:
    """PSNR and SSIM of every method under every condition, on the first `profile.shift_volumes` test volumes.

    The reconstruction knows the scan it is given, not the disturbance: λ stays that of the training.
    """
    methods = enhancers(find_trained(IMAGE_METHODS, runs))
    test = available_vessels("test", profile.shift_volumes)
    titles = {"x_lr": "x_LR"} | {key: method.title for key, method in methods.items()}
    rows: list[Row] = []
    for scan, named in cases(test.volumes).values():
        for (condition, case), x_lr in zip(named.items(), _images(scan, list(named.values())), strict=True):
            titles[condition] = OTHER_TITLES.get(condition, condition.replace("/", " × "))
            images = {"x_lr": x_lr} | {key: method.enhance(x_lr) for key, method in methods.items()}
            for key, image in images.items():
                rows += Subject(STUDY, key, condition).means(image_scores(image, case.volumes))
            shown = [row for row in rows if row.condition == condition and row.metric == "psnr"]
            print(titles[condition], {row.method: row.mean for row in shown}, flush=True)
    settings = {"volumes": len(test.volumes), "as_trained": AS_TRAINED}
    return Record(STUDY, test.source, titles, settings, tuple(rows))


def _images(scan: dict[str, Any], listed: list[Case]) -> tuple[torch.Tensor, ...]:
    """x_LR of every case of one scanner: one scan, so that they share its drive frequencies' generator."""
    imaging = Imaging()
    imaging = replace(imaging, scan=replace(imaging.scan, noise=0.0, **scan))

    def disturb(signal: ScanSignal, generator: torch.Generator) -> ScanSignal:
        voltages, frequencies = (x.chunk(len(listed)) for x in (signal.voltage, signal.drive_frequency))
        parts = [
            case.disturb(ScanSignal(voltage, frequency), generator).voltage
            for case, voltage, frequency in zip(listed, voltages, frequencies, strict=True)
        ]
        return ScanSignal(torch.cat(parts), signal.drive_frequency)

    volumes = torch.cat([case.volumes for case in listed])
    return image_pairs(volumes, imaging, disturb=disturb, seed=TEST_SEED).x_lr.chunk(len(listed))
