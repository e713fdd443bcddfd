"""Measurements of phantoms, from files and into them."""

from dataclasses import dataclass

import numpy as np
import torch

from mpinotes.checks import check_choice, check_kind, check_tensor
from mpinotes.scanner_files import contents
from mpinotes.scanner_files.background import KEEP, ONLY, SUBTRACT, subtract_background
from mpinotes.scanner_files.datasets import FilePath, accept, flag, opened
from mpinotes.scanner_files.drives import Drives, read_drives
from mpinotes.scanner_files.frames import count_periods, read_frames
from mpinotes.scanner_files.spectra import DIVIDE, read_spectra


@dataclass(frozen=True)
class Measurement:
    """What a scanner receives of a phantom: u(t) = Σ_k û_k exp(i2πf_k t), as that of a `SystemMatrix`.

    :param voltage: complex û_k [V], (frame, channel, line)
    :param frequencies: f_k, (line,) [Hz]
    :param drives: how the field-free point was moved

    >>> from mpinotes.physics import LissajousScan
    >>> drives = Drives.of(LissajousScan(density=9))
    >>> lines = torch.arange(3, dtype=torch.float64)
    >>> Measurement(torch.zeros(5, 2, 3) + 0j, lines * drives.repetition_frequency, drives).frequencies
    tensor([   0., 2500., 5000.], dtype=torch.float64)
    """

    voltage: torch.Tensor
    frequencies: torch.Tensor
    drives: Drives


def load_measurement(
    path: FilePath,
    channels: tuple[int, ...] | None = None,
    *,
    background: str = SUBTRACT,
    transfer: str = DIVIDE,
) -> Measurement:
    """Read a measurement in MDF 2.x, samples or spectra, raw or in volts; a calibration is one as well.

    Frames come in the order in which they were taken; the periods of a frame are averaged. Raises
    ``FileNotFoundError`` where there is no file, and ``ValueError`` with the path and what is wrong for one that is
    damaged or incomplete, or whose scan has several frequencies on one channel, moving fields or patches.

    :param path: of the file
    :param channels: numbers of the receive channels that are kept, from 0; None for all
    :param background: "subtract" the frames of the empty scanner, interpolated to the time of each frame, unless the
        file says that they are or has none; "keep" it in the data; or "only" the empty scanner, whose spread over the
        frames is the noise of each line
    :param transfer: "divide" by the receiver's transfer function where the file holds one and its data still contain
        it, a line that does not pass becoming zero; or "keep" the data as they are

    >>> load_measurement("no/such/phantom.mdf")
    Traceback (most recent call last):
        ...
    FileNotFoundError: no/such/phantom.mdf: there is no such file, accepted is a measurement in MDF 2.x
    """
    check_choice("background", background, (SUBTRACT, KEEP, ONLY))
    check_choice("transfer", transfer, (DIVIDE, KEEP))
    with opened(path, "a measurement in MDF 2.x") as file:
        drives = read_drives(file, count_periods(file))
        frames = read_frames(file, drives)
        chosen, lines = frames.chosen(channels), frames.figure_lines()
        subtract = background == SUBTRACT and not flag(file, "measurement/isBackgroundCorrected", 0)
        wanted = frames.empty if background == ONLY else frames.foreground
        if not len(wanted):
            raise ValueError("'/measurement/isBackgroundFrame' leaves no frame, accepted is one at least")
        wanted = wanted[np.argsort(frames.time[wanted])]
        empty = frames.empty if subtract else frames.empty[:0]
        spectra, of_empty = read_spectra(file, frames, chosen, lines, [wanted, empty], transfer)
        if len(empty):
            subtract_background(spectra, of_empty, frames.time[wanted], frames.time[empty])
        bins = torch.from_numpy(frames.lines[lines] // frames.repeats)
        return Measurement(
            torch.from_numpy(np.moveaxis(spectra, -1, 0).copy()), bins.double() * drives.repetition_frequency, drives
        )


def save_measurement(measurement: Measurement, path: FilePath) -> None:
    """Write `measurement` to `path` in one step: after a failure an older file is as it was.

    Raises ``ValueError`` for one that is not finite or whose frequencies are not lines of its drives, ``OSError``
    where the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> from mpinotes.physics import LissajousScan
    >>> drives = Drives.of(LissajousScan(density=9))
    >>> lines = drives.repetition_frequency * torch.arange(1, 4, dtype=torch.float64)
    >>> with TemporaryDirectory() as folder:
    ...     save_measurement(Measurement(torch.ones(5, 2, 3) + 0j, lines, drives), f"{folder}/phantom.mdf")
    ...     load_measurement(f"{folder}/phantom.mdf").voltage.shape
    torch.Size([5, 2, 3])
    """
    check_measurement(measurement)
    drives, voltage = measurement.drives, measurement.voltage
    position = measurement.frequencies.detach().cpu().double() / drives.repetition_frequency
    bins = position.round().long()
    if (position - bins).abs().max() > 1e-6 or bins.min() < 0 or len(bins.unique()) < len(bins):
        spacing = f"{drives.repetition_frequency:g} Hz"
        raise ValueError(f"frequencies: got others than different multiples of {spacing}, accepted are these")
    samples = max(contents.samples_for(bins), contents.samples_for(torch.tensor(drives.cycles, device="cpu")))
    contents.write(
        contents.provenance(simulated=False)
        | contents.acquisition(drives, len(voltage))
        | contents.receiver(drives, voltage.shape[1], samples)
        | contents.measurement(contents.times_samples(voltage, samples)[:, None], bins.numpy(), fast=False),
        path,
    )


def check_measurement(measurement: Measurement) -> None:
    """Raise ``ValueError`` unless this is one whose voltage and frequencies are finite and fit each other."""
    check_kind("measurement", measurement, Measurement)
    check_kind("drives", measurement.drives, Drives)
    voltage, frequencies = measurement.voltage, measurement.frequencies
    check_tensor("voltage", voltage, 3, "(frame, channel, line)", complex_too=True)
    if not voltage.is_complex():
        raise ValueError(f"voltage: got dtype {voltage.dtype}, accepted are complex numbers")
    check_tensor("frequencies", frequencies, 1, "(line,)")
    accept("frequencies: got shape", tuple(frequencies.shape), (voltage.shape[2],))
