"""What all files of ours hold, and how they are written."""

import io
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
import torch

from mpinotes.files import save_atomically
from mpinotes.scanner_files.datasets import DRIVE, RECEIVER, FilePath
from mpinotes.scanner_files.drives import Drives

NO, YES = np.int8(0), np.int8(1)


def write(contents: dict[str, Any], path: FilePath) -> None:
    """Write datasets by their names to `path` in one step: after a failure an older file is as it was."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, value in contents.items():
            dtype = h5py.string_dtype() if np.asarray(value).dtype.kind == "U" else None
            file.create_dataset(name, data=value, dtype=dtype)
    save_atomically(Path(path), buffer.getvalue())


def group(name: str, /, **entries: Any) -> dict[str, Any]:
    """Datasets of one group."""
    return {f"{name}/{entry}": value for entry, value in entries.items()}


def provenance(simulated: bool) -> dict[str, Any]:
    """What, by whom and when: of that we know little."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    names, unknown = {"name": "mpinotes", "number": 0, "description": "simulated" if simulated else "n.a."}, "n.a."
    tracer = {name: [unknown] for name in ("name", "batch", "vendor", "solute")}
    scanner = {name: unknown for name in ("facility", "operator", "manufacturer")}
    return {
        "version": "2.1.0",
        "uuid": str(uuid4()),
        "time": now,
        **group("study", **names, uuid=str(uuid4())),
        **group("experiment", **names, uuid=str(uuid4()), subject=unknown, isSimulation=YES if simulated else NO),
        **group("tracer", **tracer, volume=[math.nan], concentration=[math.nan]),  # a single particle has neither
        **group("scanner", name="mpinotes", **scanner, topology="FFP"),
        **group("acquisition", startTime=now),
    }


def acquisition(drives: Drives, frames: int) -> dict[str, Any]:
    """The selection field, free of divergence, and the drives; those at rest before a driven one have no field."""
    axes = list(drives.axes)
    gradient = np.full(3, -sum(drives.gradient) / max(3 - len(axes), 1))
    gradient[axes] = drives.gradient
    channels = max(axes) + 1
    strength, phase = np.zeros(channels), np.full(channels, math.pi / 2)
    divider = np.full(channels, drives.dividers[0])
    strength[axes], divider[axes] = drives.amplitude, drives.dividers
    phase[axes] = np.remainder(np.array(drives.phase, float) + 1.5 * math.pi, 2 * math.pi) - math.pi
    return group(
        "acquisition",
        numAverages=1,
        numPeriodsPerFrame=1,
        numFrames=frames,
        gradient=np.diag(gradient)[None, None],
        offsetField=np.zeros((1, 1, 3)),
    ) | group(
        DRIVE,
        numChannels=channels,
        strength=strength[None, :, None],
        waveform=[["sine"]] * channels,
        phase=phase[None, :, None],
        divider=divider[:, None],
        cycle=1 / drives.repetition_frequency,
        baseFrequency=float(drives.dividers[0] * drives.base_frequency),
        _frequency=float(drives.base_frequency),  # what baseFrequency / divider may miss by a bit
        _phase=np.array(drives.phase, float),  # of cosines
    )


def receiver(drives: Drives, channels: int, samples: int) -> dict[str, Any]:
    """The digitiser: just fast enough."""
    return group(
        RECEIVER,
        numChannels=channels,
        numSamplingPoints=samples,
        unit="V",
        bandwidth=samples // 2 * drives.repetition_frequency,
    )


def measurement(data: np.ndarray, bins: np.ndarray, *, fast: bool) -> dict[str, Any]:
    """Spectra without background, as they are."""
    frames = data.shape[-1 if fast else 0]
    return group(
        "measurement",
        data=data,
        isFourierTransformed=YES,
        isFastFrameAxis=YES if fast else NO,
        isBackgroundCorrected=YES,
        isFrequencySelection=YES,
        frequencySelection=bins + 1,
        isFramePermutation=YES,
        framePermutation=np.arange(1, frames + 1),
        isBackgroundFrame=np.zeros(frames, np.int8),
        isSparsityTransformed=NO,
        isSpectralLeakageCorrected=NO,
        isTransferFunctionCorrected=NO,
    )


def samples_for(bins: torch.Tensor) -> int:
    """V, a power of two that keeps every line below V/2: the way into a file and back changes no bit."""
    return 1 << int(2 * bins.max() + 1).bit_length()


def times_samples(spectra: torch.Tensor, samples: int) -> np.ndarray:
    """V û_k, with the signs of zeros."""
    return torch.view_as_complex(torch.view_as_real(spectra.detach().cpu().resolve_conj()) * samples).numpy()
