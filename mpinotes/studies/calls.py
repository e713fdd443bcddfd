"""Image quality against network calls."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from mpinotes.data import image_split
from mpinotes.diffusion import ANCESTRAL
from mpinotes.methods import METHODS, mirror_mean
from mpinotes.studies.consistency import degradation_step
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject, image_scores

STUDY = "calls"

CALLED = ("ddpm", "unet")
"""The trained methods that are called, by name."""

METHOD_TITLES = {
    "ddpm_ancestral": "ancestral",
    "ddpm": "DDIM",
    "ddpm_mean": "mean of single calls",
    "ddpm_mirrors": "mean over mirrors",
    "ddpm_consistent": "one call, then consistency steps",
    "unet": "U-Net",
    "unet_mirrors": "U-Net, mean over mirrors",
}
"""What the calls are spent on, by method."""


def run(profile: Profile, runs: Path) -> Record:
    """DDIM and ancestral sampling of the DDPM over step counts up to T, means of samples, the mean over
    mirror images, data-consistency steps, and the U-Net, on the first `profile.call_volumes` test volumes.

    Conditions: "calls/8"; "calls/1/steps/2" with two steps towards the data behind the call.
    """
    methods = find_trained([METHODS[name] for name in CALLED], runs)
    ddpm = methods["ddpm"]
    pairs = image_split("test", profile.call_volumes)

    def volumes() -> Iterator[tuple[str, str, torch.Tensor]]:
        for steps in sorted(profile.call_steps, reverse=True):  # the full length first: all else is compared with it
            yield "ddpm_ancestral", f"calls/{steps}", ddpm(pairs.x_lr, steps=steps, step=ANCESTRAL)
        for steps in (1, *profile.call_steps[:-1]):
            yield "ddpm", f"calls/{steps}", ddpm(pairs.x_lr, steps=steps)
        singles = torch.stack([ddpm(pairs.x_lr, steps=1, seed=seed) for seed in range(8)])
        for count in (2, 4, 8):
            yield "ddpm_mean", f"calls/{count}", singles[:count].mean(0)
        yield "ddpm_mirrors", "calls/8", mirror_mean(partial(ddpm, steps=1), pairs.x_lr)
        closer, x = degradation_step(ddpm.config.degradation, pairs.x_lr), singles[0]
        for count in (1, 2, 3):
            x = closer(x)
            yield "ddpm_consistent", f"calls/1/steps/{count}", x
        if "unet" in methods:
            unet = methods["unet"]
            yield "unet", "calls/1", unet(pairs.x_lr)
            yield "unet_mirrors", "calls/8", mirror_mean(unet, pairs.x_lr)

    rows: list[Row] = []
    reference: torch.Tensor | None = None
    for key, condition, enhanced in volumes():
        scores = image_scores(enhanced, pairs.x_hr)
        reference = scores["psnr"] if reference is None else reference
        rows += Subject(STUDY, key, condition).means(scores | {"psnr_minus_full_length": scores["psnr"] - reference})
    settings = {"volumes": len(pairs.x_hr), "T": ddpm.config.objective.schedule.steps}
    return Record(STUDY, pairs.source, METHOD_TITLES, settings, tuple(rows))
