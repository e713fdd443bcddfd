"""Other scanners, each with the λ that suits it."""

from dataclasses import replace

import torch

from mpinotes.data import TRAIN_SEED, Imaging, available_vessels, scan_volumes
from mpinotes.evaluation import psnr
from mpinotes.reconstruction import reconstruct_tikhonov, reconstruct_xspace

LADDER = tuple(50 * 10 ** (-step / 2) for step in range(11))
"""Values of λ, from more than any of our scanners wants to less."""

TUNING_VOLUMES = 24
"""Training volumes that choose λ."""

WORSE = 0.5
"""A value that is so much worse than the best [dB] ends the search: smaller ones only let more noise pass."""


def tuned(imaging: Imaging, volumes: torch.Tensor) -> Imaging:
    """`imaging` with the value of `LADDER` whose images of `volumes`, (batch, 1, z, y, x), have the highest mean PSNR.

    >>> from mpinotes.data import Imaging, synthetic_vessels
    >>> from mpinotes.studies.scanners import tuned
    >>> noisy = tuned(Imaging(), synthetic_vessels(2, side=16).round())
    >>> noisy.regularization
    5.0
    """
    signal = scan_volumes(volumes, imaging, seed=TRAIN_SEED)
    native = reconstruct_xspace(signal, imaging.particle, imaging.scan, volumes.shape[-1]) / imaging.concentration
    found: dict[float, float] = {}
    for value in LADDER:
        image = reconstruct_tikhonov(native, imaging.particle, imaging.scan, regularization=value).clamp(0, 1)
        found[value] = psnr(image, volumes).mean().item()
        if found[value] < max(found.values()) - WORSE:
            break
    return replace(imaging, regularization=max(found, key=found.__getitem__))


def scanner(noise: float, count: int, gradient: float = 1.0) -> Imaging:
    """The scanner of the book with so many times its noise and its gradient, λ chosen on the first training volumes,
    at most `count`.

    >>> from mpinotes.studies.scanners import scanner
    >>> scanner(noise=4.0, count=1).scan.noise
    1.2e-05
    """
    imaging = Imaging()
    along_x, along_y, along_z = (gradient * component for component in imaging.scan.gradient)
    scan = replace(imaging.scan, noise=noise * imaging.scan.noise, gradient=(along_x, along_y, along_z))
    volumes = available_vessels("train", min(count, TUNING_VOLUMES)).volumes
    return tuned(replace(imaging, scan=scan), volumes)
