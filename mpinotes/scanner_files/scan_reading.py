"""The scan that a file describes, where a `LissajousScan` can describe it, too."""

import h5py
import numpy as np

from mpinotes.physics import LissajousScan
from mpinotes.scanner_files.datasets import DRIVE, RECEIVER, accept, numbers, texts


def read_scan(file: h5py.File) -> LissajousScan:
    """Drives, selection field and the grid of the voxels."""
    amplitude, divider = _drives(file)
    dims = len(amplitude)
    gradient, size = _gradient_and_size(file, dims)
    frequency = numbers(file, f"{DRIVE}/baseFrequency") / divider
    sensitivity = tuple(np.ravel(numbers(file, f"{RECEIVER}/_coilSensitivity", 1.0, shape=(-1,))).tolist())
    return LissajousScan(
        gradient=gradient,
        amplitude=amplitude,
        base_frequency=float(numbers(file, f"{DRIVE}/_frequency", frequency)),
        density=divider,
        shape=size[::-1],
        field_of_view=tuple(numbers(file, "calibration/fieldOfView", shape=(3,))[:dims].tolist()),
        coil_sensitivity=sensitivity[0] if len(sensitivity) == 1 else sensitivity,
    )


def _drives(file: h5py.File) -> tuple[tuple[float, ...], int]:
    """Amplitudes [T], and the divider of the first drive; drives without a field, after the others, do
    not count."""
    drives = int(numbers(file, f"{DRIVE}/numChannels"))
    amplitude, phase = (
        numbers(file, f"{DRIVE}/{name}", shape=(1, drives, 1)).ravel() for name in ("strength", "phase")
    )
    dims = int(np.count_nonzero(amplitude))
    if not 1 <= dims <= 3 or not amplitude[:dims].all():
        raise ValueError(f"'/{DRIVE}/strength' is {amplitude}, accepted are one to three drives, x first")
    if set(texts(file, f"{DRIVE}/waveform")) != {"sine"} or not np.allclose(np.sin(phase[:dims]), 1, rtol=0):
        raise ValueError(f"'/{DRIVE}/phase' is {phase}, accepted are sines at π/2: a LissajousScan has cosines")
    divider = numbers(file, f"{DRIVE}/divider", shape=(drives, 1)).ravel()[:dims].astype(int)
    if divider[0] < 1 or (np.diff(divider) != 1).any():
        raise ValueError(
            f"'/{DRIVE}/divider' is {divider}, accepted are consecutive ones, N_d, N_d + 1, N_d + 2: "
            "a LissajousScan describes no other figure"
        )
    return tuple(amplitude[:dims].tolist()), int(divider[0])


def _gradient_and_size(file: h5py.File, dims: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """(G_x, G_y, …) [T/m] and voxels (x, y, …) of a grid around the centre of the scanner, x fastest."""
    gradient = numbers(file, "acquisition/gradient", shape=(1, 1, 3, 3))[0, 0]
    size = numbers(file, "calibration/size", shape=(3,)).astype(int)
    if (gradient != np.diag(np.diag(gradient))).any() or (size[dims:] != 1).any():
        raise ValueError(
            f"'/acquisition/gradient' is {gradient.tolist()} and '/calibration/size' {size}, "
            "accepted are a diagonal and one voxel in directions without a drive"
        )
    for name, shape in (("acquisition/offsetField", (1, 1, 3)), ("calibration/fieldOfViewCenter", (3,))):
        if numbers(file, name, 0, shape=shape).ravel()[:dims].any():
            raise ValueError(f"'/{name}' is not zero: a LissajousScan is centred")
    meander = numbers(file, "calibration/isMeanderingGrid", 0) and not numbers(file, "measurement/isFramePermutation")
    accept("'/calibration/order' is", "meander" if meander else texts(file, "calibration/order", "xyz")[0], "xyz")
    return tuple(np.diag(gradient)[:dims].tolist()), tuple(size[:dims].tolist())
