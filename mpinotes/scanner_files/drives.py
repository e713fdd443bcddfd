"""What moves the field-free point: the drives and the selection field that a file describes."""

import math
from dataclasses import dataclass

import h5py
import numpy as np

from mpinotes.checks import check_kind
from mpinotes.physics import LissajousScan
from mpinotes.scanner_files.datasets import DRIVE, count, holds, numbers, rows, texts


@dataclass(frozen=True)
class Drives:
    """Drives and selection field of a measurement, of the directions that are driven, in the order x, y, z.

    :param gradient: selection field (G_x, G_y, …) [T/m], all zero where it is not known
    :param amplitude: drive field [T]
    :param base_frequency: of the first drive [Hz]
    :param dividers: of one clock, which give the frequencies of the drives
    :param phase: of each drive, a cosine [rad]
    :param axes: which directions are driven, 0 to 2

    >>> from mpinotes.physics import LissajousScan
    >>> drives = Drives.of(LissajousScan(density=9))
    >>> drives.cycles, drives.repetition_frequency
    ((10, 9), 2500.0)
    """

    gradient: tuple[float, ...]
    amplitude: tuple[float, ...]
    base_frequency: float
    dividers: tuple[int, ...]
    phase: tuple[float, ...]
    axes: tuple[int, ...]

    @classmethod
    def of(cls, scan: LissajousScan) -> "Drives":
        """Those of a scan."""
        check_kind("scan", scan, LissajousScan)
        if scan.density is None:
            dividers = tuple(math.lcm(*scan.cycles) // cycles for cycles in scan.cycles)
        else:
            dividers = tuple(range(scan.density, scan.density + scan.dims))
        axes = tuple(range(scan.dims))
        return cls(scan.gradient, scan.amplitude, scan.base_frequency, dividers, scan.phases, axes)

    @property
    def cycles(self) -> tuple[int, ...]:
        """Periods of each drive in one repetition of the figure."""
        return tuple(math.lcm(*self.dividers) // divider for divider in self.dividers)

    @property
    def repetition_frequency(self) -> float:
        """Of the figure [Hz]: the spacing of the lines of the spectrum."""
        return self.base_frequency / self.cycles[0]


def read_drives(file: h5py.File, periods: int) -> Drives:
    """Sines of one frequency each, the same in all `periods` of a frame; drives without a field do not count."""
    channels = count(file, f"{DRIVE}/numChannels")
    dividers = rows(file, f"{DRIVE}/divider", width=channels)
    dividers = dividers.reshape(channels, -1)
    amplitude, phase = (
        _constant(file, f"{DRIVE}/{name}", (channels, dividers.shape[1]), periods) for name in ("strength", "phase")
    )
    if (np.count_nonzero(amplitude, axis=1) > 1).any():
        raise ValueError(f"'/{DRIVE}/strength' is {amplitude.tolist()}, accepted is one frequency per channel")
    active = amplitude != 0
    axes = tuple(np.nonzero(active.any(1))[0].tolist())
    if not 1 <= len(axes) <= 3 or max(axes) > 2:
        raise ValueError(f"'/{DRIVE}/strength' is {amplitude.ravel()}, accepted are one to three drives of x, y, z")
    waves = np.array(texts(file, f"{DRIVE}/waveform"))
    waves = waves[active.ravel()] if waves.size == active.size else waves
    if set(waves.tolist()) != {"sine"}:
        raise ValueError(f"'/{DRIVE}/waveform' is {waves.tolist()}, accepted are sines")
    driven = dividers[active]
    if (driven < 1).any() or (driven % 1).any() or driven.max() > 2**53:
        raise ValueError(f"'/{DRIVE}/divider' is {driven}, accepted are whole numbers of at least 1")
    whole = [int(divider) for divider in driven]
    clock = numbers(file, f"{DRIVE}/baseFrequency")
    return Drives(
        gradient=_gradient(file, axes, periods),
        amplitude=tuple(amplitude[active].tolist()),
        base_frequency=float(numbers(file, f"{DRIVE}/_frequency", clock / whole[0])),
        dividers=tuple(whole),
        phase=_phase(file, phase[active]),
        axes=axes,
    )


def _constant(file: h5py.File, name: str, shape: tuple[int, ...], periods: int) -> np.ndarray:
    """What has to be the same in all periods of a frame."""
    values = numbers(file, name, shape=(-1,))
    if values.size not in (math.prod(shape), periods * math.prod(shape)):
        found = file[name].shape
        raise ValueError(f"'/{name}' has shape {found}, accepted is {(periods, *shape)}")
    values = values.reshape(-1, *shape)
    _accept_constant(name, values)
    return values[0]


def _accept_constant(name: str, values: np.ndarray) -> None:
    if (values != values[0]).any():
        raise ValueError(f"'/{name}' changes during a frame, accepted is one figure (no moving fields, no patches)")


def _phase(file: h5py.File, sines: np.ndarray) -> tuple[float, ...]:
    """Phases of cosines from those of sines, from -π to π, where ours came to the bit."""
    kept = numbers(file, f"{DRIVE}/_phase", 0.0, shape=(-1,))
    turned = np.remainder(sines - math.pi / 2 + math.pi, 2 * math.pi) - math.pi
    turned = np.where(np.abs(turned) < 1e-8, 0.0, turned)
    same = kept.shape == turned.shape and np.allclose(np.sin(kept + math.pi / 2), np.sin(sines), rtol=0, atol=1e-9)
    return tuple((kept if same else turned).tolist())


def _gradient(file: h5py.File, axes: tuple[int, ...], periods: int) -> tuple[float, ...]:
    """Of the driven directions [T/m], zero where the file tells none. Real files have rows of three as well."""
    name = "acquisition/gradient"
    values = numbers(file, name, np.zeros((1, 3)), shape=(-1,))
    shape = file[name].shape if holds(file, name) else (1, 3)
    if shape[-2:] == (3, 3) and (len(shape) < 4 or shape[0] in (1, periods)):
        matrices = values.reshape(-1, 3, 3)
    elif shape[-1:] == (3,) and len(shape) < 4:
        matrices = np.stack([np.diag(row) for row in values.reshape(-1, 3)])
    else:
        raise ValueError(f"'/{name}' has shape {shape}, accepted is {(periods, 1, 3, 3)}")
    _accept_constant(name, matrices)
    matrix = matrices[0]
    diagonal = np.diag(matrix)
    if np.abs(matrix - np.diag(diagonal)).max() > 1e-6 * np.abs(diagonal).max():
        raise ValueError(f"'/{name}' is {matrix.tolist()}, accepted are a diagonal")
    offset = "acquisition/offsetField"
    offsets = rows(file, offset, np.zeros(3), width=3)
    _accept_constant(offset, offsets)
    if offsets[0].any():
        raise ValueError(f"'/{offset}' is not zero: the figure is around the centre of the scanner")
    return tuple(diagonal[list(axes)].tolist())
