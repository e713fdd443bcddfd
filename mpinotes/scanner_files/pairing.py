"""A matrix and a measurement of one scanner, as a reconstruction takes them."""

import math

import torch

from mpinotes.checks import check_kind
from mpinotes.physics import SystemMatrix
from mpinotes.scanner_files.measurement import Measurement, check_measurement

_ALIKE = 1e-2
"""What amplitudes and gradients of one scanner may differ by, relatively; phases in radians."""


def pair_rows(
    matrix: SystemMatrix, measurement: Measurement, least_snr: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows (row, voxel) of `matrix` that reach `least_snr`, and what was measured on their lines, (row, frame).

    Rows without any signal are left out: those of lines that the receiver does not pass. Neither argument is changed.
    Raises ``ValueError`` that says what does not fit: channels, drives, gradient or lines.

    >>> from mpinotes.physics import LissajousScan, Particle, simulate_system_matrix
    >>> from mpinotes.reconstruction import kaczmarz
    >>> scan = LissajousScan(shape=(4, 4), density=9)
    >>> matrix = simulate_system_matrix(scan, Particle(20e-9))
    >>> phantom = torch.eye(4, dtype=torch.float64)
    >>> voltage = (matrix.components * phantom).sum((-2, -1))[None]
    >>> rows, measured = pair_rows(matrix, Measurement(voltage, matrix.frequencies, Drives.of(scan)))
    >>> image = kaczmarz(rows, measured, regularization=1e-9, sweeps=100).T.view(4, 4)
    >>> (image - phantom).abs().max() < 0.05
    tensor(True)
    """
    check_kind("matrix", matrix, SystemMatrix)
    check_measurement(measurement)
    _check_drives(matrix, measurement)
    channels, found = matrix.components.shape[0], measurement.voltage.shape[1]
    if channels != found:
        raise ValueError(
            f"measurement: got {found} channels, accepted are those of matrix, {channels} (load both with the same)"
        )
    lines = _lines(matrix.frequencies, measurement.frequencies)
    rows, kept = matrix.rows(least_snr)
    measured = measurement.voltage[:, :, lines.to(measurement.voltage.device)][:, kept].T
    loud = rows.abs().amax(1) > 0
    if not loud.any():
        raise ValueError("matrix: got no row with a signal, accepted is one at least")
    return rows[loud], measured[loud]


def _check_drives(matrix: SystemMatrix, measurement: Measurement) -> None:
    scan, drives = matrix.scan, measurement.drives
    if len(drives.amplitude) != scan.dims:
        raise ValueError(f"measurement: got {len(drives.amplitude)} drives, accepted are those of matrix, {scan.dims}")
    frequency = math.isclose(drives.base_frequency, scan.base_frequency, rel_tol=1e-6)
    if drives.cycles != tuple(scan.cycles) or not frequency:
        raise ValueError(
            f"measurement: got dividers for {drives.cycles} cycles at {drives.base_frequency:g} Hz, accepted are those "
            f"of matrix, {tuple(scan.cycles)} at {scan.base_frequency:g} Hz"
        )
    for name, unit, ours, theirs in (
        ("an amplitude", "T", scan.amplitude, drives.amplitude),
        ("a gradient", "T/m", scan.gradient, drives.gradient),
    ):
        known = any(ours) and any(theirs)
        if known and not all(math.isclose(a, b, rel_tol=_ALIKE) for a, b in zip(ours, theirs, strict=True)):
            raise ValueError(f"measurement: got {name} of {theirs} {unit}, accepted is that of matrix, {ours}")
    turned = [math.remainder(a - b, 2 * math.pi) for a, b in zip(scan.phases, drives.phase, strict=True)]
    if max(map(abs, turned)) > _ALIKE:
        raise ValueError(f"measurement: got drives of phase {drives.phase} rad, accepted are {scan.phases}")


def _lines(wanted: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """Where the lines of the matrix are among those of the measurement."""
    order = measured.cpu().argsort()
    sorted_lines, asked = measured.cpu().double()[order], wanted.cpu().double()
    nearest = torch.searchsorted((sorted_lines[1:] + sorted_lines[:-1]) / 2, asked)
    lacking = (sorted_lines[nearest] - asked).abs() > 1e-6 * asked.abs().clamp_min(1.0)
    if lacking.any():
        raise ValueError(
            f"measurement: got {len(measured)} lines from {sorted_lines[0]:g} to {sorted_lines[-1]:g} Hz, accepted are "
            f"those of matrix, of which {int(lacking.sum())} lack, as {asked[lacking][0]:g} Hz"
        )
    return order[nearest]
