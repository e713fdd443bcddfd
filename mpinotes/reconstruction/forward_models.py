"""Linear models of a measurement: the data that a volume would have given, and the adjoint of that map."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import torch

from mpinotes.checks import check_count, check_kind, check_several, check_shape, check_tensor
from mpinotes.numerics import full_precision
from mpinotes.physics import CartesianScan, Particle
from mpinotes.physics.cartesian import sweep_phase
from mpinotes.physics.scan_simulation import line_spectra, line_sums, sweep_rate
from mpinotes.reconstruction.xspace import gridding


class ForwardModel(ABC):
    """d = Ac: from volumes, (batch, 1, z, y, x), to their data, (batch, …), and back with the adjoint.

    >>> model = MatrixModel(torch.ones(2, 8), shape=(1, 2, 4))
    >>> isinstance(model, ForwardModel), model.apply(torch.ones(1, 1, 1, 2, 4))
    (True, tensor([[8., 8.]]))
    """

    shape: tuple[int, int, int]
    complex_data: ClassVar[bool] = False

    @property
    @abstractmethod
    def data_shape(self) -> tuple[int, ...]:
        """Of the data of one volume."""

    @property
    @abstractmethod
    def positive(self) -> bool:
        """Whether no volume ≥ 0 has negative data: what Richardson–Lucy asks for."""

    @abstractmethod
    def like(self, data: torch.Tensor) -> Self:
        """The same model in the precision and on the device of `data`."""

    @abstractmethod
    def apply(self, volumes: torch.Tensor) -> torch.Tensor:
        """Ac."""

    @abstractmethod
    def adjoint(self, data: torch.Tensor) -> torch.Tensor:
        """Aᵀd; of complex data the real part of Aᴴd, for volumes are real."""

    @abstractmethod
    def energy(self) -> float:
        """An upper bound of ‖Ac‖²/‖c‖², for the steps of gradient methods."""

    def check_shape(self, volumes: torch.Tensor) -> None:
        """Raise ``ValueError`` unless volumes have the shape of this model's, in single or double precision; their
        values are not looked at."""
        check_shape("volumes", volumes, 5, "(batch, 1, z, y, x)")
        if torch.finfo(volumes.dtype).bits < 32:
            raise ValueError(f"volumes: got dtype {volumes.dtype}, accepted is single or double precision")
        if volumes.shape[1:] != (1, *self.shape):
            raise ValueError(f"volumes: got shape {tuple(volumes.shape)}, accepted is (batch, 1, *{self.shape})")

    def check_data(self, data: torch.Tensor) -> None:
        """Raise ``ValueError`` unless these are finite data of this model, (batch, …)."""
        layout = f"(batch, {', '.join(map(str, self.data_shape))})"
        check_tensor("data", data, 1 + len(self.data_shape), layout, complex_too=self.complex_data)
        if data.shape[1:] != self.data_shape:
            raise ValueError(f"data: got shape {tuple(data.shape)}, accepted is {layout}")
        if torch.finfo(data.dtype).bits < 32:
            raise ValueError(f"data: got dtype {data.dtype}, accepted is single or double precision")


@dataclass(frozen=True)
class MatrixModel(ForwardModel):
    """The rows of a system matrix, complex or real (row, voxel), on a grid `shape`, (z, y, x), with z = 1 in 2D.

    Data are (frame, row): as ``measurement.voltage[:, lines]`` of the lines that ``matrix.components[lines]``
    holds. Rows of zeros are harmless. Weight rows and data alike before, see `spread_weights`.
    Raises ``ValueError`` for a matrix that is zero everywhere or does not fill the grid.

    >>> rows = torch.tensor([[1.0, 2.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    >>> model = MatrixModel(rows, shape=(1, 2, 2))
    >>> model.adjoint(torch.tensor([[3.0, 5.0]])).flatten(), round(model.energy(), 3)
    (tensor([3., 6., 0., 0.]), 5.0)
    """

    matrix: torch.Tensor
    shape: tuple[int, int, int]
    complex_data: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_tensor("matrix", self.matrix, 2, "(row, voxel)", complex_too=True)
        _check_grid(self.shape)
        if self.matrix.shape[1] != math.prod(self.shape):
            raise ValueError(f"shape: got {self.shape}, accepted is a grid of {self.matrix.shape[1]} voxels")
        if not self.matrix.any():
            raise ValueError("matrix: got zeros everywhere, accepted is at least one row with a signal")

    @property
    def data_shape(self) -> tuple[int, ...]:
        return (len(self.matrix),)

    @property
    def positive(self) -> bool:
        return not self.matrix.is_complex() and bool((self.matrix >= 0).all())

    def like(self, data: torch.Tensor) -> Self:
        precision = torch.complex64 if data.dtype.to_complex() == torch.complex64 else torch.complex128
        wanted = precision if self.matrix.is_complex() else precision.to_real()
        return replace(self, matrix=self.matrix.to(data.device, wanted))

    @full_precision
    def apply(self, volumes: torch.Tensor) -> torch.Tensor:
        self.check_shape(volumes)
        matrix = self.like(volumes).matrix
        return volumes.flatten(1).to(matrix.dtype) @ matrix.T

    @full_precision
    def adjoint(self, data: torch.Tensor) -> torch.Tensor:
        matrix = self.like(data).matrix
        common = torch.promote_types(matrix.dtype, data.dtype)  # a real matrix, too, meets complex data
        columns = data.to(common) @ matrix.conj().to(common)
        return self.volumes((columns.real if columns.is_complex() else columns).T)

    def energy(self) -> float:
        rows = self.matrix
        real = torch.cat([rows.real, rows.imag]) if rows.is_complex() else rows
        real = real.double()  # squares of volts per particle are no numbers of float32
        gram = real @ real.T if len(real) < real.shape[1] else real.T @ real
        return torch.linalg.eigvalsh(gram)[-1].item() * (1 + 1e-6)

    def volumes(self, columns: torch.Tensor) -> torch.Tensor:
        """Columns (voxel, frame), as `kaczmarz` gives them, on the grid, (frame, 1, z, y, x)."""
        return columns.T.reshape(-1, 1, *self.shape)


@dataclass(frozen=True)
class HarmonicModel(ForwardModel):
    """The portraits that several harmonics draw of a volume in a Cartesian scan, see `harmonic_portraits`.

    Across the lines each harmonic's portrait is a convolution; along them the drive mixes all voxels of
    a line, so that at every spatial frequency (k_y, k_z) the model is one small matrix: `spectrum`,
    (2·depth, height + 1, harmonic, x), real. `shape`: (z, y, x) of the volumes. Make it with `harmonic_model`.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> model = harmonic_model(Particle(25e-9), CartesianScan(), (3, 4, 5), harmonics=(2, 3))
    >>> model.apply(torch.ones(1, 1, 3, 4, 5)).shape
    torch.Size([1, 1, 3, 4, 2])
    """

    spectrum: torch.Tensor
    scan: CartesianScan
    shape: tuple[int, int, int]

    @property
    def line_shape(self) -> tuple[int, ...]:
        """(1, z, y, value), with the lines as the last axis whatever the drive axis."""
        double_depth, height, values = self.spectrum.shape[:3]
        return 1, double_depth // 2, height - 1, values

    @property
    def data_shape(self) -> tuple[int, ...]:
        return self.line_shape

    @property
    def positive(self) -> bool:
        return False

    def like(self, data: torch.Tensor) -> Self:
        return replace(self, spectrum=self.spectrum.to(data.device, data.dtype))

    def to_lines(self, data: torch.Tensor) -> torch.Tensor:
        """Data with the lines as their last axis: portraits have them there."""
        return data

    @full_precision
    def line_data(self, volumes: torch.Tensor) -> torch.Tensor:
        """`to_lines` of Ac."""
        self.check_shape(volumes)
        return line_sums(self.scan.swap_axes(volumes)[:, 0], self.spectrum.to(volumes))[:, None]

    @full_precision
    def line_adjoint(self, lines: torch.Tensor) -> torch.Tensor:
        """Of `line_data`."""
        return self.scan.swap_axes(line_sums(lines[:, 0], self.spectrum.to(lines).mT)[:, None])

    @full_precision
    def apply(self, volumes: torch.Tensor) -> torch.Tensor:
        return self.to_lines(self.line_data(volumes))

    @full_precision
    def adjoint(self, data: torch.Tensor) -> torch.Tensor:
        return self.line_adjoint(self.to_lines(data))

    def energy(self) -> float:
        rows = self.spectrum.double()
        gram = rows @ rows.mT if rows.shape[2] < rows.shape[3] else rows.mT @ rows
        return torch.linalg.eigvalsh(gram)[..., -1].max().item() * (1 + 1e-6)


class NativeModel(HarmonicModel):
    """The native x-space image of a volume, exactly as `simulate_scan` and `reconstruct_xspace` make it.

    The same at every (k_y, k_z) as for harmonics, but from voxels of a line to voxels of a line; the data
    are volumes. Make it with `native_model`.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> model = native_model(Particle(25e-9), CartesianScan(), (3, 4, 5))
    >>> model.apply(torch.ones(1, 1, 3, 4, 5)).shape
    torch.Size([1, 1, 3, 4, 5])
    """

    @property
    def data_shape(self) -> tuple[int, ...]:
        return 1, *self.shape

    @property
    def positive(self) -> bool:
        return True

    def to_lines(self, data: torch.Tensor) -> torch.Tensor:
        """Data with the lines as their last axis, and back."""
        return self.scan.swap_axes(data)


def native_model(particle: Particle, scan: CartesianScan, shape: tuple[int, int, int]) -> NativeModel:
    """From volumes of `shape`, (z, y, x), to native x-space images, both in one unit, double precision.

    `reconstruct_tikhonov` takes the image for a convolution with the point response; this is the image
    with its gridding.

    >>> from mpinotes.physics import CartesianScan, Particle, simulate_scan
    >>> particle, scan, volume = Particle(25e-9), CartesianScan(), torch.rand(1, 1, 4, 5, 6)
    >>> native = reconstruct_xspace(simulate_scan(volume, particle, scan), particle, scan, width=6)
    >>> model = native_model(particle, scan, (4, 5, 6)).like(volume)
    >>> torch.allclose(model.apply(volume), native)
    True
    """
    width = _width(particle, scan, shape)
    return NativeModel(_spectrum(gridding(particle, scan, width), particle, scan, shape), scan, shape)


def harmonic_model(
    particle: Particle, scan: CartesianScan, shape: tuple[int, int, int], harmonics: Sequence[int]
) -> HarmonicModel:
    """From volumes of `shape`, (z, y, x), to `harmonic_portraits`, double precision.

    >>> from mpinotes.physics import CartesianScan, Particle, simulate_scan
    >>> particle, scan, volume = Particle(25e-9), CartesianScan(), torch.rand(1, 1, 4, 5, 6)
    >>> portraits = harmonic_portraits(simulate_scan(volume, particle, scan), particle, scan, 6, harmonics=(2, 3))
    >>> model = harmonic_model(particle, scan, (4, 5, 6), harmonics=(2, 3)).like(volume)
    >>> torch.allclose(model.apply(volume), portraits, atol=1e-5)
    True
    """
    width = _width(particle, scan, shape)
    return HarmonicModel(_spectrum(analysis(particle, scan, width, harmonics), particle, scan, shape), scan, shape)


def analysis(particle: Particle, scan: CartesianScan, width: int, harmonics: Sequence[int]) -> torch.Tensor:
    """From voltage over drive frequency, on one way of the sweep, to portraits, (harmonic, sample)."""
    half = scan.samples // 2
    harmonics = harmonics.tolist() if isinstance(harmonics, torch.Tensor) else harmonics
    check_several("harmonics", harmonics, range(1, half + 1), f"numbers of harmonics, 1 to {half}")
    for harmonic in harmonics:
        check_count("harmonics", harmonic, 1, half)
    if len(set(harmonics)) < len(harmonics):
        raise ValueError(f"harmonics: got {tuple(harmonics)}, accepted is each once")
    number = torch.tensor(list(harmonics), dtype=torch.float64, device="cpu")[:, None]
    sines = torch.sin(number * sweep_phase(scan)) * math.sqrt(2 / half)
    sines[number[:, 0] == half] /= math.sqrt(2)  # the last sine of the transform (DST-II) has twice the energy
    unit = scan.coil_sensitivity * particle.moment * scan.voxel_size**3 * particle.beta / 3
    return sines / (-unit * 2 * math.pi * scan.line_gradient[0] * scan.sweep_amplitude(width))


@full_precision
def _spectrum(read: torch.Tensor, particle: Particle, scan: CartesianScan, shape: tuple[int, int, int]) -> torch.Tensor:
    """What `read`, (value, sample), makes of the voltage over drive frequency, at each (k_z, k_y)."""
    lines = scan.swap_axes(torch.empty(shape, dtype=torch.float64, device="meta")).shape
    factor = -scan.coil_sensitivity * particle.moment * scan.voxel_size**3 * 2 * math.pi
    return (read * factor * sweep_rate(scan, lines[-1])) @ line_spectra(particle, scan, lines)


def _width(particle: Particle, scan: CartesianScan, shape: tuple[int, int, int]) -> int:
    """Voxels of a line, of arguments that are checked."""
    check_kind("particle", particle, Particle)
    check_kind("scan", scan, CartesianScan)
    _check_grid(shape)
    return scan.swap_axes(torch.empty(shape, dtype=torch.float64, device="meta")).shape[-1]


def _check_grid(shape: tuple[int, int, int]) -> None:
    check_several("shape", shape, (3,), "three numbers of voxels (z, y, x)")
    for side in shape:
        check_count("shape", side)


def check_model(model: ForwardModel) -> None:
    """Raise ``ValueError`` unless this is a forward model."""
    if not isinstance(model, ForwardModel):
        raise ValueError(f"model: got {type(model).__name__}, accepted is a ForwardModel, as MatrixModel")


def check_volumes(name: str, volumes: torch.Tensor) -> None:
    """Raise ``ValueError`` unless these are finite volumes of one channel in single or double precision."""
    check_shape(name, volumes, 5, "(batch, 1, z, y, x)")
    check_tensor(name, volumes, 5, "(batch, 1, z, y, x)")
    if volumes.shape[1] != 1 or volumes.dtype not in (torch.float32, torch.float64):
        raise ValueError(
            f"{name}: got {volumes.shape[1]} channels of {volumes.dtype}, accepted is one in single or double precision"
        )
