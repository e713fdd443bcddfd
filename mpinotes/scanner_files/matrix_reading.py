"""System matrices from files."""

import h5py
import numpy as np
import torch

from mpinotes.checks import check_choice, check_range
from mpinotes.numerics import as_number
from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.scanner_files.background import KEEP, SUBTRACT, subtract_background
from mpinotes.scanner_files.datasets import RECEIVER, FilePath, dataset, flag, holds, numbers, opened
from mpinotes.scanner_files.drives import Drives, read_drives
from mpinotes.scanner_files.frames import Frames, count_periods, read_frames
from mpinotes.scanner_files.grid import read_grid
from mpinotes.scanner_files.lowest_orders import lowest_orders
from mpinotes.scanner_files.spectra import DIVIDE, read_spectra


def load_matrix(
    path: FilePath,
    least_snr: float = 0.0,
    channels: tuple[int, ...] | None = None,
    plane: int | tuple[int, ...] | None = None,
    *,
    background: str = SUBTRACT,
    transfer: str = DIVIDE,
) -> SystemMatrix:
    """Read a system matrix: ours, or any in MDF 2.x whose scan a `LissajousScan` can describe.

    In a file of others a value is û_k of the coil, in volts per delta sample, the mixing orders are the lowest that
    fall on the line, and the coil sensitivity is 1 T/A, being in the data already. The axes are the directions that
    are driven, in the order x, y, z, and the gradient is zero where the file tells none. The file is read in parts: the
    memory at most is that of the lines that are kept, next to some 80 MB.

    Raises ``FileNotFoundError`` where there is no file, and ``ValueError`` with the path and what is wrong for one
    that is damaged or incomplete, or whose scan has several frequencies on one channel, moving fields or patches.

    :param path: of the file
    :param least_snr: lines are kept that reach it in a channel, by the SNR of the file; `SystemMatrix.rows` picks
        those of each channel
    :param channels: numbers of the receive channels that are kept, from 0; None for all
    :param plane: number of the voxel, from 0, in the direction that is not driven, or of each such direction; None for
        the one nearest to the centre of the scanner. Of a scan that drives all directions it cuts a plane along z
    :param background: "subtract" the frames of the empty scanner, interpolated to the time of each frame, unless the
        file says that they are or has none; or "keep" it in the data
    :param transfer: "divide" by the receiver's transfer function where the file holds one and its data still contain
        it, a line that does not pass becoming zero; or "keep" the data as they are

    >>> load_matrix("no/such/matrix.mdf")
    Traceback (most recent call last):
        ...
    FileNotFoundError: no/such/matrix.mdf: there is no such file, accepted is a system matrix in MDF 2.x
    """
    check_choice("background", background, (SUBTRACT, KEEP))
    check_choice("transfer", transfer, (DIVIDE, KEEP))
    with opened(path, "a system matrix in MDF 2.x") as file:
        return _read(file, least_snr, channels, plane, background, transfer)


def _read(
    file: h5py.File,
    least_snr: float,
    channels: tuple[int, ...] | None,
    plane: int | tuple[int, ...] | None,
    background: str,
    transfer: str,
) -> SystemMatrix:
    drives = read_drives(file, count_periods(file))
    frames = read_frames(file, drives)
    grid = read_grid(file, len(frames.foreground))
    voxels, view, centre = grid.section(drives.axes, plane)
    scan = _scan(file, drives, voxels.shape, view, centre)
    chosen = frames.chosen(channels)
    snr = _snr(file, frames)
    lines = _loud_lines(frames, None if snr is None else snr[chosen], least_snr)
    wanted = frames.foreground[voxels.ravel()]
    subtract = background == SUBTRACT and not flag(file, "measurement/isBackgroundCorrected", 0)
    empty = frames.empty if subtract else frames.empty[:0]
    spectra, of_empty = read_spectra(file, frames, chosen, lines, [wanted, empty], transfer)
    if len(empty):
        subtract_background(spectra, of_empty, frames.time[wanted], frames.time[empty])
    bins = frames.lines[lines] // frames.repeats
    return SystemMatrix(
        components=torch.from_numpy(spectra).reshape(len(chosen), len(lines), *scan.shape),
        mixing_orders=torch.from_numpy(_orders(file, frames.lines, lines, bins, scan)),
        frequencies=torch.from_numpy(bins).double() * scan.repetition_frequency,
        scan=scan,
        snr=None if snr is None else torch.from_numpy(snr[chosen][:, lines]),
    )


def _scan(
    file: h5py.File, drives: Drives, shape: tuple[int, ...], view: np.ndarray, centre: np.ndarray
) -> LissajousScan:
    sensitivity = tuple(numbers(file, f"{RECEIVER}/_coilSensitivity", 1.0, shape=(-1,)).ravel().tolist())
    first = drives.dividers[0]
    consecutive = drives.dividers == tuple(range(first, first + len(drives.dividers)))
    return LissajousScan(
        gradient=drives.gradient,
        amplitude=drives.amplitude,
        base_frequency=drives.base_frequency,
        shape=shape,
        field_of_view=tuple(view.tolist()),
        coil_sensitivity=sensitivity[0] if len(sensitivity) == 1 else sensitivity,
        density=first if consecutive else None,
        cycles=() if consecutive else drives.cycles,
        phase=drives.phase,
        centre=tuple(centre.tolist()),
    )


def _snr(file: h5py.File, frames: Frames) -> np.ndarray | None:
    """SNR of every stored line, (channel, line), where the file tells it; real files have NaN where nothing is."""
    name = "calibration/snr"
    found = dataset(file, name)
    if found is None:
        return None
    shape = (frames.periods, frames.channels, len(frames.lines))
    if found.dtype.kind not in "iuf" or [n for n in found.shape if n != 1] not in (
        [n for n in shape if n != 1],
        [n for n in shape[1:] if n != 1],
    ):
        raise ValueError(f"'/{name}' has shape {found.shape}, accepted is {shape}")
    values = np.asarray(found[()])
    values = np.nan_to_num(values.astype(values.dtype.newbyteorder("="), copy=False))
    return values.reshape(-1, *shape[1:])[0] if len(values) == 1 else values.reshape(-1, *shape[1:]).mean(0)


def _loud_lines(frames: Frames, snr: np.ndarray | None, least_snr: float) -> np.ndarray:
    """Positions among the stored lines of those that reach `least_snr` in one of the channels."""
    lines = frames.figure_lines()
    if snr is None:
        if least_snr != 0:
            raise ValueError(f"least_snr: got {least_snr}, accepted is 0 for a matrix without a measured SNR")
        return lines
    highest = float(snr[:, lines].max()) if len(lines) else 0.0
    check_range("least_snr", least_snr, 0.0, highest)
    return lines[(snr[:, lines] >= as_number(least_snr)).any(0)]


def _orders(
    file: h5py.File, stored: np.ndarray, lines: np.ndarray, bins: np.ndarray, scan: LissajousScan
) -> np.ndarray:
    """Mixing orders, (component, dims)."""
    name = "measurement/_mixingOrders"
    if not holds(file, name):
        return lowest_orders(bins, scan.cycles)
    orders = numbers(file, name, shape=(len(stored), scan.dims)).astype(np.int64)[lines]
    if (orders @ scan.cycles != bins).any():
        raise ValueError("'/measurement/_mixingOrders' falls on other bins than '/measurement/frequencySelection'")
    return orders
