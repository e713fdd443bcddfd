"""System matrices from files."""

import math

import h5py
import numpy as np
import torch

from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.scanner_files.datasets import RECEIVER, FilePath, accept, numbers, opened, texts
from mpinotes.scanner_files.lowest_orders import lowest_orders
from mpinotes.scanner_files.scan_reading import read_scan


def load_matrix(path: FilePath) -> SystemMatrix:
    """Read a system matrix: ours, or any in MDF 2.x whose scan a `LissajousScan` can describe.

    Background frames are dropped. In a file of others a value is volts per delta sample (a conversion
    factor counts as applied), the mixing orders are the lowest that fall on the bin, and the coil
    sensitivity is 1 T/A, being in the data already. Raises ``FileNotFoundError`` where there is no
    file, ``ValueError`` with the path and what is wrong for one that is damaged, incomplete or
    unsuitable.

    >>> load_matrix("no/such/matrix.mdf")
    Traceback (most recent call last):
        ...
    FileNotFoundError: no/such/matrix.mdf: there is no such file, accepted is a system matrix in MDF 2.x
    """
    with opened(path, "a system matrix in MDF 2.x") as file:
        return _read(file)


def _read(file: h5py.File) -> SystemMatrix:
    version = texts(file, "version")[0]
    if not version.startswith("2."):
        raise ValueError(f"'/version' is {version}, accepted is 2.x")
    accept("'/measurement/isFourierTransformed' is", int(numbers(file, "measurement/isFourierTransformed")), 1)
    accept("'/measurement/isSparsityTransformed' is", int(numbers(file, "measurement/isSparsityTransformed", 0)), 0)
    scan = read_scan(file)
    samples = _samples(file, scan)
    bins = _bins(file, samples // 2)
    channels = int(numbers(file, f"{RECEIVER}/numChannels"))
    spectra = torch.from_numpy(_spectra(file, channels, len(bins), math.prod(scan.shape)))
    components = torch.view_as_complex(torch.view_as_real(spectra) / samples)  # keeps the sign of zeros
    has_snr = "calibration/snr" in file
    return SystemMatrix(
        components=components.reshape(channels, len(bins), *scan.shape),
        mixing_orders=torch.from_numpy(_orders(file, bins, scan)),
        frequencies=torch.from_numpy(bins).double() * scan.repetition_frequency,
        scan=scan,
        snr=torch.from_numpy(numbers(file, "calibration/snr", shape=(1, channels, len(bins)))[0]) if has_snr else None,
    )


def _samples(file: h5py.File, scan: LissajousScan) -> int:
    """V, the samples of a period."""
    samples = int(numbers(file, f"{RECEIVER}/numSamplingPoints"))
    bandwidth, spacing = float(numbers(file, f"{RECEIVER}/bandwidth")), scan.repetition_frequency
    if samples < 2 or not math.isclose(bandwidth, samples // 2 * spacing, rel_tol=1e-6):
        raise ValueError(f"'/{RECEIVER}/bandwidth' is {bandwidth} Hz, accepted is {samples // 2} bins of {spacing} Hz")
    return samples


def _bins(file: h5py.File, highest: int) -> np.ndarray:
    """The bins of the spectrum that are in the file, from 0, (component,)."""
    if not numbers(file, "measurement/isFrequencySelection"):
        return np.arange(highest + 1)
    bins = numbers(file, "measurement/frequencySelection", shape=(-1,)).astype(np.int64) - 1
    if not bins.size or bins.min() < 0 or bins.max() > highest:
        raise ValueError(f"'/measurement/frequencySelection' is {bins + 1}, accepted are 1 to {highest + 1}")
    return bins


def _spectra(file: h5py.File, channels: int, lines: int, voxels: int) -> np.ndarray:
    """The rfft of each voxel's period, (channel, component, voxel), without background frames."""
    background = numbers(file, "measurement/isBackgroundFrame", shape=(-1,)) != 0
    frames = len(background)
    accept("'/measurement/isBackgroundFrame' leaves", frames - int(background.sum()), voxels)
    older = "measurement/isTransposed" in file and "measurement/isFastFrameAxis" not in file
    if numbers(file, "measurement/isTransposed" if older else "measurement/isFastFrameAxis"):
        data = numbers(file, "measurement/data", shape=(1, channels, lines, frames), kind="c")[0]
    else:
        data = numbers(file, "measurement/data", shape=(frames, 1, channels, lines), kind="c")[:, 0]
        data = np.moveaxis(data, 0, -1)
    return np.ascontiguousarray(data[..., ~background])


def _orders(file: h5py.File, bins: np.ndarray, scan: LissajousScan) -> np.ndarray:
    """Mixing orders, (component, dims)."""
    if "measurement/_mixingOrders" not in file:
        return lowest_orders(bins.tolist(), scan.cycles)
    orders = numbers(file, "measurement/_mixingOrders", shape=(len(bins), scan.dims)).astype(np.int64)
    if (orders @ scan.cycles != bins).any():
        raise ValueError("'/measurement/_mixingOrders' falls on other bins than '/measurement/frequencySelection'")
    return orders
