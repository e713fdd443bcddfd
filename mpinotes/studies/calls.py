"""Image quality against network calls."""

from pathlib import Path
from typing import Any

import torch

from mpinotes.data import available_vessels, image_pairs
from mpinotes.methods import dccdm, regression
from mpinotes.methods.mirrors import mirror_mean
from mpinotes.methods.recipes import TEST_SEED
from mpinotes.operators import Degradation
from mpinotes.studies.enhancers import TITLES
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import image_scores, intervals
from mpinotes.studies.trained import find_trained


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """DDIM and ancestral sampling of the DDPM over step counts up to T, means of samples, the mean over
    mirror images, data-consistency steps, and the U-Net, on the first `profile.call_volumes` test volumes."""
    methods = find_trained(TITLES, runs)
    ddpm = methods["ddpm"]
    test = available_vessels("test", profile.call_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    reference: torch.Tensor | None = None
    rows = []

    def record(family: str, calls: int, volumes: torch.Tensor, **more: int) -> None:
        nonlocal reference
        scores = image_scores(volumes, pairs.x_hr)
        reference = scores["psnr"] if reference is None else reference
        rows.append(
            {
                "family": family,
                "calls": calls,
                **more,
                **intervals(scores | {"psnr minus full length": scores["psnr"] - reference}),
            }
        )

    def draw(steps: int, eta: float, seed: int = 0) -> torch.Tensor:
        return dccdm.enhance(ddpm.model, pairs.x_lr, ddpm.config, steps=steps, eta=eta, seed=seed)

    for steps in sorted(profile.call_steps, reverse=True):  # the full length first: all else is compared with it
        record("ancestral", steps, draw(steps, 1.0))
    for steps in (1, *profile.call_steps[:-1]):
        record("DDIM", steps, draw(steps, 0.0))
    singles = torch.stack([draw(1, 0.0, seed) for seed in range(8)])
    for count in (2, 4, 8):
        record("mean of single calls", count, singles[:count].mean(0))
    record(
        "mean over mirrors", 8, mirror_mean(lambda x: dccdm.enhance(ddpm.model, x, ddpm.config, steps=1), pairs.x_lr)
    )
    for count in (1, 2, 3):
        volumes = _consistent(singles[0], pairs.x_lr, ddpm.config.degradation, count)
        record("one call, then consistency steps", 1, volumes, steps=count)
    if "unet" in methods:
        unet = methods["unet"].model
        record("U-Net", 1, regression.enhance(unet, pairs.x_lr))
        record("U-Net, mean over mirrors", 8, mirror_mean(lambda x: regression.enhance(unet, x), pairs.x_lr))
    return {
        "test data": test.source,
        "volumes": len(test.volumes),
        "T": ddpm.config.objective.schedule.steps,
        "rows": rows,
    }


def _consistent(x: torch.Tensor, x_lr: torch.Tensor, degradation: Degradation, count: int) -> torch.Tensor:
    """`count` gradient steps on ½‖D(x) − x_LR‖², half as long as the largest that is stable."""
    for _ in range(count):
        x = (x - degradation.adjoint(degradation(x) - x_lr) / (2 * degradation.scale**2)).clamp(0, 1)
    return x
