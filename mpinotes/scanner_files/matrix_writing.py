"""System matrices into files."""

import math
from typing import Any

import numpy as np
import torch

from mpinotes.checks import check_kind, check_tensor
from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.physics.mixing_orders import check_orders
from mpinotes.scanner_files import contents
from mpinotes.scanner_files.datasets import RECEIVER, FilePath, accept
from mpinotes.scanner_files.drives import Drives


def save_matrix(matrix: SystemMatrix, path: FilePath) -> None:
    """Write `matrix` to `path` in one step: after a failure an older file is as it was.

    A direction that is not scanned gets one voxel, as long as the shortest edge of a pixel, so that
    voxels keep a volume. Raises ``ValueError`` for a matrix that does not fit its scan, has negative
    frequencies or is not finite, ``OSError`` where the file cannot be written.

    >>> from tempfile import TemporaryDirectory
    >>> from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix
    >>> scan, orders = LissajousScan(shape=(4, 4)), mixing_orders(2, 3)
    >>> matrix = simulate_system_matrix(scan, Particle(20e-9), orders)
    >>> with TemporaryDirectory() as folder:
    ...     save_matrix(matrix, f"{folder}/matrix.mdf")
    ...     torch.equal(load_matrix(f"{folder}/matrix.mdf").components, matrix.components)
    True
    """
    bins, scan = _checked_bins(matrix), matrix.scan
    channels, voxels, drives = len(matrix.components), math.prod(scan.shape), Drives.of(scan)
    samples = contents.samples_for(bins)
    data = contents.times_samples(matrix.components, samples).reshape(1, channels, len(bins), voxels)
    contents.write(
        contents.provenance(simulated=True)
        | contents.acquisition(drives, voxels)
        | contents.receiver(drives, channels, samples)
        | contents.group(RECEIVER, _coilSensitivity=np.array(scan.coil_sensitivity, float))
        | contents.measurement(data, bins.numpy(), fast=True)
        | contents.group("measurement", _mixingOrders=matrix.mixing_orders.cpu().long().numpy())
        | _calibration(matrix),
        path,
    )


def _checked_bins(matrix: SystemMatrix) -> torch.Tensor:
    """The lines of the spectrum, (component,), of a matrix that fits its scan."""
    check_kind("matrix", matrix, SystemMatrix)
    scan = matrix.scan
    check_kind("scan", scan, LissajousScan)
    check_tensor("components", matrix.components, 2 + scan.dims, "(channel, component, …, y, x)", complex_too=True)
    if not matrix.components.is_complex():
        raise ValueError(f"components: got dtype {matrix.components.dtype}, accepted are complex numbers")
    channels, lines = matrix.components.shape[:2]
    accept("components: got shape", tuple(matrix.components.shape[2:]), tuple(scan.shape))
    check_orders(matrix.mixing_orders, scan.dims, "mixing_orders")
    accept("mixing_orders: got shape", tuple(matrix.mixing_orders.shape), (lines, scan.dims))
    check_tensor("frequencies", matrix.frequencies, 1, "(component,)")
    accept("frequencies: got shape", tuple(matrix.frequencies.shape), (lines,))
    if matrix.snr is not None:
        check_tensor("snr", matrix.snr, 2, "(channel, component)")
        accept("snr: got shape", tuple(matrix.snr.shape), (channels, lines))
        if matrix.snr.min() < 0:  # no reader takes it
            raise ValueError(f"snr: got {matrix.snr.min():g}, accepted is at least 0")
    bins = scan.bins(matrix.mixing_orders.cpu().long())
    theirs = np.allclose(matrix.frequencies.cpu(), bins.double() * scan.repetition_frequency, rtol=1e-9, atol=0)
    if not theirs or bins.min() < 0:
        raise ValueError("frequencies: got others than those of mixing_orders, accepted are theirs, none negative")
    return bins


def _calibration(matrix: SystemMatrix) -> dict[str, Any]:
    scan, rest = matrix.scan, 3 - matrix.scan.dims
    edges = [view / pixels for view, pixels in zip(scan.field_of_view, scan.shape[::-1], strict=True)]
    snr = {} if matrix.snr is None else {"snr": matrix.snr.detach().cpu().double().numpy()[None]}
    return contents.group(
        "calibration",
        method="simulation",
        order="xyz",
        size=[*scan.shape[::-1], *[1] * rest],
        fieldOfView=np.array([*scan.field_of_view, *[min(edges)] * rest], float),
        fieldOfViewCenter=np.array([*scan.centres, *[0.0] * rest], float),
        deltaSampleSize=[*edges, *[min(edges)] * rest],
        **snr,
    )
