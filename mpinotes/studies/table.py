"""Table 1 of Qiu et al. (2026) again: all methods on the whole real test split."""

import time
from pathlib import Path

import torch

from mpinotes.data import ImagePairs, image_split
from mpinotes.diffusion import ANCESTRAL
from mpinotes.evaluation import clear_background, psnr, rmse
from mpinotes.methods import IMAGE_METHODS, Trained, dps
from mpinotes.studies.enhancers import Enhancer, enhancers
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores, training_log

STUDY = "table"

PAPER_TABLE = {
    "edsr": (30.704, 0.636, 7.626),
    "unet": (30.376, 0.837, 7.940),
    "esrgan": (31.237, 0.968, 6.989),
    "ddpm": (34.772, 0.972, 4.709),
    "dccdm": (36.065, 0.981, 3.982),
}
"""The paper's Table 1 by method: PSNR [dB], SSIM, RMSE × 255."""

STRENGTHS = (0.1, 1.0, 3.0, 10.0, 30.0)
"""Of DPS, the best of which is chosen on validation volumes."""

STRENGTH_VOLUMES = 16
"""At most that many validation volumes choose it."""

THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""For `clear_background`, whose default is the best of them on validation volumes."""


def run(profile: Profile, runs: Path) -> Record:
    """Test x_LR, every trained method and DPS on the same pairs, paired with the DDPM volume by volume, as
    they are and with the background cleared.

    Conditions: none for the test split; "validation/strength/…" and "validation/threshold/…" for what was
    tried before.
    """
    methods = find_trained(IMAGE_METHODS, runs)
    ddpm, steps = methods["ddpm"], profile.guided_steps
    pairs, validation = (image_split(split, profile.test_volumes) for split in ("test", "val"))
    tried = _try_strengths(ddpm, validation, steps)
    strength = max(tried, key=lambda row: row.mean).level("strength")
    tested = enhancers(methods) | _guided(ddpm, steps, strength)

    results, rows, series = {"x_lr": pairs.x_lr}, _costs("x_lr", 0, 0, 0.0, len(pairs.x_lr)), []
    for key, enhancer in tested.items():
        start = time.perf_counter()
        results[key] = enhancer.enhance(pairs.x_lr)
        seconds = (time.perf_counter() - start) / len(pairs.x_lr)
        rows += _costs(key, enhancer.calls, enhancer.parameters, seconds, len(pairs.x_lr))
    scores = {key: image_scores(volumes, pairs.x_hr) for key, volumes in results.items()}
    for key, values in scores.items():
        more = {"rmse255": 255 * rmse(results[key], pairs.x_hr)}
        rows += Subject(STUDY, key).means(values | more | differences(values, scores["ddpm"], "ddpm"))
        series.append(Subject(STUDY, key).series("psnr", values["psnr"].tolist(), 3))
    return Record(
        STUDY,
        pairs.source,
        {"x_lr": "x_LR"} | {key: enhancer.title for key, enhancer in tested.items()},
        {"volumes": len(pairs.x_hr)},
        (*rows, *tried, *_try_thresholds(ddpm, validation)),
        tuple(series),
        trainings=tuple(training_log(trained.card) for trained in methods.values()),
    )


def _guided(ddpm: Trained, steps: int, strength: float) -> dict[str, Enhancer]:
    """DPS, and the sampler that it guides, in as many calls."""

    def ancestral(x_lr: torch.Tensor) -> torch.Tensor:
        return ddpm(x_lr, steps=steps, step=ANCESTRAL)

    def guided(x_lr: torch.Tensor) -> torch.Tensor:
        return dps.enhance(ddpm.model, x_lr, ddpm.config, steps=steps, strength=strength)

    return {
        "ddpm_ancestral": Enhancer(f"3D DDPM, {steps} ancestral calls", steps, ddpm, ancestral),
        "dps": Enhancer(f"DPS, {steps} calls", steps, ddpm, guided),
    }


def _costs(key: str, calls: int, parameters: int, seconds: float, volumes: int) -> list[Row]:
    subject = Subject(STUDY, key)
    return [
        subject.number("calls", calls),
        subject.number("parameters", parameters),
        subject.number("seconds_per_volume", round(seconds, 5), volumes),
    ]


def _try_strengths(ddpm: Trained, validation: ImagePairs, steps: int) -> list[Row]:
    """Mean PSNR [dB] of DPS on a few volumes by its strength."""
    x_lr, x_hr = validation.x_lr[:STRENGTH_VOLUMES], validation.x_hr[:STRENGTH_VOLUMES]

    def enhance(strength: float) -> torch.Tensor:
        return dps.enhance(ddpm.model, x_lr, ddpm.config, steps=steps, strength=strength)

    return [_tried("dps", "strength", strength, psnr(enhance(strength), x_hr)) for strength in STRENGTHS]


def _try_thresholds(ddpm: Trained, validation: ImagePairs) -> list[Row]:
    """Mean PSNR [dB] of the DDPM by the threshold under which its background is cleared."""
    enhanced = ddpm(validation.x_lr)
    return [
        _tried("ddpm", "threshold", threshold, psnr(clear_background(enhanced, threshold), validation.x_hr))
        for threshold in THRESHOLDS
    ]


def _tried(key: str, name: str, value: float, scores: torch.Tensor) -> Row:
    subject = Subject(STUDY, key, f"validation/{name}/{value:g}")
    return subject.number("psnr", round(scores.mean().item(), 3), len(scores))
