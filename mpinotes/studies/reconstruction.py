"""The proof: phantoms measured at the high gradient and reconstructed with every matrix."""

from pathlib import Path
from typing import Any

import torch

from mpinotes.data import (
    BAR_WIDTHS,
    MatrixPairs,
    add_calibration_noise,
    available_vessels,
    bar_modulation,
    matrix_split,
    points,
    resolution_bars,
)
from mpinotes.evaluation import psnr
from mpinotes.methods.recipes import CALIBRATION_NOISE, TRAIN_SEED, matrix_test_pairs, matrix_train_pairs
from mpinotes.reconstruction import kaczmarz
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import encode_image, image_scores, intervals
from mpinotes.studies.synthesisers import synthesisers

MEASUREMENT_NOISE = 1e-3
"""Of the phantom's voltages, as a share of the strongest line of the vessels at the high gradient; the
same in volts at the low gradient."""

LEAST_SNR = 5.0
"""Lines whose low-gradient component stays below this (peak over noise) are left out of every matrix."""

REGULARIZATIONS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Tried for every matrix on vessels that are not judged; the best is used."""

ANCHORS = 4
"""Per axis: how many high-gradient calibration points fix the complex scale of every component."""

SWEEPS = 20
NOISES = {"clean": 0.0, "noisy": CALIBRATION_NOISE}
PICTURED = "held-out diameters, 45 nm, noisy"
"""Whose images are kept in the record."""


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """PSNR and SSIM of reconstructed vessels, bars and points, per protocol, calibration noise and core diameter."""
    test, tuning = (available_vessels(split, profile.sample_volumes) for split in ("test", "val"))
    phantoms = {"vessels": test.volumes.amax(2)[:, 0], "bars": resolution_bars(), "points": points()}
    results = {}
    for split in ("paper", "held-out diameters"):
        train = matrix_train_pairs(profile, split)
        for noise in NOISES:
            noisy = add_calibration_noise(train, NOISES[noise], seed=TRAIN_SEED)
            methods = synthesisers(profile, split, noisy, runs)
            for setting in matrix_split(split).test:
                pairs = matrix_test_pairs(profile, [setting], NOISES[noise])
                clean = matrix_test_pairs(profile, [setting], 0.0)
                images = {title: method.synthesise(pairs, [setting]) for title, method in methods.items()}
                name = f"{split}, {1e9 * setting.core_diameter:.0f} nm, {noise}"
                results[name] = reconstruct_all(
                    images, pairs, clean.low_voltage, phantoms, tuning.volumes.amax(2)[:, 0],
                    noise=NOISES[noise], pictures=name == PICTURED,
                )  # fmt: skip
                print(name, {title: row["vessels"]["psnr"]["mean"] for title, row in results[name]["rows"].items()})
    return {
        "test data": test.source,
        "volumes": len(test.volumes),
        "bar widths": [1.25 * width for width in BAR_WIDTHS],
        "anchors": ANCHORS**2,
        "truth": {name: encode_image(images[0]) for name, images in phantoms.items()},
        "cases": results,
    }


def anchored(estimate: torch.Tensor, high: torch.Tensor, noise: float, generator: torch.Generator) -> torch.Tensor:
    """The estimate's components times the complex factors that fit `high` [V] best at `ANCHORS`² pixels,
    measured there with standard deviation `noise` per part."""
    sides = [torch.linspace(0, side - 1, ANCHORS + 2).round().long()[1:-1] for side in high.shape[-2:]]
    known, guess = (x[..., sides[0][:, None], sides[1]].flatten(2) for x in (high, estimate.to(high)))
    known = known + noise * 2**0.5 * torch.randn(known.shape, dtype=known.dtype, generator=generator)
    factor = (guess.conj() * known).sum(-1) / guess.abs().square().sum(-1).clamp_min(1e-12)
    return estimate.to(high) * factor[..., None, None]


def reconstruct_all(
    images: dict[str, torch.Tensor],
    pairs: MatrixPairs,
    true_low: torch.Tensor,
    phantoms: dict[str, torch.Tensor],
    tuning: torch.Tensor,
    *,
    noise: float,
    pictures: bool,
) -> dict[str, Any]:
    """Reconstruct with the true high, the measured low (at its own measurement) and every synthesised matrix."""
    generator = torch.Generator().manual_seed(0)
    high = pairs.high_voltage
    measured_low = pairs.low_voltage
    calibration = noise * high.abs().max().item()
    kept = pairs.low_scale > LEAST_SNR * calibration  # (component, channel)
    matrices = {"true high gradient": high, "low gradient, own measurement": measured_low}
    matrices |= {t: anchored(x, high, calibration, generator) for t, x in images.items() if t != "low gradient"}

    frames = torch.cat([*phantoms.values(), tuning]).flatten(1).T.to(high)
    voltages = {"high": high[kept].flatten(1) @ frames, "low": true_low[kept].flatten(1) @ frames}
    spread = MEASUREMENT_NOISE * voltages["high"][:, : len(phantoms["vessels"])].abs().max()
    voltages = {
        key: u + spread * torch.randn(u.shape, dtype=u.dtype, generator=generator) for key, u in voltages.items()
    }
    rows = {}
    for title, matrix in matrices.items():
        measured = voltages["low" if title.startswith("low") else "high"].to(torch.complex64)
        rows[title] = _judge(matrix[kept].flatten(1).to(torch.complex64), measured, phantoms, tuning, pictures)
    return {"lines": int(kept.sum()), "of": kept.numel(), "rows": rows}


def _judge(
    matrix: torch.Tensor,
    measured: torch.Tensor,
    phantoms: dict[str, torch.Tensor],
    tuning: torch.Tensor,
    pictures: bool,
) -> dict[str, Any]:
    # Rows per unit of the strongest: voltages per particle are too small for float32's squares.
    scale = matrix.abs().max()
    signal = matrix.abs().amax(1) > 1e-12 * scale  # a line of which a method knows nothing is left out
    matrix, measured = matrix[signal], measured[signal]
    tried = {}
    for regularization in REGULARIZATIONS:
        solution = kaczmarz(matrix / scale, measured / scale, regularization=regularization, sweeps=SWEEPS)
        frames = solution.T.unflatten(1, tuning.shape[1:]).clamp(0, 1)
        score = psnr(frames[-len(tuning) :, None], tuning[:, None]).mean().item()
        tried[score] = (regularization, frames)
    regularization, frames = tried[max(tried)]
    row: dict[str, Any] = {"regularization": regularization}
    for (name, truth), part in zip(
        phantoms.items(), frames.split([*map(len, phantoms.values()), len(tuning)]), strict=False
    ):
        row[name] = intervals(image_scores(part[:, None], truth[:, None]))
        if name == "bars":
            row[name]["modulation"] = [round(depth, 3) for depth in bar_modulation(part[0])]
        if pictures:
            row[name]["image"] = encode_image(part[0])
    return row
