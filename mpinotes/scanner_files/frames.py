"""The frames of a file: which are of the empty scanner, when they were taken, and what is stored of each."""

import math
from dataclasses import dataclass

import h5py
import numpy as np

from mpinotes.checks import check_count, check_several
from mpinotes.scanner_files.datasets import RECEIVER, count, dataset, flag, holds, numbers
from mpinotes.scanner_files.drives import Drives


@dataclass(frozen=True)
class Frames:
    """How the data of a file are laid out.

    :param periods: of the figure in a frame
    :param channels: receive channels
    :param samples: V, of a period
    :param lines: of the spectrum that are stored, from 0
    :param repeats: figures in a period, one but for scanners that count drives at rest
    :param background: which frames are of the empty scanner, in stored order
    :param time: when each frame was taken, in frames
    :param fast: whether the axis of the frames is the last
    :param fourier: whether spectra are stored, or else samples
    """

    periods: int
    channels: int
    samples: int
    lines: np.ndarray
    repeats: int
    background: np.ndarray
    time: np.ndarray
    fast: bool
    fourier: bool

    @property
    def foreground(self) -> np.ndarray:
        """Numbers of the frames with a sample, in stored order."""
        return np.nonzero(~self.background)[0]

    @property
    def empty(self) -> np.ndarray:
        """Numbers of the frames of the empty scanner, in stored order."""
        return np.nonzero(self.background)[0]

    def chosen(self, channels: tuple[int, ...] | None) -> np.ndarray:
        """The receive channels that the caller wants, (channel,)."""
        if channels is None:
            return np.arange(self.channels)
        accepted = f"different numbers of channels, from 0 to {self.channels - 1}"
        check_several("channels", channels, range(1, self.channels + 1), accepted)
        for channel in channels:
            check_count("channels", channel, 0, self.channels - 1)
        if len(set(channels)) < len(channels):
            raise ValueError(f"channels: got {channels}, accepted are {accepted}")
        return np.array(channels)

    def figure_lines(self) -> np.ndarray:
        """Positions among the stored lines of those that a figure repeated in the period can have."""
        return np.nonzero(self.lines % self.repeats == 0)[0]


def count_periods(file: h5py.File) -> int:
    """Periods of a frame; the name of OpenMPIData's files is an older one."""
    name = "acquisition/numPeriodsPerFrame"
    return count(file, name if holds(file, name) else "acquisition/numPeriods", 1)


def read_frames(file: h5py.File, drives: Drives) -> Frames:
    """The layout of the data of a file with these drives."""
    background = numbers(file, "measurement/isBackgroundFrame", shape=(-1,)) != 0
    older = holds(file, "measurement/isTransposed") and not holds(file, "measurement/isFastFrameAxis")
    samples, repeats = _samples(file, drives)
    return Frames(
        periods=count_periods(file),
        channels=count(file, f"{RECEIVER}/numChannels"),
        samples=samples,
        lines=_lines(file, samples // 2),
        repeats=repeats,
        background=background,
        time=_time(file, len(background)),
        fast=flag(file, "measurement/isTransposed" if older else "measurement/isFastFrameAxis", 0),
        fourier=flag(file, "measurement/isFourierTransformed"),
    )


def _samples(file: h5py.File, drives: Drives) -> tuple[int, int]:
    """V, the samples of a period, and how often the figure repeats in it. Of an odd V, some count the last line as
    half the sampling rate."""
    samples = count(file, f"{RECEIVER}/numSamplingPoints")
    bandwidth, spacing = float(numbers(file, f"{RECEIVER}/bandwidth")), drives.repetition_frequency
    for half in (samples / 2, samples // 2):
        repeats = half * spacing / bandwidth if bandwidth > 0 else 0.0
        if samples > 1 and 0.5 < repeats < samples and math.isclose(repeats, round(repeats), rel_tol=1e-6):
            if max(drives.cycles) * round(repeats) > samples // 2:
                raise ValueError(f"'/{RECEIVER}/numSamplingPoints' is {samples}, too few for a drive of the figure")
            return samples, round(repeats)
    raise ValueError(f"'/{RECEIVER}/bandwidth' is {bandwidth} Hz, accepted is {samples // 2} bins of {spacing} Hz")


def _lines(file: h5py.File, highest: int) -> np.ndarray:
    """The lines of the spectrum that are in the file, from 0, (line,)."""
    if not flag(file, "measurement/isFrequencySelection"):
        return np.arange(highest + 1)
    stored = numbers(file, "measurement/frequencySelection", shape=(-1,))
    lines = stored.astype(np.int64) - 1
    wrong = not lines.size or lines.min() < 0 or lines.max() > highest or len(np.unique(lines)) < len(lines)
    if wrong or (stored % 1).any():
        raise ValueError(f"'/measurement/frequencySelection' is {stored}, accepted are 1 to {highest + 1}, each once")
    return lines


def _time(file: h5py.File, frames: int) -> np.ndarray:
    """When each stored frame was taken; without a permutation, in their order."""
    name = "measurement/framePermutation"
    if not holds(file, name) or not flag(file, "measurement/isFramePermutation", 0):
        return np.arange(frames)
    order = numbers(file, name, shape=(frames,)).reshape(frames)
    if (np.sort(order) != np.arange(1, frames + 1)).any():
        raise ValueError(f"'/{name}' is {order}, accepted are 1 to {frames}, each once")
    return order.astype(np.int64) - 1


def stored_data(file: h5py.File, frames: Frames, stored: int) -> h5py.Dataset | np.ndarray:
    """The data, still in the file: (frame, period, channel, line or sample), or the axis of the frames last.

    `stored`: frames that are stored, fewer where they are compressed. Where axes of length one are missing the data
    are read at once.
    """
    name = "measurement/data"
    found = dataset(file, name)
    if found is None:
        raise ValueError(f"'/{name}' is missing")
    parts = found.dtype.names or ()
    is_complex = found.dtype.kind == "c" or tuple(parts) == ("r", "i")
    if found.dtype.kind not in "iufcV" or (found.dtype.kind == "V" and not is_complex):
        raise ValueError(f"'/{name}' is {found.dtype}, accepted are numbers")
    if is_complex != frames.fourier:
        raise ValueError(
            f"'/{name}' is {found.dtype}, accepted are {'complex' if frames.fourier else 'real'} numbers "
            f"where isFourierTransformed is {int(frames.fourier)}"
        )
    inner = (frames.periods, frames.channels, len(frames.lines) if frames.fourier else frames.samples)
    shape = (*inner, stored) if frames.fast else (stored, *inner)
    if found.shape == shape:
        return found
    if [n for n in found.shape if n != 1] != [n for n in shape if n != 1]:
        raise ValueError(f"'/{name}' has shape {found.shape}, accepted is {shape}")
    return np.reshape(found[()], shape)
