"""Table 1 of Qiu et al. (2026) again: all methods on the whole real test split."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import ImagePairs, available_vessels, image_pairs
from mpinotes.evaluation import clear_background, psnr, rmse
from mpinotes.methods import dccdm, dps
from mpinotes.methods.recipes import TEST_SEED
from mpinotes.methods.released import Trained
from mpinotes.studies.enhancers import TITLES, enhancers
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import differences, image_scores, intervals, training_log
from mpinotes.studies.trained import find_trained

PAPER = {
    "EDSR": (30.704, 0.636, 7.626),
    "3D U-Net": (30.376, 0.837, 7.940),
    "ESRGAN": (31.237, 0.968, 6.989),
    "3D DDPM": (34.772, 0.972, 4.709),
    "DCCDM": (36.065, 0.981, 3.982),
}
"""The paper's Table 1: PSNR [dB], SSIM, RMSE × 255."""

STRENGTHS = (0.1, 1.0, 3.0, 10.0, 30.0)
"""Of DPS, the best of which is chosen on validation volumes."""

THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""For `clear_background`, whose default is the best of them on validation volumes."""


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """Judge x_LR, every trained method and DPS on the same pairs, paired with the DDPM volume by volume, as
    they are and with the background cleared."""
    methods = find_trained(TITLES, runs)
    test = available_vessels("test", profile.test_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    results: dict[str, torch.Tensor] = {"x_LR": pairs.x_lr}
    about: dict[str, dict[str, Any]] = {"x_LR": {"calls": 0, "parameters": 0, "seconds per volume": 0.0}}
    for title, enhancer in enhancers(methods, profile.sampling_steps).items():
        results[title], seconds = _timed(enhancer.enhance, pairs.x_lr)
        about[title] = {"calls": enhancer.calls, "parameters": enhancer.parameters, "seconds per volume": seconds}

    ddpm, steps = methods["ddpm"], profile.guided_steps
    validation = image_pairs(available_vessels("val", profile.test_volumes).volumes, seed=TEST_SEED + 1)
    strengths = _try_strengths(ddpm, validation, steps)
    strength = max(strengths, key=lambda tried: strengths[tried])
    guided = {
        f"3D DDPM, {steps} ancestral calls": lambda x: dccdm.enhance(ddpm.model, x, ddpm.config, steps=steps, eta=1.0),
        f"DPS, {steps} calls": lambda x: dps.enhance(ddpm.model, x, ddpm.config, steps=steps, strength=strength),
    }
    for title, enhance in guided.items():
        results[title], seconds = _timed(enhance, pairs.x_lr)
        about[title] = about[TITLES["ddpm"]] | {"calls": steps, "seconds per volume": seconds}

    scores = {title: image_scores(volumes, pairs.x_hr) for title, volumes in results.items()}
    rows = {}
    for title, values in scores.items():
        paired = differences(values, scores[TITLES["ddpm"]], "minus 3D DDPM")
        rows[title] = {
            **about[title],
            **intervals(values | {"rmse255": 255 * rmse(results[title], pairs.x_hr)} | paired),
            "psnr of each volume": [round(value, 3) for value in values["psnr"].tolist()],
        }
    return {
        "test data": test.source,
        "volumes": len(test.volumes),
        "rows": rows,
        "DPS strengths tried on validation volumes": _rounded(strengths),
        "thresholds tried on validation volumes": _rounded(_try_thresholds(ddpm, validation, profile.sampling_steps)),
        "training": {TITLES[name]: training_log(trained.card) for name, trained in methods.items()},
    }


def _timed(enhance: Callable[[torch.Tensor], torch.Tensor], x_lr: torch.Tensor) -> tuple[torch.Tensor, float]:
    start = time.perf_counter()
    result = enhance(x_lr)
    return result, round((time.perf_counter() - start) / len(x_lr), 5)


def _try_strengths(ddpm: Trained, validation: ImagePairs, steps: int) -> dict[float, float]:
    """Mean PSNR [dB] of DPS on a few volumes by its strength."""
    x_lr, x_hr = validation.x_lr[:16], validation.x_hr[:16]
    return {
        strength: psnr(dps.enhance(ddpm.model, x_lr, ddpm.config, steps=steps, strength=strength), x_hr).mean().item()
        for strength in STRENGTHS
    }


def _try_thresholds(ddpm: Trained, validation: ImagePairs, steps: int) -> dict[float, float]:
    """Mean PSNR [dB] of the DDPM by the threshold under which its background is cleared."""
    enhanced = dccdm.enhance(ddpm.model, validation.x_lr, ddpm.config, steps=steps)
    return {
        threshold: psnr(clear_background(enhanced, threshold), validation.x_hr).mean().item()
        for threshold in THRESHOLDS
    }


def _rounded(scores: dict[float, float]) -> dict[str, float]:
    return {f"{value:g}": round(score, 3) for value, score in scores.items()}
