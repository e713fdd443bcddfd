"""Spectra of chosen lines, read in parts: the memory at most is that of what is kept and of one part."""

from collections.abc import Iterator
from dataclasses import dataclass

import h5py
import numpy as np

from mpinotes.scanner_files.compression import Compression, read_compression
from mpinotes.scanner_files.datasets import RECEIVER, dataset, flag, holds, numbers
from mpinotes.scanner_files.frames import Frames, stored_data

DIVIDE = "divide"
PART = 2**24
"""Bytes that are in flight."""


@dataclass(frozen=True)
class _Chain:
    """From stored numbers to the voltage of the coils: û = (a x + b [k = 0]) / V / transfer, with factors of each
    channel, and the transfer of each channel and chosen line."""

    factors: np.ndarray | None
    transfer: np.ndarray | None
    samples: int


def read_spectra(
    file: h5py.File, frames: Frames, channels: np.ndarray, lines: np.ndarray, groups: list[np.ndarray], transfer: str
) -> list[np.ndarray]:
    """û_k [V] of one period for groups of frames, each (channel, line, frame), mean over the periods of a frame.

    complex64 where the file holds that, or complex128.

    :param file: opened for reading
    :param frames: its layout
    :param channels: numbers of the receive channels
    :param lines: positions among the stored lines
    :param groups: numbers of frames, in stored order
    :param transfer: "divide" by a transfer function that the file holds and its data do not, or "keep" them as they are
    """
    compression = read_compression(file, frames)
    stored = compression.stored if compression else len(frames.background)
    data = stored_data(file, frames, stored)
    chain = _read_chain(file, frames, channels, lines, transfer)
    dtype = np.complex64 if data.dtype.newbyteorder("=") == np.complex64 else np.complex128
    kept = [np.empty((len(channels), len(lines), len(group)), dtype) for group in groups]
    if frames.fast and frames.fourier:
        parts = _parts_of_lines(data, frames, channels, lines, groups, compression)
    else:
        parts = _parts_of_frames(data, frames, channels, lines, groups)
    for number, where, part in parts:
        kept[number][where] = _converted(part, chain, where, frames.lines[lines])
    return kept


_Part = tuple[int, tuple[slice | np.ndarray, ...], np.ndarray]
"""Number of the group, where in it, and the stored numbers, (channel, line, frame)."""


def _parts_of_lines(
    data: h5py.Dataset | np.ndarray,
    frames: Frames,
    channels: np.ndarray,
    lines: np.ndarray,
    groups: list[np.ndarray],
    compression: Compression | None,
) -> Iterator[_Part]:
    """Where the frames run fastest, only the lines that are kept are read."""
    most = max(1, PART // (16 * frames.periods * max(data.shape[-1], len(frames.background))))
    order = np.argsort(lines)
    ends = np.nonzero(np.diff(lines[order]) != 1)[0] + 1
    runs = [run[i : i + most] for run in np.split(order, ends) for i in range(0, len(run), most)]
    for row, channel in enumerate(channels.tolist()):
        for run in runs:
            first, last = int(lines[run[0]]), int(lines[run[-1]]) + 1
            part = (
                _plain(data[:, channel, first:last]).mean(0)
                if frames.periods > 1
                else _plain(data[0, channel, first:last])
            )
            if compression:
                part = compression.undone(part, channel, slice(first, last))
            for number, group in enumerate(groups):
                yield number, (np.array([row])[:, None], run), part[None][..., group]


def _parts_of_frames(
    data: h5py.Dataset | np.ndarray, frames: Frames, channels: np.ndarray, lines: np.ndarray, groups: list[np.ndarray]
) -> Iterator[_Part]:
    """Where the frames run slowest, or have to be transformed, those that are asked for are read whole."""
    size = frames.periods * frames.channels * (len(frames.lines) if frames.fourier else frames.samples)
    count = max(1, PART // (16 * size))
    every = (slice(None), slice(None))
    for first in range(0, len(frames.background), count):
        hits = [np.nonzero((group >= first) & (group < first + count))[0] for group in groups]
        if not any(len(hit) for hit in hits):
            continue
        part = data[..., first : first + count] if frames.fast else data[first : first + count]
        part = _plain(part)
        part = np.moveaxis(part, -1, 0) if frames.fast else part  # (frame, period, channel, …)
        part = part[:, :, channels]
        if frames.fourier:
            part = part[..., lines].mean(1) if frames.periods > 1 else part[:, 0][..., lines]
        else:
            part = np.fft.rfft(part.astype(np.float64).mean(1))[..., lines]
        part = np.moveaxis(part, 0, -1)
        for number, (group, hit) in enumerate(zip(groups, hits, strict=True)):
            if len(hit):
                yield number, (*every, hit), part[..., group[hit] - first]


def _plain(part: np.ndarray) -> np.ndarray:
    """Numbers in the order of this machine; pairs of whole numbers as complex ones."""
    if part.dtype.names:
        return part["r"].astype(np.float64) + 1j * part["i"].astype(np.float64)
    return part.astype(part.dtype.newbyteorder("="), copy=False)


def _converted(part: np.ndarray, chain: _Chain, where: tuple[slice | np.ndarray, ...], lines: np.ndarray) -> np.ndarray:
    channel = where[0].ravel() if isinstance(where[0], np.ndarray) else where[0]
    line = where[1]
    part = np.ascontiguousarray(part)
    halves = part.view(part.real.dtype)  # keeps the sign of zeros
    if chain.factors is not None:
        factors = chain.factors[channel]
        halves = halves * factors[:, :1, None]
        part = halves.view(np.complex128)
        part[:, lines[line] == 0] += chain.samples * factors[:, 1, None, None]
    halves /= chain.samples
    if not np.isfinite(halves).all():
        raise ValueError("'/measurement/data' has NaN or infinite values, accepted are finite numbers")
    if chain.transfer is not None:
        gain = chain.transfer[channel][:, line, None]
        part = np.where(gain == 0, 0, part / np.where(gain == 0, 1, gain))
    return part


def _read_chain(file: h5py.File, frames: Frames, channels: np.ndarray, lines: np.ndarray, transfer: str) -> _Chain:
    name = f"{RECEIVER}/dataConversionFactor"
    factors = None
    if holds(file, name):
        factors = numbers(file, name, shape=(frames.channels, 2)).reshape(frames.channels, 2)[channels].astype(float)
    gain = None
    if transfer == DIVIDE and not flag(file, "measurement/isTransferFunctionCorrected", 0):
        gain = _read_transfer(file, frames)
    return _Chain(factors, None if gain is None else gain[channels][:, lines], frames.samples)


def _read_transfer(file: h5py.File, frames: Frames) -> np.ndarray | None:
    """The transfer function, (channel, stored line), stored for those or for all lines. OpenMPIData's files write it
    with a small f."""
    for name in (f"{RECEIVER}/transferFunction", f"{RECEIVER}/transferfunction"):
        found = dataset(file, name)
        if found is None:
            continue
        every = frames.samples // 2 + 1
        if found.shape == (frames.channels, every):
            return numbers(file, name, shape=(-1,), kind="c").reshape(found.shape)[:, frames.lines]
        return numbers(file, name, shape=(frames.channels, len(frames.lines)), kind="c").reshape(frames.channels, -1)
    return None
