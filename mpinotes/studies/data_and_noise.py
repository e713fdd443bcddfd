"""When does a term help? DCCDM against the DDPM and the U-Net, over the size of the training set and the noise."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import cast

import torch

from mpinotes.data import ImagePairs, image_split
from mpinotes.methods import METHODS, ImageMethod, baselines
from mpinotes.studies.loss_weights import PLACES, SEARCHED, configured, fitted
from mpinotes.studies.loss_weights import STUDY as WEIGHTS
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.record_file import load_record
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.studies.scanners import scanner
from mpinotes.studies.small import train_small

STUDY = "data_and_noise"

SIZES = (32, 128, 512, 1335)
"""Training volumes, at most."""

NOISES = (0.25, 1.0, 4.0)
"""In noises of the book."""

SEEDS = 3
"""Trainings of each method in the corners of the map; between them there is one."""


def compared(pairs: ImagePairs) -> dict[str, ImageMethod]:
    """The methods that are trained on pairs, by name: DCCDM with the weights that were chosen at each of `PLACES`."""
    full, isotropic = fitted(pairs)
    ddpm = cast(ImageMethod, METHODS["ddpm"])
    record = load_record(WEIGHTS)
    chosen = {place: {name: record.value("dccdm", name, f"{place}/chosen") for name in SEARCHED} for place in PLACES}
    return {
        "ddpm": replace(ddpm, config=baselines.ddpm(full.config)),
        "unet": cast(ImageMethod, METHODS["unet"]),
        **{f"dccdm_{place}": configured(full, isotropic, values) for place, values in chosen.items()},
    }


def cells(volumes: int) -> dict[tuple[float, int], range]:
    """The seeds of the trainings in every cell of the map, by noise and size, where there are so many volumes.

    >>> from mpinotes.studies.data_and_noise import cells
    >>> len(cells(1335)), cells(1335)[4.0, 32], cells(1335)[4.0, 128]
    (12, range(0, 3), range(0, 1))
    """
    sizes = sorted({min(size, volumes) for size in SIZES})
    corners = set(product((NOISES[0], NOISES[-1]), (sizes[0], sizes[-1])))
    return {cell: range(SEEDS if cell in corners else 1) for cell in product(NOISES, sizes)}


def run(profile: Profile, runs: Path) -> Record:
    """Train small networks from nothing on every training set and test them on all test volumes, paired.

    Conditions: volumes/32/noise/4/seed/0; differences are to the DDPM of the same training set and seed.
    """
    rows: list[Row] = []
    titles = {"x_lr": "x_LR"}
    grid = cells(profile.train_volumes)
    for noise in NOISES:
        imaging = scanner(noise, profile.train_volumes)
        test = image_split("test", profile.test_volumes, imaging)
        everything = image_split("train", profile.train_volumes, imaging)
        subject = Subject(STUDY, "x_lr", f"noise/{noise:g}")
        rows += subject.means(image_scores(test.x_lr, test.x_hr))
        rows.append(subject.number("regularization", imaging.regularization))
        for size, seeds in ((size, seeds) for (level, size), seeds in grid.items() if level == noise):
            pairs = everything.first(size)
            methods = compared(pairs)
            references: dict[int, dict[str, torch.Tensor]] = {}
            for seed, (name, method) in product(seeds, methods.items()):
                condition = f"volumes/{size}/noise/{noise:g}/seed/{seed}"
                trained = train_small(method, pairs, profile.small_steps, seed, runs / STUDY / condition / name)
                scores = image_scores(trained(test.x_lr), test.x_hr)
                ddpm = references.setdefault(seed, scores)  # it is the first of the methods
                rows += Subject(STUDY, name, condition).means(scores | differences(scores, ddpm, "ddpm"))
                titles[name] = method.title
                print(condition, name, f"{scores['psnr'].mean():.3f} dB", flush=True)
    titles |= {f"dccdm_{place}": f"DCCDM, weights for {where.title}" for place, where in PLACES.items()}
    settings = {"steps": profile.small_steps, "volumes": len(test.x_hr)}
    return Record(STUDY, test.source, titles, settings, tuple(rows))
