"""Every way to a high-gradient matrix, under every protocol, and the leak between training and test."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import (
    HELD_OUT_TESTS,
    MATRIX_SPLITS,
    MatrixPairs,
    add_calibration_noise,
    matrix_pairs,
    matrix_split,
    mixing_subset,
)
from mpinotes.evaluation import component_psnr, component_scores, largest_correlation
from mpinotes.methods.recipes import CALIBRATION_NOISE, TEST_SEED, TRAIN_SEED, matrix_test_pairs, matrix_train_pairs
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import interval
from mpinotes.studies.synthesisers import TITLES, refit, synthesisers

REFERENCE = TITLES["sm_algorithm1"]
"""What the others are compared with, component by component."""

NOISES = {"clean": 0.0, "noisy": CALIBRATION_NOISE}

FOR_ERRORS = "held-out diameters"
"""The split whose networks meet errors of the model."""

KEPT = ("paper", FOR_ERRORS)
"""Splits of which the noisy values of every component in equilibrium are recorded."""


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """Quartiles of PSNR and SSIM over all components and both channels, paired with Algorithm 1."""
    leaks, protocols = {}, {}
    for split in MATRIX_SPLITS:
        train = matrix_train_pairs(profile, split)
        leaks[split] = _leak(profile, split, train)
        protocols[split] = _protocol(profile, split, train, runs)
        if split == FOR_ERRORS:
            errors = _model_errors(profile, train, runs)
    return {
        "test data": "simulated matrices",
        "components": profile.matrix_components,
        "calibration noise": CALIBRATION_NOISE,
        "calls": profile.matrix_calls,
        "leaks": leaks,
        "protocols": protocols,
        "model errors": errors,
    }


def _protocol(profile: Profile, split: str, train: MatrixPairs, runs: Path) -> dict[str, Any]:
    settings, results = matrix_split(split).test, {}
    for name, noise in NOISES.items():
        methods = synthesisers(profile, split, add_calibration_noise(train, noise, seed=TRAIN_SEED), runs)
        for relaxation in ("equilibrium", "debye"):
            pairs = matrix_test_pairs(profile, settings, noise, relaxation)
            images = {title: method.synthesise(pairs, settings) for title, method in methods.items()}
            kept = split in KEPT and relaxation == "equilibrium" and noise > 0
            results[f"{relaxation}, {name}"] = rows = _rows(images, pairs.high, kept)
            for title, method in methods.items():
                rows[title]["calls"] = method.calls
            print(split, relaxation, name, {title: row["psnr"]["median"] for title, row in rows.items()}, flush=True)
    return results


def _rows(images: dict[str, torch.Tensor], high: torch.Tensor, kept: bool) -> dict[str, Any]:
    values = {title: component_psnr(image, high) for title, image in images.items()}
    rows: dict[str, Any] = {}
    for title, image in images.items():
        rows[title] = _rounded(component_scores(image, high))
        if kept:
            rows[title]["psnr of each component"] = [round(x, 1) for x in values[title].tolist()]
        if REFERENCE in values:
            rows[title]["psnr minus Algorithm 1"] = interval(values[title] - values[REFERENCE])
    return rows


def _rounded(scores: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {metric: {name: round(x, 4) for name, x in levels.items()} for metric, levels in scores.items()}


def _leak(profile: Profile, split: str, train: MatrixPairs) -> dict[str, float]:
    """Quartiles of the largest correlation of a test component with a training component, high-gradient ones."""
    test = matrix_test_pairs(profile, matrix_split(split).test, 0.0)
    values = largest_correlation(test.high, train.high).double().clamp(max=1.0)
    levels = {"lowest": 0.0, "lower": 0.25, "median": 0.5, "upper": 0.75}
    return {name: round(values.quantile(level).item(), 6) for name, level in levels.items()}


def _model_errors(profile: Profile, train: MatrixPairs, runs: Path) -> dict[str, Any]:
    """What happens to each method when the tracer or the receive chain is not what physics assumes."""
    orders = mixing_subset(profile.matrix_components)
    noisy = add_calibration_noise(train, CALIBRATION_NOISE, seed=TRAIN_SEED)
    methods = synthesisers(profile, FOR_ERRORS, noisy, runs)
    cases: dict[str, dict[str, Any]] = {
        "as assumed: equilibrium, calibrated chain": {"phase_seed": None},
        "Debye relaxation, calibrated chain": {"phase_seed": None, "relaxation": "debye"},
        "equilibrium, uncalibrated chain": {"phase_seed": TEST_SEED},
    }
    middle = HELD_OUT_TESTS[1:2]
    settings = {name: middle for name in cases}
    for spread in (0.05, 0.1, 0.15):
        name = f"core diameters spread by {spread:.0%}, uncalibrated chain"
        cases[name] = {"phase_seed": TEST_SEED}
        settings[name] = tuple(replace(test, size_spread=spread) for test in middle)
    results = {}
    for name, options in cases.items():
        pairs = matrix_pairs(settings[name], orders, noise=CALIBRATION_NOISE, seed=TEST_SEED, **options)
        images = {title: method.synthesise(pairs, settings[name]) for title, method in methods.items()}
        images["refitted physics, chain taken as calibrated"] = refit(pairs, settings[name], chain="known")
        results[name] = {title: _rounded(component_scores(image, pairs.high)) for title, image in images.items()}
        print(name, {title: row["psnr"]["median"] for title, row in results[name].items()}, flush=True)
    return results
