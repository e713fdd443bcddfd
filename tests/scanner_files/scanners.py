"""Files as scanners write them, made with h5py alone: the layout of OpenMPIData's, and nothing of ours."""

import math
from dataclasses import dataclass

import h5py
import numpy as np

CLOCK, DIVIDERS = 2.5e6, (102, 96, 99)
PERIOD = {1: 102, 2: 1632, 3: 53856}
"""Samples of a period at 2.5 MS/s, that is lcm of the dividers of the drives in use."""


def write(path, content):
    """Datasets by their names; what is None is left out."""
    with h5py.File(path, "w") as file:
        for name, value in content.items():
            if value is not None:
                file[name] = value
    return path


def scanner(drives=2, samples=None):
    """What all files of the scanner hold, with the names of 2.0: three drives with dividers, of which some rest."""
    strength = np.zeros((1, 3, 1))
    strength[0, :drives] = 12e-3
    return {
        "version": "2.0.0",
        "acquisition/numPeriods": 1,
        "acquisition/numAverages": 1,
        "acquisition/gradient": np.diag([-1.0, -1.0, 2.0])[None, None],
        "acquisition/offsetField": np.zeros((1, 1, 3)),
        "acquisition/drivefield/numChannels": 3,
        "acquisition/drivefield/strength": strength,
        "acquisition/drivefield/phase": np.full((1, 3, 1), math.pi / 2),
        "acquisition/drivefield/divider": np.array(DIVIDERS)[:, None],
        "acquisition/drivefield/waveform": "sine",
        "acquisition/drivefield/baseFrequency": CLOCK,
        "acquisition/receiver/numChannels": 3,
        "acquisition/receiver/numSamplingPoints": samples or PERIOD[drives],
        "acquisition/receiver/bandwidth": CLOCK / 2,
        "acquisition/receiver/unit": "V",
    }


@dataclass(frozen=True)
class Robot:
    """A robot that visits voxels in serpentines and parks before each `every` of them, and once at the end."""

    size: tuple[int, int, int]
    every: int

    @property
    def visited(self):
        """Numbers of the voxels, x fastest, in the order of the robot."""
        nx, ny, nz = self.size
        return np.array(
            [
                (z * ny + (ny - 1 - y if z % 2 else y)) * nx + (nx - 1 - x if (y + z) % 2 else x)
                for z in range(nz)
                for y in range(ny)
                for x in range(nx)
            ]
        )

    @property
    def voxel_times(self):
        """When each voxel was visited, in frames from 0."""
        step = np.arange(len(self.visited))
        times = np.empty(len(step), int)
        times[self.visited] = step + step // self.every + 1
        return times

    @property
    def empty_times(self):
        """When the scanner was empty."""
        return np.setdiff1d(np.arange(self.voxel_times.max() + 2), self.voxel_times)


def calibration(clean, background, lines, robot, samples, drives=2, view=(38e-3, 38e-3, 19e-3), dtype=np.complex64):
    """Volts `clean` (channel, line, voxel) over a `background` (channel, line, time), as spectra of `samples`, the
    voxels sorted and the frames of the empty scanner behind them."""
    order = np.concatenate([robot.voxel_times, robot.empty_times])
    frames = np.concatenate([clean, np.zeros((*clean.shape[:2], len(robot.empty_times)))], axis=-1)
    frames = (frames + background[..., order]) * samples
    content = scanner(drives, samples) | {
        "measurement/data": frames[None].astype(dtype),
        "measurement/isTransposed": np.int8(1),
        "measurement/isFourierTransformed": np.int8(1),
        "measurement/isFrequencySelection": np.int8(1),
        "measurement/frequencySelection": np.asarray(lines) + 1,
        "measurement/isFramePermutation": np.int8(1),
        "measurement/framePermutation": order + 1,
        "measurement/isBackgroundFrame": (np.arange(len(order)) >= clean.shape[-1]).astype(np.int8),
        "measurement/isBackgroundCorrected": np.int8(0),
        "measurement/isSpectralLeakageCorrected": np.int8(0),
        "measurement/isTransferFunctionCorrected": np.int8(0),
        "calibration/method": "robot",
        "calibration/order": "xyz",
        "calibration/size": np.array(robot.size),
        "calibration/fieldOfView": np.array(view),
        "calibration/fieldOfViewCenter": np.zeros(3),
        "calibration/deltaSampleSize": np.array([2e-3, 2e-3, 1e-3]),
    }
    return content


def phantom(voltage, drives, is_background):
    """Volts (frame, channel, sample) as counts of 16 bits, of another unit and offset in every channel."""
    factors = np.abs(voltage).max() * np.array([[1.5 / 2**15, 0.3], [2.0 / 2**15, -0.2], [1.2 / 2**15, 0.1]])
    counts = np.round((voltage - factors[:, 1, None]) / factors[:, 0, None])
    return scanner(drives, voltage.shape[-1]) | {
        "acquisition/receiver/dataConversionFactor": factors,
        "measurement/data": counts[:, None].astype(np.int16),
        "measurement/isTransposed": np.int8(0),
        "measurement/isFourierTransformed": np.int8(0),
        "measurement/isFrequencySelection": np.int8(0),
        "measurement/isFramePermutation": np.int8(0),
        "measurement/isBackgroundFrame": np.asarray(is_background, np.int8),
        "measurement/isBackgroundCorrected": np.int8(0),
        "measurement/isSpectralLeakageCorrected": np.int8(0),
        "measurement/isTransferFunctionCorrected": np.int8(0),
    }


def voltage_of(lines, spectrum, samples):
    """u(t) = Σ û_k exp(i2πkt/T) + c.c. at the samples of a period, (…, sample), of û (…, line)."""
    whole = np.zeros((*spectrum.shape[:-1], samples // 2 + 1), complex)
    whole[..., lines] = spectrum * samples
    return np.fft.irfft(whole, samples)
