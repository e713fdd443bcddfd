"""System matrices into files."""

import io
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
import torch

from mpinotes.checks import check_tensor
from mpinotes.files import save_atomically
from mpinotes.physics import LissajousScan, SystemMatrix
from mpinotes.scanner_files.datasets import DRIVE, RECEIVER, FilePath, accept
from mpinotes.scanner_files.drives import Drives

_NO, _YES = np.int8(0), np.int8(1)


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
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, value in _contents(matrix).items():
            dtype = h5py.string_dtype() if np.asarray(value).dtype.kind == "U" else None
            file.create_dataset(name, data=value, dtype=dtype)
    save_atomically(Path(path), buffer.getvalue())


def _contents(matrix: SystemMatrix) -> dict[str, Any]:
    """Every dataset of the file by its name."""
    scan, bins = matrix.scan, _checked_bins(matrix)
    samples = 1 << int(2 * bins.max() + 1).bit_length()  # keeps every line below V/2
    return (
        _provenance()
        | _fields(scan)
        | _drives(scan)
        | _receiver(scan, len(matrix.components), samples)
        | _measurement(matrix, bins, samples)
        | _calibration(matrix)
    )


def _checked_bins(matrix: SystemMatrix) -> torch.Tensor:
    """The lines of the spectrum, (component,), of a matrix that fits its scan."""
    scan = matrix.scan
    check_tensor("components", matrix.components, 2 + scan.dims, "(channel, component, …, y, x)", complex_too=True)
    channels, lines = matrix.components.shape[:2]
    accept("components: got shape", tuple(matrix.components.shape[2:]), tuple(scan.shape))
    accept("mixing_orders: got shape", tuple(matrix.mixing_orders.shape), (lines, scan.dims))
    accept("frequencies: got shape", tuple(matrix.frequencies.shape), (lines,))
    if matrix.snr is not None:
        check_tensor("snr", matrix.snr, 2, "(channel, component)")
        accept("snr: got shape", tuple(matrix.snr.shape), (channels, lines))
    bins = scan.bins(matrix.mixing_orders.cpu().long())
    theirs = np.allclose(matrix.frequencies.cpu(), bins.double() * scan.repetition_frequency, rtol=1e-9, atol=0)
    if not theirs or bins.min() < 0:
        raise ValueError("frequencies: got others than those of mixing_orders, accepted are theirs, none negative")
    return bins


def _group(group: str, /, **entries: Any) -> dict[str, Any]:
    return {f"{group}/{name}": value for name, value in entries.items()}


def _provenance() -> dict[str, Any]:
    """What, by whom and when: a simulation knows little of that."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    names, unknown = {"name": "mpinotes", "number": 0, "description": "simulated"}, "n.a."
    tracer = {name: [unknown] for name in ("name", "batch", "vendor", "solute")}
    scanner = {name: unknown for name in ("facility", "operator", "manufacturer")}
    return {
        "version": "2.1.0",
        "uuid": str(uuid4()),
        "time": now,
        **_group("study", **names, uuid=str(uuid4())),
        **_group("experiment", **names, uuid=str(uuid4()), subject=unknown, isSimulation=_YES),
        **_group("tracer", **tracer, volume=[math.nan], concentration=[math.nan]),  # a single particle has neither
        **_group("scanner", name="mpinotes", **scanner, topology="FFP"),
        **_group("acquisition", startTime=now),
    }


def _fields(scan: LissajousScan) -> dict[str, Any]:
    rest = 3 - scan.dims
    gradient = [*scan.gradient, *[-sum(scan.gradient) / max(rest, 1)] * rest]  # free of divergence
    return _group(
        "acquisition",
        numAverages=1,
        numPeriodsPerFrame=1,
        numFrames=math.prod(scan.shape),
        gradient=np.diag(np.array(gradient, float))[None, None],
        offsetField=np.zeros((1, 1, 3)),
    )


def _drives(scan: LissajousScan) -> dict[str, Any]:
    dims = scan.dims
    dividers = Drives.of(scan).dividers
    return _group(
        DRIVE,
        numChannels=dims,
        strength=np.array(scan.amplitude, float)[None, :, None],
        waveform=[["sine"]] * dims,
        phase=(np.remainder(np.array(scan.phases, float) + 1.5 * math.pi, 2 * math.pi) - math.pi)[None, :, None],
        divider=[[divider] for divider in dividers],
        cycle=1 / scan.repetition_frequency,
        baseFrequency=float(dividers[0] * scan.base_frequency),
        _frequency=float(scan.base_frequency),  # what baseFrequency / divider may miss by a bit
        _phase=np.array(scan.phases, float),  # of cosines
    )


def _receiver(scan: LissajousScan, channels: int, samples: int) -> dict[str, Any]:
    return _group(
        RECEIVER,
        numChannels=channels,
        numSamplingPoints=samples,
        unit="V",
        bandwidth=samples // 2 * scan.repetition_frequency,
        _coilSensitivity=np.array(scan.coil_sensitivity, float),
    )


def _measurement(matrix: SystemMatrix, bins: torch.Tensor, samples: int) -> dict[str, Any]:
    channels, lines = matrix.components.shape[:2]
    voxels = math.prod(matrix.scan.shape)
    components = matrix.components.detach().cpu().resolve_conj()
    data = torch.view_as_complex(torch.view_as_real(components) * samples)  # keeps the sign of zeros
    return _group(
        "measurement",
        data=data.numpy().reshape(1, channels, lines, voxels),
        _mixingOrders=matrix.mixing_orders.cpu().long().numpy(),
        isFourierTransformed=_YES,
        isFastFrameAxis=_YES,
        isBackgroundCorrected=_YES,
        isFrequencySelection=_YES,
        frequencySelection=bins.numpy() + 1,
        isFramePermutation=_YES,
        framePermutation=np.arange(1, voxels + 1),
        isBackgroundFrame=np.zeros(voxels, np.int8),
        isSparsityTransformed=_NO,
        isSpectralLeakageCorrected=_NO,
        isTransferFunctionCorrected=_NO,
    )


def _calibration(matrix: SystemMatrix) -> dict[str, Any]:
    scan, rest = matrix.scan, 3 - matrix.scan.dims
    edges = [view / pixels for view, pixels in zip(scan.field_of_view, scan.shape[::-1], strict=True)]
    snr = {} if matrix.snr is None else {"snr": matrix.snr.detach().cpu().double().numpy()[None]}
    return _group(
        "calibration",
        method="simulation",
        order="xyz",
        size=[*scan.shape[::-1], *[1] * rest],
        fieldOfView=np.array([*scan.field_of_view, *[min(edges)] * rest], float),
        fieldOfViewCenter=np.array([*scan.centres, *[0.0] * rest], float),
        deltaSampleSize=[*edges, *[min(edges)] * rest],
        **snr,
    )
