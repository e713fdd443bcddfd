"""Which intervals hold what they promise, and how wide are they then?"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from scipy import ndimage
from torch.nn.functional import avg_pool3d

from mpinotes.data import image_split
from mpinotes.diffusion import ANCESTRAL, posterior_deviation
from mpinotes.diffusion.sampler import Step
from mpinotes.draw import normal_like
from mpinotes.evaluation import calibrate_intervals, coverage, volume_means
from mpinotes.methods import METHODS, mirror_answers
from mpinotes.studies.halves import Halves
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject

STUDY = "intervals"

LEVELS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
OPEN = (0.02, 0.98)
"""Where the U-Net's mean over mirrors lies between these, vessel or not is open: those voxels matter."""

EDGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Between classes of the predicted intensity."""

FLOORS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Added to the spread, that no interval has the width zero; each method has the one that is best on validation."""

SAMPLES = 8
"""At most: as many as there are mirrors."""

TEMPERATURE = 1.5
TARGETS = {"voxel": 1, "cube": 4, "everywhere": 1}
"""What is estimated: the share of vessel in cubes of this side [voxels], where it is open, or everywhere."""

TITLES = {
    "ddpm_2": "DDPM, 2 calls",
    "ddpm_4": "DDPM, 4 calls",
    "ddpm_16": "DDPM, 16 calls",
    "ddpm_warm": "DDPM, 4 calls, warmer",
    "dccdm_4": "DCCDM, 4 calls",
    "unet_mirrors": "U-Net, mirrors",
    "ensemble": "three networks, mirrors",
    "unet_ddpm": "U-Net, spread of DDPM",
    "unet_binary": "U-Net, √(p(1 − p))",
    "unet_constant": "U-Net, constant",
}


def warmer(
    x: torch.Tensor, x0: torch.Tensor, alpha_bar_t: float, alpha_bar_prev: float, generator: torch.Generator | None
) -> torch.Tensor:
    """The ancestral step with `TEMPERATURE` times its noise."""
    more = (TEMPERATURE**2 - 1) ** 0.5 * posterior_deviation(alpha_bar_t, alpha_bar_prev)
    return ANCESTRAL(x, x0, alpha_bar_t, alpha_bar_prev, generator) + more * normal_like(x, generator)


@dataclass(frozen=True)
class View:
    """What one target sees of the volumes of one split: those n values that are `open`.

    :param side: of its cubes [voxels].
    :param open: (volumes, 1, z, y, x), of cubes.
    :param truth: (n,).
    :param volume: of which volume each value is, (n,).
    :param wall: distance of each value from the wall in whole voxels, at most 3, below zero in the vessel, (n,).
    """

    side: int
    open: torch.Tensor
    truth: torch.Tensor
    volume: torch.Tensor
    wall: torch.Tensor

    @classmethod
    def of(cls, target: str, truth: torch.Tensor, estimate: torch.Tensor) -> "View":
        """`truth` and the U-Net's `estimate`, both (volumes, 1, z, y, x), which alone says what is open."""
        cubes = avg_pool3d(estimate, TARGETS[target])
        is_open = (cubes > OPEN[0]) & (cubes < OPEN[1]) if target != "everywhere" else torch.ones_like(cubes).bool()
        volume = torch.arange(len(truth), device=truth.device).view(-1, 1, 1, 1, 1).expand(cubes.shape)
        wall = torch.stack([_from_wall(shape) for shape in truth[:, 0]])[:, None]
        wall, truth = (avg_pool3d(x, TARGETS[target])[is_open] for x in (wall, truth))
        return cls(TARGETS[target], is_open, truth, volume[is_open], wall.round().int())

    def __call__(self, answers: torch.Tensor) -> torch.Tensor:
        """The values of answers (k, volumes, 1, z, y, x): (k, n)."""
        return torch.stack([avg_pool3d(answer, self.side)[self.open] for answer in answers])


class Estimate(NamedTuple):
    """A centre and its spread, both (n,)."""

    centre: torch.Tensor
    spread: torch.Tensor


