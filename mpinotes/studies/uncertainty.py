"""Does the spread of the samples tell the error?"""

from pathlib import Path
from typing import Any

import torch

from mpinotes.data import available_vessels, image_pairs
from mpinotes.evaluation import coverage
from mpinotes.methods import dccdm
from mpinotes.methods.recipes import TEST_SEED
from mpinotes.studies.enhancers import TITLES
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import projections
from mpinotes.studies.trained import find_trained

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
UNSURE = 0.02
"""Voxels whose samples spread less than this are sure of being empty or full: they are left out."""


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """Draw `profile.samples` ancestral samples per volume from DDPM and DCCDM and compare spread and truth."""
    methods = find_trained(TITLES, runs)
    test = available_vessels("test", profile.sample_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    rows = {}
    for name in ("ddpm", "dccdm"):
        trained = methods[name]
        samples = torch.stack(
            [
                dccdm.enhance(trained.model, pairs.x_lr, trained.config, steps=profile.guided_steps, eta=1.0, seed=seed)
                for seed in range(profile.samples)
            ]
        )
        spread, error = samples.std(0), (samples.mean(0) - pairs.x_hr).abs()
        unsure = spread > UNSURE
        both = torch.stack([spread[unsure], error[unsure]])
        rows[TITLES[name]] = {
            "unsure voxels": unsure.float().mean().item(),
            "share of the squared error in them": (error.square()[unsure].sum() / error.square().sum()).item(),
            "correlation of spread and error": torch.corrcoef(both)[0, 1].item(),
            "coverage": {
                f"{level:g}": coverage(samples[:, unsure], pairs.x_hr[unsure], level).item() for level in LEVELS
            },
            "mean": projections(samples.mean(0)[0, 0]),
            "spread": projections((2 * spread[0, 0]).clamp(0, 1)),
            "error": projections(error[0, 0].clamp(0, 1)),
        }
    return {
        "test data": test.source,
        "volumes": len(test.volumes),
        "samples": profile.samples,
        "calls": profile.guided_steps,
        "threshold": UNSURE,
        "methods": rows,
    }
