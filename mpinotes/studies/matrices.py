"""Every way to a high-gradient matrix, under every protocol, and the leak between training and test."""

from dataclasses import replace
from pathlib import Path

import torch

from mpinotes.data import (
    CALIBRATION_NOISE,
    HELD_OUT_TESTS,
    MATRIX_SPLITS,
    NOISES,
    TEST_SEED,
    TRAIN_SEED,
    MatrixPairs,
    add_calibration_noise,
    matrix_pairs,
    matrix_split,
    matrix_test_pairs,
    matrix_train_pairs,
    mixing_subset,
)
from mpinotes.evaluation import component_psnr
from mpinotes.methods import METHODS, refit_pairs
from mpinotes.physics import DriveIntegrals
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row, Series
from mpinotes.studies.rows import SPLITS, Subject
from mpinotes.studies.synthesisers import synthesisers

STUDY = "matrices"

REFERENCE = "sm_algorithm1"
"""What the others are compared with, component by component."""


FOR_ERRORS = "held-out diameters"
"""The split whose networks meet errors of the model."""

KEPT = ("paper", FOR_ERRORS)
"""Splits of which the noisy values of every component in equilibrium are recorded."""

SPREADS = (0.05, 0.1, 0.15)
"""Of the core diameters, where physics assumes one diameter."""

CONDITION_TITLES = {
    "errors/assumed": "as assumed: equilibrium, calibrated chain",
    "errors/debye": "Debye relaxation, calibrated chain",
    "errors/spread/0": "equilibrium, uncalibrated chain",
    **{f"errors/spread/{s:g}": f"core diameters spread by {s:.0%}, uncalibrated chain" for s in SPREADS},
    **{short: split for split, short in SPLITS.items()},
}


def run(profile: Profile, runs: Path) -> Record:
    """Quartiles of PSNR and SSIM over all components and both channels, paired with Algorithm 1.

    Conditions: the split for what its training and test share; "SPLIT/RELAXATION/NOISE"; "errors/…" for
    errors of the model, at the middle one of the held-out diameters with noise.
    """
    rows: list[Row] = []
    series: list[Series] = []
    titles: dict[str, str] = {}
    for split in MATRIX_SPLITS:
        train = matrix_train_pairs(profile, split)
        rows += _leak(profile, split, train)
        for noise in NOISES:
            noisy = add_calibration_noise(train, NOISES[noise], seed=TRAIN_SEED)
            methods = synthesisers(profile, split, noisy, runs)
            titles |= {key: method.title for key, method in methods.items()}
            for relaxation in ("equilibrium", "debye"):
                pairs = matrix_test_pairs(profile, matrix_split(split).test, NOISES[noise], relaxation)
                images = {key: method.synthesise(pairs, matrix_split(split).test) for key, method in methods.items()}
                condition = f"{SPLITS[split]}/{relaxation}/{noise}"
                found = _score(images, pairs.high, condition)
                rows += found
                rows += [Subject(STUDY, key, condition).number("calls", methods[key].calls) for key in methods]
                if split in KEPT and relaxation == "equilibrium" and noise == "noisy":
                    for key, image in images.items():
                        values = component_psnr(image, pairs.high).tolist()
                        series.append(Subject(STUDY, key, condition).series("psnr", values, 1))
                _report(condition, found)
        if split == FOR_ERRORS:
            rows += _model_errors(profile, train, runs)
    return Record(
        STUDY,
        "simulated matrices",
        titles | {"refit_calibrated": "refitted physics, chain taken as calibrated"} | CONDITION_TITLES,
        {
            "components": profile.matrix_components,
            "calibration_noise": CALIBRATION_NOISE,
            "calls": profile.shortened(METHODS[REFERENCE]).calls,
        },
        tuple(rows),
        tuple(series),
    )


def _score(images: dict[str, torch.Tensor], high: torch.Tensor, condition: str) -> list[Row]:
    rows = []
    for key, image in images.items():
        subject = Subject(STUDY, key, condition)
        rows += subject.quartiles(image, high)
        if REFERENCE in images:
            difference = component_psnr(image, high) - component_psnr(images[REFERENCE], high)
            rows += subject.means({"psnr_minus_algorithm1": difference})
    return rows


def _report(condition: str, rows: list[Row]) -> None:
    print(condition, {row.method: row.mean for row in rows if row.metric == "psnr_median"}, flush=True)


def _leak(profile: Profile, split: str, train: MatrixPairs) -> list[Row]:
    """Quartiles of the largest correlation of a test component with a training component, high-gradient ones."""
    test = matrix_test_pairs(profile, matrix_split(split).test, 0.0)
    return Subject(STUDY, "", SPLITS[split]).leak(test.high, train.high, 6)


def _model_errors(profile: Profile, train: MatrixPairs, runs: Path) -> list[Row]:
    """What happens to each method when the tracer or the receive chain is not what physics assumes."""
    orders = mixing_subset(profile.matrix_components)
    noisy = add_calibration_noise(train, CALIBRATION_NOISE, seed=TRAIN_SEED)
    methods = synthesisers(profile, FOR_ERRORS, noisy, runs)
    cases: dict[str, tuple[float, str, int | None]] = {  # spread of the cores, relaxation, seed of the chain's phases
        "errors/assumed": (0.0, "equilibrium", None),
        "errors/debye": (0.0, "debye", None),
        **{f"errors/spread/{spread:g}": (spread, "equilibrium", TEST_SEED) for spread in (0.0, *SPREADS)},
    }
    rows, integrals = [], DriveIntegrals(capacity=24)
    for condition, (spread, relaxation, phase_seed) in cases.items():
        settings = [replace(test, size_spread=spread) if spread else test for test in HELD_OUT_TESTS[1:2]]
        pairs = matrix_pairs(
            settings, orders, noise=CALIBRATION_NOISE, relaxation=relaxation, phase_seed=phase_seed, seed=TEST_SEED
        )
        images = {key: method.synthesise(pairs, settings) for key, method in methods.items()}
        images["refit_calibrated"] = refit_pairs(pairs, settings, chain="known", integrals=integrals)
        found = [row for key in images for row in Subject(STUDY, key, condition).quartiles(images[key], pairs.high)]
        _report(condition, found)
        rows += found
    return rows
