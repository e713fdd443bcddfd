"""Which weights of DCCDM's terms are best? A search on validation volumes, with short trainings from nothing."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch

from mpinotes.data import FIT_VOLUMES, ImagePairs, image_split
from mpinotes.methods import METHODS, TrainingData, baselines
from mpinotes.methods.dccdm import DCCDMConfig, DiffusionMethod
from mpinotes.operators import fit_degradation
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.studies.scanners import scanner
from mpinotes.studies.small import train_small

STUDY = "loss_weights"


@dataclass(frozen=True)
class Place:
    """Where weights are searched: at most so many training volumes, at so many times the noise of the book."""

    title: str
    volumes: int
    noise: float


PLACES = {
    "as_trained": Place("all volumes, the book's noise", 1335, 1.0),
    "few_noisy": Place("32 volumes, four times the noise", 32, 4.0),
}

SEARCHED: dict[str, tuple[Any, ...]] = {
    "lambda_dc": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0),
    "lambda_f": (0.001, 0.01, 0.1, 1.0, 10.0),
    "radius": (0.125, 0.25, 0.5),
    "isotropic": (0, 1),
    "constant": (0, 1),
}
"""Settings in the order in which they are searched, each with the best of those before: the two weights of DCCDM,
the radius of its low band, an isotropic D, and a weight of its terms that is constant over t."""

SEEDS = (0, 1, 2)
"""Of the DDPM and of DCCDM with the weights that were chosen."""


def configured(full: DiffusionMethod, isotropic: DiffusionMethod, chosen: dict[str, Any]) -> DiffusionMethod:
    """DCCDM with the settings that are `chosen`, names of `SEARCHED`; the others as in the book."""
    plain = {name: value for name, value in chosen.items() if name not in ("isotropic", "constant")}
    if chosen.get("constant"):
        plain["time_weight"] = "constant"
    method = isotropic if chosen.get("isotropic") else full
    return replace(method, config=replace(method.config, **plain))


def fitted(pairs: ImagePairs) -> tuple[DiffusionMethod, DiffusionMethod]:
    """DCCDM with D fitted to pairs, once with a σ for each axis and once with one for all."""
    data = TrainingData((pairs.x_lr, pairs.x_hr), pairs.source)
    method = cast(DiffusionMethod, METHODS["dccdm"]).fitted(data)
    first = pairs.first(FIT_VOLUMES)
    isotropic, _ = fit_degradation(first.x_hr, first.x_lr, isotropic=True)
    return method, replace(method, config=replace(method.config, degradation=isotropic))


def run(profile: Profile, runs: Path) -> Record:
    """Search the settings one after the other, at each place, then train the best and the DDPM with three seeds.

    Conditions: PLACE/SETTING/VALUE for what was tried, PLACE/chosen/seed/0 for the best, both as "dccdm", and
    PLACE/seed/0 for the "ddpm"; differences are to the DDPM of the same seed. The numbers chosen stand as metrics
    of PLACE/chosen.
    """
    rows: list[Row] = []
    for place, where in PLACES.items():
        imaging = scanner(where.noise, profile.train_volumes)
        held = image_split("val", profile.test_volumes, imaging)
        pairs = image_split("train", profile.train_volumes, imaging).first(where.volumes)
        methods = fitted(pairs)

        def scores(
            method: DiffusionMethod,
            name: str,
            seed: int = 0,
            pairs: ImagePairs = pairs,
            held: ImagePairs = held,
            folder: Path = runs / STUDY / place,
        ) -> dict[str, torch.Tensor]:
            trained = train_small(method, pairs, profile.small_steps, seed, folder / name)
            return image_scores(trained(held.x_lr), held.x_hr)

        plain = replace(cast(DiffusionMethod, METHODS["ddpm"]), config=baselines.ddpm(methods[0].config))
        ddpm = {seed: scores(plain, f"ddpm_{seed}", seed) for seed in SEEDS}
        for seed, values in ddpm.items():
            rows += Subject(STUDY, "ddpm", f"{place}/seed/{seed}").means(values)
        chosen: dict[str, Any] = {}
        tried: dict[DCCDMConfig, dict[str, torch.Tensor]] = {}
        for setting, options in SEARCHED.items():
            means = {}
            for value in options:
                method = configured(*methods, chosen | {setting: value})
                if method.config not in tried:
                    tried[method.config] = scores(method, f"{setting}_{value:g}")
                found = tried[method.config]
                means[value] = found["psnr"].mean().item()
                subject = Subject(STUDY, "dccdm", f"{place}/{setting}/{value:g}")
                rows += subject.means(found | differences(found, ddpm[0], "ddpm"))
            chosen[setting] = max(means, key=means.__getitem__)
            print(f"{where.title}: {setting} {chosen[setting]:g}, {max(means.values()):.3f} dB", flush=True)
        best = configured(*methods, chosen)
        for seed, reference in ddpm.items():
            found = scores(best, f"chosen_{seed}", seed) if seed else tried[best.config]
            subject = Subject(STUDY, "dccdm", f"{place}/chosen/seed/{seed}")
            rows += subject.means(found | differences(found, reference, "ddpm"))
        rows += [Subject(STUDY, "dccdm", f"{place}/chosen").number(name, value) for name, value in chosen.items()]
        settings = {"steps": profile.small_steps, "validation_volumes": len(held.x_hr)}
    titles = {"ddpm": "3D DDPM", "dccdm": "DCCDM", **{key: place.title for key, place in PLACES.items()}}
    return Record(STUDY, held.source, titles, settings, tuple(rows))
