"""Does the spread of the samples tell the error?"""

from functools import partial
from pathlib import Path

import torch

from mpinotes.data import image_split
from mpinotes.diffusion import ANCESTRAL
from mpinotes.evaluation import coverage
from mpinotes.methods import METHODS
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Picture, Record, Row
from mpinotes.studies.rows import Subject

STUDY = "uncertainty"

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
UNSURE = 0.02
"""Voxels whose samples spread less than this are sure of being empty or full: they are left out."""


def run(profile: Profile, runs: Path) -> Record:
    """Draw `profile.samples` ancestral samples per volume from DDPM and DCCDM and compare spread and truth.

    Condition "level/0.9": intervals of the samples that promise to hold 90 % of the truth.
    """
    methods = find_trained([METHODS["ddpm"], METHODS["dccdm"]], runs)
    pairs = image_split("test", profile.sample_volumes)
    n = len(pairs.x_hr)
    rows: list[Row] = []
    pictures: list[Picture] = []
    for name, trained in methods.items():
        draw = partial(trained, pairs.x_lr, steps=profile.guided_steps, step=ANCESTRAL)
        samples = torch.stack([draw(seed=seed) for seed in range(profile.samples)])
        spread, error = samples.std(0), (samples.mean(0) - pairs.x_hr).abs()
        unsure = spread > UNSURE
        both = torch.stack([spread[unsure], error[unsure]])
        subject = Subject(STUDY, name)
        rows += [
            subject.number("unsure_share", unsure.float().mean().item(), n),
            subject.number("error_share", (error.square()[unsure].sum() / error.square().sum()).item(), n),
            subject.number("spread_error_correlation", torch.corrcoef(both)[0, 1].item(), n),
        ]
        for level in LEVELS:
            held = coverage(samples[:, unsure], pairs.x_hr[unsure], level).item()
            rows.append(Subject(STUDY, name, f"level/{level:g}").number("coverage", held, n))
        pictures += subject.projections(samples.mean(0)[0, 0], "mean/")
        pictures += subject.projections((2 * spread[0, 0]).clamp(0, 1), "spread/")
        pictures += subject.projections(error[0, 0].clamp(0, 1), "error/")
    settings = {"volumes": n, "samples": profile.samples, "calls": profile.guided_steps, "threshold": UNSURE}
    titles = {name: trained.method.title for name, trained in methods.items()}
    return Record(STUDY, pairs.source, titles, settings, tuple(rows), pictures=tuple(pictures))