def run(profile: Profile, runs: Path) -> Record:
    """Calibrate intervals on validation volumes and test them on test volumes: of samples, of mirrors, of networks.

    Conditions: TARGET/CALIBRATION/level/0.9, behind it "intensity/0.3" (predicted, up to) or "inside/2",
    "outside/2" (distance from the wall of the truth).
    Targets: `TARGETS`. Calibrations: "raw", the ranks of the truth among the answers; "rounded", the same with the
    answers rounded to 0 and 1; "plain", one factor; "classes", one for each class of the predicted intensity.
    """
    trained = find_trained([METHODS[name] for name in ("unet", "ddpm", "dccdm")], runs)
    pairs = Halves("val", "test").map(image_split, Halves(*profile.interval_volumes))
    images, truths = pairs.map(lambda half: half.x_lr), pairs.map(lambda half: half.x_hr)
    count = min(profile.samples, SAMPLES)

    def mirrors(name: str, x_lr: torch.Tensor) -> torch.Tensor:
        method = trained[name]
        return mirror_answers(method if name == "unet" else partial(method, steps=1), x_lr)

    def samples(name: str, steps: int, step: Step, x_lr: torch.Tensor) -> torch.Tensor:
        return torch.stack([trained[name](x_lr, steps=steps, step=step, seed=seed) for seed in range(count)])

    def answers() -> Iterator[tuple[str, Halves[torch.Tensor]]]:
        once = {name: images.map(partial(mirrors, name)) for name in trained}
        yield "unet_mirrors", once["unet"]
        yield "ensemble", once["unet"].map(lambda *parts: torch.cat(parts), once["ddpm"], once["dccdm"])
        for key, name, steps, step in (
            ("ddpm_2", "ddpm", 2, ANCESTRAL),
            ("ddpm_4", "ddpm", 4, ANCESTRAL),
            ("dccdm_4", "dccdm", 4, ANCESTRAL),
            ("ddpm_warm", "ddpm", 4, warmer),
            ("ddpm_16", "ddpm", 16, ANCESTRAL),
        ):
            yield key, images.map(partial(samples, name, steps, step))

    rows: list[Row] = []
    views: dict[str, Halves[View]] = {}
    unet: dict[str, Halves[torch.Tensor]] = {}
    for key, drawn in answers():
        if not views:  # the U-Net is the first
            estimates = drawn.map(lambda half: half.mean(0))
            views = {target: truths.map(partial(View.of, target), estimates) for target in TARGETS}
        for target, view in views.items():
            several = view.map(View.__call__, drawn)
            if target != "everywhere":
                rows += _before(key, target, several.test, view.test.truth)
            centres, spreads = several.map(lambda x: x.mean(0)), several.map(lambda x: x.std(0))
            rows += _after(key, target, view, centres.map(Estimate, spreads))
            unet.setdefault(target, centres)
            if key == "unet_mirrors":
                rows += _after("unet_constant", target, view, centres.map(Estimate, centres.map(torch.zeros_like)))
                rows += _after("unet_binary", target, view, centres.map(Estimate, centres.map(_binary)))
            if key == "ddpm_4":
                rows += _after("unet_ddpm", target, view, unet[target].map(Estimate, spreads))
    settings = {
        "calibration_volumes": len(truths.val),
        "volumes": len(truths.test),
        "samples": count,
        "temperature": TEMPERATURE,
        "open_from": OPEN[0],
        "open_to": OPEN[1],
        "cube": TARGETS["cube"],
    }
    return Record(STUDY, pairs.test.source, TITLES, settings, tuple(rows))


def _binary(centre: torch.Tensor) -> torch.Tensor:
    """Standard deviation of a value that is 1 with the probability `centre`, else 0."""
    return (centre * (1 - centre)).clamp_min(0).sqrt()


def _before(key: str, target: str, several: torch.Tensor, truth: torch.Tensor) -> list[Row]:
    """Coverage without calibration, of answers (k, n)."""
    seen = {"raw": several} | ({"rounded": (several > 0.5).float()} if target == "voxel" else {})
    return [
        Subject(STUDY, key, f"{target}/{name}/level/{level:g}").number(
            "coverage", round(coverage(values, truth, level).item(), 4), several.shape[1]
        )
        for name, values in seen.items()
        for level in LEVELS
    ]


def _after(key: str, target: str, views: Halves[View], estimates: Halves[Estimate]) -> list[Row]:
    """Coverage and width on test volumes once calibrated on validation volumes."""
    known, tested = views
    floor = min(FLOORS, key=lambda floor: _width(known, estimates.val, floor))
    rows = [Subject(STUDY, key, target).number("floor", floor)]
    centre, scale = estimates.test.centre, estimates.test.spread + floor
    inside = torch.bucketize(centre, centre.new_tensor(EDGES), right=True)
    if target == "voxel":
        for number, upper in enumerate((*EDGES, 1)):
            if (inside == number).any():
                subject = Subject(STUDY, key, f"{target}/intensity/{upper:g}")
                for metric, values in (("truth", tested.truth), ("centre", centre)):
                    rows.append(subject.number(metric, round(values[inside == number].mean().item(), 4)))
    for calibration, edges in (("plain", ()), ("classes", EDGES)):
        for level in LEVELS if calibration == "plain" and target != "everywhere" else (0.9,):
            given = (estimates.val.centre, estimates.val.spread + floor, known.truth, known.volume)
            low, high = (x.clamp(0, 1) for x in calibrate_intervals(*given, level, edges)(centre, scale))
            held = (low <= tested.truth) & (tested.truth <= high)
            found = {"coverage": held.float(), "width": high - low}
            if target != "cube":
                found |= {
                    "undecided": ((low == 0) & (high == 1)).float(),
                    "empty": ((low > 0) & (high < 1)).float(),
                }
            subject = Subject(STUDY, key, f"{target}/{calibration}/level/{level:g}")
            rows += subject.means({metric: volume_means(values, tested.volume) for metric, values in found.items()})
            if level == 0.9 and target == "voxel":
                parts = {f"intensity/{upper:g}": inside == number for number, upper in enumerate((*EDGES, 1))}
                for distance in (3, 2, 1):
                    parts |= {f"inside/{distance}": tested.wall == -distance}
                    parts |= {f"outside/{distance}": tested.wall == distance}
                for name, part in parts.items():
                    if part.any():
                        there = volume_means(held[part].float(), tested.volume[part])
                        rows += Subject(STUDY, key, f"{subject.condition}/{name}").means({"coverage": there})
    return rows


def _width(known: View, estimate: Estimate, floor: float) -> float:
    """Mean width of 90 % intervals on the volumes that calibrate them."""
    scale = estimate.spread + floor
    low, high = calibrate_intervals(estimate.centre, scale, known.truth, known.volume, 0.9)(estimate.centre, scale)
    return (high.clamp(0, 1) - low.clamp(0, 1)).mean().item()


def _from_wall(shape: torch.Tensor) -> torch.Tensor:
    """Distance of each voxel from the nearest of the other kind, at most 3, below zero in the vessel."""
    full = shape.numpy() > 0.5
    outside, inside = (ndimage.distance_transform_edt(part) for part in (~full, full))
    return torch.from_numpy(outside - inside).float().clamp(-3, 3)
