"""System matrices as files in the Magnetic Particle Imaging Data Format (MDF) 2.1, a layout of HDF5.

Source: the MDF specification 2.1.0 (Knopp et al., arXiv 1602.06072). Where it leaves a choice we do
as its reference implementation MPIFiles.jl does. Above all: the data are the rfft of the V samples
of one period, not normalised, that is V û_k. Our V is a power of two, so the way into a file and
back changes no bit. Names that start with an underscore are additions of ours.
"""

import io
import itertools
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

FilePath = str | Path
_DRIVE, _RECEIVER = "acquisition/drivefield/", "acquisition/receiver/"


def save_matrix(matrix: SystemMatrix, path: FilePath) -> None:
    """Write `matrix` to `path` in one step: after a failure an older file there is as it was.

    A direction that is not scanned gets one voxel, as long as the shortest edge of a pixel, so that
    voxels keep a volume. Raises ``ValueError`` for a matrix that does not fit its scan, has negative
    frequencies or is not finite, ``OSError`` where the file cannot be written.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for group, entries in _contents(matrix).items():
            for name, value in entries.items():
                dtype = h5py.string_dtype() if np.asarray(value).dtype.kind == "U" else None
                file.create_dataset(group + name, data=value, dtype=dtype)
    save_atomically(Path(path), buffer.getvalue())


def load_matrix(path: FilePath) -> SystemMatrix:
    """Read a system matrix: ours, or any in MDF 2.x whose scan a `LissajousScan` can describe.

    Background frames are dropped. In a file of others a value is volts per delta sample (a conversion
    factor counts as applied), the mixing orders are the lowest that fall on the bin, and the coil
    sensitivity is 1 T/A, being in the data already. Raises ``FileNotFoundError`` where there is no
    file, ``ValueError`` with the path and what is wrong for one that is damaged, incomplete or
    unsuitable.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file, accepted is a system matrix in MDF 2.x")
    try:
        with h5py.File(path, "r") as file:
            return _read(file)
    except (OSError, RuntimeError) as error:  # what h5py raises on damaged files
        raise ValueError(f"{path}: damaged, or no HDF5 file ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _contents(matrix: SystemMatrix) -> dict[str, dict[str, Any]]:
    """Every dataset of the file, by group and name."""
    scan, dims = matrix.scan, matrix.scan.dims
    check_tensor("components", matrix.components, 2 + dims, "(channel, component, …, y, x)")
    channels, lines = matrix.components.shape[:2]
    orders = matrix.mixing_orders.cpu().long()
    _accept("components: got shape", tuple(matrix.components.shape[2:]), tuple(scan.shape))
    _accept("mixing_orders: got shape", tuple(orders.shape), (lines, dims))
    _accept("frequencies: got shape", tuple(matrix.frequencies.shape), (lines,))
    bins = scan.bins(orders)
    theirs = np.allclose(matrix.frequencies.cpu(), bins.double() * scan.repetition_frequency, rtol=1e-9, atol=0)
    if not theirs or bins.min() < 0:
        raise ValueError("frequencies: got others than those of mixing_orders, accepted are theirs, none negative")
    samples = 1 << int(2 * bins.max() + 1).bit_length()  # keeps every line below V/2
    data = torch.view_as_complex(torch.view_as_real(matrix.components.detach().cpu().resolve_conj()) * samples)
    voxels, rest = math.prod(scan.shape), 3 - dims
    edges = [view / pixels for view, pixels in zip(scan.field_of_view, scan.shape[::-1], strict=True)]
    gradient = [*scan.gradient, *[-sum(scan.gradient) / max(rest, 1)] * rest]  # free of divergence
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    no, yes, names = np.int8(0), np.int8(1), {"name": "mpinotes", "number": 0, "description": "simulated"}
    groups: dict[str, dict[str, Any]] = {
        "": {"version": "2.1.0", "uuid": str(uuid4()), "time": now},
        "study/": {**names, "uuid": str(uuid4())},
        "experiment/": {**names, "uuid": str(uuid4()), "subject": "n.a.", "isSimulation": yes},
        "tracer/": {
            "name": ["n.a."], "batch": ["n.a."], "vendor": ["n.a."], "solute": ["n.a."],
            "volume": [math.nan], "concentration": [math.nan],  # a single particle has neither
        },
        "scanner/": {
            "name": "mpinotes", "facility": "n.a.", "operator": "n.a.", "manufacturer": "n.a.", "topology": "FFP",
        },
        "acquisition/": {
            "startTime": now, "numAverages": 1, "numPeriodsPerFrame": 1, "numFrames": voxels,
            "gradient": np.diag(np.array(gradient, float))[None, None], "offsetField": np.zeros((1, 1, 3)),
        },
        _DRIVE: {
            "numChannels": dims, "strength": np.array(scan.amplitude, float)[None, :, None],
            "waveform": [["sine"]] * dims, "phase": np.full((1, dims, 1), math.pi / 2),  # cosines
            "divider": [[scan.density + axis] for axis in range(dims)], "cycle": 1 / scan.repetition_frequency,
            "baseFrequency": float(scan.density * scan.base_frequency),
            "_frequency": float(scan.base_frequency),  # what baseFrequency / divider may miss by a bit
        },
        _RECEIVER: {
            "numChannels": channels, "numSamplingPoints": samples, "unit": "V",
            "bandwidth": samples // 2 * scan.repetition_frequency,
            "_coilSensitivity": np.array(scan.coil_sensitivity, float),
        },
        "measurement/": {
            "data": data.numpy().reshape(1, channels, lines, voxels), "_mixingOrders": orders.numpy(),
            "isFourierTransformed": yes, "isFastFrameAxis": yes, "isBackgroundCorrected": yes,
            "isFrequencySelection": yes, "frequencySelection": bins.numpy() + 1,
            "isFramePermutation": yes, "framePermutation": np.arange(1, voxels + 1),
            "isBackgroundFrame": np.zeros(voxels, np.int8), "isSparsityTransformed": no,
            "isSpectralLeakageCorrected": no, "isTransferFunctionCorrected": no,
        },
        "calibration/": {
            "method": "simulation", "order": "xyz", "size": [*scan.shape[::-1], *[1] * rest],
            "fieldOfView": np.array([*scan.field_of_view, *[min(edges)] * rest], float),
            "fieldOfViewCenter": np.zeros(3), "deltaSampleSize": [*edges, *[min(edges)] * rest],
        },
    }  # fmt: skip
    if matrix.snr is not None:
        check_tensor("snr", matrix.snr, 2, "(channel, component)")
        _accept("snr: got shape", tuple(matrix.snr.shape), (channels, lines))
        groups["calibration/"]["snr"] = matrix.snr.detach().cpu().double().numpy()[None]
    return groups


def _read(file: h5py.File) -> SystemMatrix:
    """The system matrix in an open file; ``ValueError`` with what is wrong, without the path."""
    version = _texts(file, "version")[0]
    if not version.startswith("2."):
        raise ValueError(f"'/version' is {version}, accepted is 2.x")
    _accept("'/measurement/isFourierTransformed' is", int(_numbers(file, "measurement/isFourierTransformed")), 1)
    _accept("'/measurement/isSparsityTransformed' is", int(_numbers(file, "measurement/isSparsityTransformed", 0)), 0)
    scan = _read_scan(file)
    samples = int(_numbers(file, _RECEIVER + "numSamplingPoints"))
    highest, spacing = samples // 2, scan.repetition_frequency
    bandwidth = float(_numbers(file, _RECEIVER + "bandwidth"))
    if samples < 2 or not math.isclose(bandwidth, highest * spacing, rel_tol=1e-6):
        raise ValueError(f"'/{_RECEIVER}bandwidth' is {bandwidth} Hz, accepted is {highest} bins of {spacing} Hz")
    if _numbers(file, "measurement/isFrequencySelection"):
        bins = _numbers(file, "measurement/frequencySelection", shape=(-1,)).astype(np.int64) - 1
        if not bins.size or bins.min() < 0 or bins.max() > highest:
            raise ValueError(f"'/measurement/frequencySelection' is {bins + 1}, accepted are 1 to {highest + 1}")
    else:
        bins = np.arange(highest + 1)
    background = _numbers(file, "measurement/isBackgroundFrame", shape=(-1,)) != 0
    channels, frames, lines = int(_numbers(file, _RECEIVER + "numChannels")), len(background), len(bins)
    _accept("'/measurement/isBackgroundFrame' leaves", frames - int(background.sum()), math.prod(scan.shape))
    older = "measurement/isTransposed" in file and "measurement/isFastFrameAxis" not in file
    if _numbers(file, "measurement/isTransposed" if older else "measurement/isFastFrameAxis"):
        data = _numbers(file, "measurement/data", shape=(1, channels, lines, frames), kind="c")[0]
    else:
        data = _numbers(file, "measurement/data", shape=(frames, 1, channels, lines), kind="c")[:, 0]
        data = np.moveaxis(data, 0, -1)
    volts = torch.view_as_real(torch.from_numpy(np.ascontiguousarray(data[..., ~background]))) / samples
    if "measurement/_mixingOrders" in file:
        orders = _numbers(file, "measurement/_mixingOrders", shape=(lines, len(scan.cycles))).astype(np.int64)
        if (orders @ scan.cycles != bins).any():
            raise ValueError("'/measurement/_mixingOrders' falls on other bins than '/measurement/frequencySelection'")
    else:
        orders = _lowest_orders(bins.tolist(), scan.cycles)
    snr = _numbers(file, "calibration/snr", shape=(1, channels, lines))[0] if "calibration/snr" in file else None
    return SystemMatrix(
        components=torch.view_as_complex(volts).reshape(channels, lines, *scan.shape),
        mixing_orders=torch.from_numpy(orders),
        frequencies=torch.from_numpy(bins).double() * spacing,
        scan=scan,
        snr=None if snr is None else torch.from_numpy(snr),
    )


def _read_scan(file: h5py.File) -> LissajousScan:
    """The scan and the grid of the voxels; drives without a field, after the others, do not count."""
    drives = int(_numbers(file, _DRIVE + "numChannels"))
    amplitude, phase = (_numbers(file, _DRIVE + name, shape=(1, drives, 1)).ravel() for name in ("strength", "phase"))
    dims = int(np.count_nonzero(amplitude))
    if not 1 <= dims <= 3 or not amplitude[:dims].all():
        raise ValueError(f"'/{_DRIVE}strength' is {amplitude}, accepted are one to three drives, x first")
    if set(_texts(file, _DRIVE + "waveform")) != {"sine"} or not np.allclose(np.sin(phase[:dims]), 1, rtol=0):
        raise ValueError(f"'/{_DRIVE}phase' is {phase}, accepted are sines at π/2: a LissajousScan has cosines")
    divider = _numbers(file, _DRIVE + "divider", shape=(drives, 1)).ravel()[:dims].astype(int)
    if divider[0] < 1 or (np.diff(divider) != 1).any():
        raise ValueError(
            f"'/{_DRIVE}divider' is {divider}, accepted are consecutive ones, N_d, N_d + 1, N_d + 2: "
            "a LissajousScan describes no other figure"
        )
    gradient = _numbers(file, "acquisition/gradient", shape=(1, 1, 3, 3))[0, 0]
    size = _numbers(file, "calibration/size", shape=(3,)).astype(int)
    if (gradient != np.diag(np.diag(gradient))).any() or (size[dims:] != 1).any():
        raise ValueError(
            f"'/acquisition/gradient' is {gradient.tolist()} and '/calibration/size' {size}, "
            "accepted are a diagonal and one voxel in directions without a drive"
        )
    for name, shape in (("acquisition/offsetField", (1, 1, 3)), ("calibration/fieldOfViewCenter", (3,))):
        if _numbers(file, name, 0, shape=shape).ravel()[:dims].any():
            raise ValueError(f"'/{name}' is not zero: a LissajousScan is centred")
    meander = _numbers(file, "calibration/isMeanderingGrid", 0) and not _numbers(file, "measurement/isFramePermutation")
    order = "meander" if meander else _texts(file, "calibration/order", "xyz")[0]
    _accept("'/calibration/order' is", order, "xyz")
    frequency = _numbers(file, _DRIVE + "baseFrequency") / divider[0]
    sensitivity = tuple(np.ravel(_numbers(file, _RECEIVER + "_coilSensitivity", 1.0, shape=(-1,))).tolist())
    return LissajousScan(
        gradient=tuple(np.diag(gradient)[:dims].tolist()),
        amplitude=tuple(amplitude[:dims].tolist()),
        base_frequency=float(_numbers(file, _DRIVE + "_frequency", frequency)),
        density=int(divider[0]),
        shape=tuple(size[:dims][::-1].tolist()),
        field_of_view=tuple(_numbers(file, "calibration/fieldOfView", shape=(3,))[:dims].tolist()),
        coil_sensitivity=sensitivity[0] if len(sensitivity) == 1 else sensitivity,
    )


def _numbers(
    file: h5py.File, name: str, default: Any = None, *, shape: tuple[int, ...] = (), kind: str = "biuf"
) -> np.ndarray:
    """A dataset of finite numbers of a `kind` in `shape`, where axes of length one may be missing; -1 is any length."""
    dataset = file.get(name)
    if dataset is None and default is not None:
        return np.asarray(default)
    if not isinstance(dataset, h5py.Dataset) or dataset.shape is None:
        raise ValueError(f"'/{name}' is missing")
    if dataset.dtype.kind not in kind:
        raise ValueError(f"'/{name}' is {dataset.dtype}, accepted are {'complex' if kind == 'c' else 'real'} numbers")
    long, expected = ([n for n in axes if n != 1] for axes in (dataset.shape, shape))
    if long != expected and -1 not in shape:
        raise ValueError(f"'/{name}' has shape {dataset.shape}, accepted is {shape}")
    values = np.asarray(dataset[()])
    if not np.isfinite(values).all():
        raise ValueError(f"'/{name}' has NaN or infinite values, accepted are finite numbers")
    return values.reshape(shape).astype(values.dtype.newbyteorder("="), copy=False)


def _texts(file: h5py.File, name: str, default: str | None = None) -> list[str]:
    """A dataset of one or more texts, flattened."""
    dataset = file.get(name)
    if dataset is None and default is not None:
        return [default]
    if not isinstance(dataset, h5py.Dataset) or dataset.size == 0:
        raise ValueError(f"'/{name}' is missing")
    return [text.decode() if isinstance(text, bytes) else str(text) for text in np.ravel(dataset[()]).tolist()]


def _accept(what: str, got: Any, accepted: Any) -> None:
    if got != accepted:
        raise ValueError(f"{what} {got}, accepted is {accepted}")


def _lowest_orders(bins: list[int], cycles: tuple[int, ...]) -> np.ndarray:
    """For every bin the n of smallest Σ|n_i| with Σ n_i cycles_i = bin, with few negative n_i, (bin, dims)."""
    found: dict[int, tuple[int, ...]] = {}
    wanted = set(bins)
    for total in itertools.count():
        for order in sorted(_orders_of(total, len(cycles)), key=lambda order: sum(n < 0 for n in order)):
            line = sum(n * cycle for n, cycle in zip(order, cycles, strict=True))
            if line in wanted:
                found.setdefault(line, order)
        if len(found) == len(wanted):
            break
    return np.array([found[line] for line in bins])


def _orders_of(total: int, dims: int) -> list[tuple[int, ...]]:
    """All n of `dims` whole numbers with Σ|n_i| = `total`."""
    if dims == 1:
        return [(total,), (-total,)] if total else [(0,)]
    return [(n, *others) for n in range(-total, total + 1) for others in _orders_of(total - abs(n), dims - 1)]
