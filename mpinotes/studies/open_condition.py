"""Does condition decay help where the condition leaves much open: in noise, and for particles with an easy axis?"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import (
    CALIBRATION_NOISE,
    MatrixPairs,
    ParticleSetting,
    matrix_test_pairs,
    particle_split,
    spread_out,
)
from mpinotes.diffusion import ConditionSchedule
from mpinotes.evaluation import component_psnr
from mpinotes.methods import Trained
from mpinotes.studies.decay import CONDITION_TITLES, SCHEDULES, SWEPT
from mpinotes.studies.easy_axis import SPLIT
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject
from mpinotes.studies.synthesisers import networks, repeated_networks

STUDY = "open_condition"

NOISES = {"noisy": CALIBRATION_NOISE, "drowned": 10 * CALIBRATION_NOISE}
"""Of the calibration: as everywhere, and so much that most low-gradient components drown."""

SETTINGS, COMPONENTS = 8, 24
"""Of the split's test settings and of the mixing orders, at most."""

SAMPLES = 4
"""Of each component: what differs between them is what the condition leaves open."""

SAMPLER = "derived"


@dataclass(frozen=True)
class Samples:
    """Of every component: `psnr` of one sample and of the mean of all [dB]; `spread`, the standard deviation of the
    samples, and `error` of their mean, both root mean squares over its pixels. All (setting, image)."""

    psnr: torch.Tensor
    psnr_of_mean: torch.Tensor
    spread: torch.Tensor
    error: torch.Tensor


def run(profile: Profile, runs: Path) -> Record:
    """Accuracy and diversity of samples under every schedule, at equal calls.

    Conditions: "NOISE/SCHEDULE", and "NOISE/SCHEDULE/training/K" for another training. Differences to the constant
    condition are means over the settings.
    """
    settings = spread_out(particle_split(SPLIT).test, min(SETTINGS, profile.matrix_settings))
    trainings = [networks(SPLIT, runs), *repeated_networks(SPLIT, runs)]
    rows: list[Row] = []
    titles: dict[str, str] = {"low": "low gradient"} | CONDITION_TITLES
    for noise, level in NOISES.items():
        pairs = every_few(matrix_test_pairs(profile, settings, level), settings)
        rows += Subject(STUDY, "low", noise).quartiles(pairs.low, pairs.high)
        for number, trained in enumerate(trainings):
            for key in (key for key in SWEPT if key in trained):
                method = profile.shortened(trained[key].method)
                titles[key] = method.title
                rows += _compare(key, trained[key], method.calls, pairs, settings, noise, number)
    return Record(
        STUDY,
        "simulated matrices of particles with an easy axis",
        titles,
        {"components": len(pairs.orders) // len(settings), "settings": len(settings), "samples": SAMPLES,
         "calls": profile.most_calls} | {f"noise_{name}": level for name, level in NOISES.items()},
        tuple(rows),
    )  # fmt: skip


def every_few(pairs: MatrixPairs, settings: Sequence[ParticleSetting]) -> MatrixPairs:
    """Of every setting `COMPONENTS` components, evenly spread."""
    components = len(pairs.orders) // len(settings)
    count = min(COMPONENTS, components)
    kept = torch.tensor(
        [setting * components + i * components // count for setting in range(len(settings)) for i in range(count)],
        device="cpu",
    )
    parts = pairs.low, pairs.high, pairs.low_scale, pairs.high_scale, pairs.setting, pairs.orders
    return MatrixPairs(*(part[kept] for part in parts))


def draw_samples(
    trained: Trained, pairs: MatrixPairs, settings: int, calls: int, condition: ConditionSchedule
) -> Samples:
    """`SAMPLES` samples of every component, by seed."""
    options: dict[str, Any] = {"steps": calls, "condition": condition, "sampler": SAMPLER}
    drawn = torch.stack([trained(pairs.low, pairs.orders, seed=seed, **options) for seed in range(SAMPLES)])

    def root_mean_square(x: torch.Tensor) -> torch.Tensor:
        return x.abs().square().mean((-2, -1)).sqrt().view(settings, -1)

    mean = drawn.mean(0)
    # Not `std`, which has no complex version: the unbiased variance by hand.
    spread = ((drawn - mean).abs().square().sum(0) / (SAMPLES - 1)).sqrt()
    psnr = torch.stack([component_psnr(sample, pairs.high) for sample in drawn]).mean(0)
    return Samples(
        psnr.view(settings, -1),
        component_psnr(mean, pairs.high).view(settings, -1),
        root_mean_square(spread),
        root_mean_square(mean - pairs.high),
    )


def _compare(
    key: str,
    trained: Trained,
    calls: int,
    pairs: MatrixPairs,
    settings: Sequence[ParticleSetting],
    noise: str,
    training: int,
) -> list[Row]:
    rows: list[Row] = []
    constant = None
    for name, schedule in SCHEDULES.items():
        samples = draw_samples(trained, pairs, len(settings), calls, schedule)
        constant = constant or samples  # the first of the schedules
        subject = Subject(STUDY, key, f"{noise}/{name}" + (f"/training/{training}" if training else ""))
        for metric in ("psnr", "psnr_of_mean", "spread", "error"):
            values = getattr(samples, metric)
            rows.append(subject.number(f"{metric}_median", round(values.median().item(), 4), values.numel()))
        rows += subject.means(
            {
                f"{metric}_minus_constant": (getattr(samples, metric) - getattr(constant, metric)).mean(1)
                for metric in ("psnr", "psnr_of_mean")
            }
        )
        print(subject.condition, key, [row.mean for row in rows[-6:-2]], flush=True)
    return rows
