"""Steps towards the data behind a network's answer: with D, and with the scanner's own forward model."""

import time
from collections.abc import Callable

import torch

from mpinotes.data import Imaging, scan_split
from mpinotes.operators import Degradation
from mpinotes.reconstruction import levelled, native_model, reconstruct_xspace

REPEATS = 10
"""Of what is timed."""

DataStep = Callable[[torch.Tensor], torch.Tensor]
"""From volumes (batch, 1, z, y, x) in [0, 1] to others that fit their data better."""


def degradation_step(degradation: Degradation, x_lr: torch.Tensor) -> DataStep:
    """A gradient step on ½‖Dx − x_LR‖², half as long as 1/s², s the gain of D: no pattern passes D with much more
    than s.

    >>> from mpinotes.studies.consistency import degradation_step
    >>> from mpinotes.operators import Degradation
    >>> step = degradation_step(Degradation(sigma=1.0), torch.zeros(1, 1, 8, 8, 8))
    >>> step(torch.zeros(1, 1, 8, 8, 8)).abs().max()
    tensor(0.)
    """
    length = 1 / (2 * degradation.scale**2)
    return lambda x: (x - length * degradation.adjoint(degradation(x) - x_lr)).clamp(0, 1)


def scanner_step(split: str, count: int) -> DataStep:
    """A gradient step on ½‖W(Ax − n)‖² for the first `count` volumes of a split, "val" or "test": n their native
    images, A the exact model of them, W the filter that levels how strongly patterns answer, see `levelled`.

    >>> from mpinotes.studies.consistency import scanner_step
    >>> scanner_step("test", 1)(torch.zeros(1, 1, 32, 32, 32)).max() > 0
    tensor(True)
    """
    imaging, signal = Imaging(), scan_split(split, count)
    side = signal.voltage.shape[2]
    native = reconstruct_xspace(signal, imaging.particle, imaging.scan, side) / imaging.concentration
    exact = native_model(imaging.particle, imaging.scan, (side, side, side))
    model = levelled(exact, floor=imaging.regularization).like(native)
    data, length = model.level(native), 1 / model.energy()
    return lambda x: (x - length * model.adjoint(model.apply(x) - data)).clamp(0, 1)


def seconds_per_volume(step: DataStep, x: torch.Tensor) -> float:
    """How long a step takes [s]: the fastest of `REPEATS` that find everything warm, for others only make it slower."""
    step(x)
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step(x)
        seconds.append(time.perf_counter() - start)
    return min(seconds) / len(x)
