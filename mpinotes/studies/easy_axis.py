"""Every way to a high-gradient matrix where the particles have an easy axis: a study that a pattern cannot win."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch

from mpinotes.data import (
    CALIBRATION_NOISE,
    NOISES,
    PARTICLE_SPLITS,
    TEST_SEED,
    TRAIN_SEED,
    MatrixPairs,
    ParticleSetting,
    add_calibration_noise,
    believed_setting,
    in_corner,
    matrix_test_pairs,
    matrix_train_pairs,
    mixing_subset,
    particle_pairs,
    particle_split,
    spread_out,
)
from mpinotes.evaluation import component_psnr
from mpinotes.methods import refit_settings
from mpinotes.studies.profiles import Profile
from mpinotes.studies.reconstruction import LEAST_SNR
from mpinotes.studies.record import Record, Row, Series
from mpinotes.studies.rows import Subject
from mpinotes.studies.synthesisers import Synthesiser, networks, of_network, repeated_networks, synthesisers

STUDY = "easy_axis"

SPLIT = "mixed"
"""Of the networks."""

IDEAL = "held-out diameters"
"""The split of the networks that have seen ideal tracers only, by variant with "_ideal" behind it."""

OPPONENTS = ("pattern", "wiener", "nearest_neighbour", "refit", "refit_nominal", "refit_known")
"""What each network is compared with, setting by setting."""

ERRORS = (0.0, 0.1, 0.3, 1.0)
"""Of what a refit believes, see `believed_setting`: the first knows all, the last what is nominal."""

ENDS = {0.0: "refit_known", 1.0: "refit_nominal"}
"""The methods that are refits of the first and of the last of `ERRORS`."""

LEAK_SHAPE, LEAK_ORDERS = (12, 12), 42
"""Grid and number of mixing orders of the leak audit, of all splits: enough for a median."""


def run(profile: Profile, runs: Path) -> Record:
    """Quartiles of PSNR and SSIM over components; differences to the opponents as means over settings.

    Conditions: "leak/SPLIT"; "NOISE", with "/fluid", "/immobilised", "/between" or "/corner" for a part of the
    settings and "/loud" or "/drowned" for a part of their components, by what the noise leaves of them;
    "NOISE/training/K" for another training of a network; "wrong/ERROR" for refits, with noise, by how
    wrong they are about all but diameter and anisotropy.
    """
    rows = [row for split in PARTICLE_SPLITS for row in _leak(profile, split)]
    train = matrix_train_pairs(profile, SPLIT)
    settings = spread_out(particle_split(SPLIT).test, profile.matrix_settings)
    clean = matrix_test_pairs(profile, settings, 0.0)
    strongest = clean.high_scale.view(len(settings), -1).amax(1)[clean.setting, None]
    loud = clean.low_scale > LEAST_SNR * CALIBRATION_NOISE * strongest  # (sample, channel)
    repeated = [
        {key: of_network(trained, profile) for key, trained in again.items()}
        for again in repeated_networks(SPLIT, runs)
    ]
    series: list[Series] = []
    titles: dict[str, str] = {}
    for noise, level in NOISES.items():
        pairs = add_calibration_noise(clean, level, seed=TEST_SEED) if level else clean
        methods = synthesisers(profile, SPLIT, add_calibration_noise(train, level, seed=TRAIN_SEED), runs)
        methods |= {f"{key}_ideal": of_network(trained, profile) for key, trained in networks(IDEAL, runs).items()}
        titles |= {key: method.title for key, method in methods.items()}
        ends: dict[str, torch.Tensor] = {}
        scores: dict[str, torch.Tensor] = {}
        loud_scores: dict[str, torch.Tensor] = {}
        for key, method in methods.items():
            image = method.synthesise(pairs, settings)
            if key in ENDS.values():
                ends[key] = image
            rows += _score(key, image, pairs, settings, loud, noise)
            rows.append(Subject(STUDY, key, noise).number("calls", method.calls))
            scores[key] = _medians(image, pairs, settings)
            loud_scores[key] = _medians(image, pairs, settings, loud)
            series.append(Subject(STUDY, key, noise).series("psnr", scores[key].tolist(), 3))
        rows += _differences(scores, methods, noise)
        rows += _differences(loud_scores, methods, f"{noise}/loud")
        for number, trained in enumerate(repeated, start=1):
            again = {
                key: _medians(method.synthesise(pairs, settings), pairs, settings) for key, method in trained.items()
            }
            condition = f"{noise}/training/{number}"
            series += [Subject(STUDY, key, condition).series("psnr", x.tolist(), 3) for key, x in again.items()]
            rows += _differences(scores | again, trained, condition)
        if level:
            rows += _refits(pairs, settings, ends)
    return Record(
        STUDY,
        "simulated matrices of particles with an easy axis",
        {key: f"{title}, ideal tracers" if key.endswith("_ideal") else title for key, title in titles.items()},
        {"components": profile.matrix_components, "settings": len(settings), "calibration_noise": CALIBRATION_NOISE},
        tuple(rows),
        tuple(series),
    )


def _leak(profile: Profile, split: str) -> list[Row]:
    """Quartiles of the largest correlation of a test component with a training component, high-gradient ones."""
    orders = mixing_subset(min(LEAK_ORDERS, profile.matrix_components))
    train, test = (
        particle_pairs(spread_out(settings, profile.matrix_settings), orders, shape=LEAK_SHAPE, phase_seed=seed)
        for settings, seed in ((particle_split(split).train, TRAIN_SEED), (particle_split(split).test, TEST_SEED))
    )
    return Subject(STUDY, "", f"leak/{split}").leak(test.high, train.high, 4)


def _score(
    key: str,
    image: torch.Tensor,
    pairs: MatrixPairs,
    settings: Sequence[ParticleSetting],
    loud: torch.Tensor,
    noise: str,
) -> list[Row]:
    """Quartiles over all components, over those of some settings, and over loud and drowned ones."""
    rows = Subject(STUDY, key, noise).quartiles(image, pairs.high)
    print(noise, key, rows[1].mean, flush=True)
    for part, belongs in (
        ("fluid", [setting.kind == "fluid" for setting in settings]),
        ("immobilised", [setting.kind == "immobilised" for setting in settings]),
        ("between", [not in_corner(setting) for setting in settings]),
        ("corner", [in_corner(setting) for setting in settings]),
    ):
        kept = torch.tensor(belongs, device="cpu")[pairs.setting]
        if kept.any():
            rows += Subject(STUDY, key, f"{noise}/{part}").quartiles(image[kept], pairs.high[kept])
    for part, heard in (("loud", loud), ("drowned", ~loud)):
        if heard.any():
            rows += Subject(STUDY, key, f"{noise}/{part}").quartiles(image[heard][:, None], pairs.high[heard][:, None])
    return rows


def _medians(
    image: torch.Tensor, pairs: MatrixPairs, settings: Sequence[ParticleSetting], kept: torch.Tensor | None = None
) -> torch.Tensor:
    """Median PSNR [dB] over the components and channels of every setting, or over those `kept`, (sample, channel);
    not a number for a setting of which none is."""
    values = component_psnr(image, pairs.high).view(len(settings), -1)
    if kept is None:
        return values.quantile(0.5, dim=1)
    parts = zip(values, kept.view(len(settings), -1), strict=True)
    return torch.stack([x[here].quantile(0.5) if here.any() else x.new_tensor(math.nan) for x, here in parts])


def _differences(scores: dict[str, torch.Tensor], methods: dict[str, Synthesiser], condition: str) -> list[Row]:
    """Mean over the settings of a network's median PSNR less an opponent's."""
    rows = []
    for key in methods:
        if methods[key].calls and not key.endswith("_ideal"):
            known = scores[key].isfinite()
            differences = {f"psnr_minus_{other}": (scores[key] - scores[other])[known] for other in OPPONENTS}
            rows += Subject(STUDY, key, condition).means(differences) if known.any() else []
    return rows


def _refits(pairs: MatrixPairs, settings: Sequence[ParticleSetting], ends: dict[str, torch.Tensor]) -> list[Row]:
    """Quartiles of the refit by how wrong its beliefs are; `ends`: the images of `ENDS`."""
    rows = []
    for error in ERRORS:
        if error in ENDS:
            image = ends[ENDS[error]]
        else:
            image = refit_settings(pairs, [believed_setting(setting, error) for setting in settings])
        rows += Subject(STUDY, "refit", f"wrong/{error:g}").quartiles(image, pairs.high)
        print("wrong", error, rows[-5].mean, flush=True)
    return rows
