"""A field-free point scanned line by line, layer by layer: the scan and its point response."""

import math
from dataclasses import dataclass

import torch

from mpinotes.checks import check_choice, check_count, check_plausible, check_positive, check_range, check_several
from mpinotes.physics.particles import Particle, langevin_derivative, langevin_ratio
from mpinotes.physics.selection_field import check_gradient

_AXES = {"x": -1, "y": -2, "z": -3}


@dataclass(frozen=True)
class CartesianScan:
    """A layered Cartesian raster of the field-free point (FFP), driven sinusoidally along one axis.

    The FFP sweeps x(t) = X cos(2π f t) once per (y, z) line; lines sit on the voxel centres. The
    receive coil picks up the x component. Qiu et al. (2026) give no scanner values: all are ours.

    :param gradient: selection field (G_x, G_y, G_z) [T/m], divergence-free
    :param drive_axis: "x", "y" or "z"; another than x changes places with it, in all that is said of lines
    :param voxel_size: edge of a voxel [m]
    :param subvoxels: points per axis that a voxel's tracer is spread over; 1 puts it at the centre,
        which is enough where the response is wider than a voxel
    :param drive_frequency: range each scan draws its own from, (low, high) [Hz]
    :param overscan: X over half the field of view
    :param samples: per drive period, an even number
    :param coil_sensitivity: field per unit current [T/A]
    :param noise: standard deviation per sample [V]

    >>> scan = CartesianScan(gradient=(1.0, 1.0, -2.0), overscan=1.25)
    >>> scan.sweep_amplitude(32), scan.drive_amplitude(32)
    (0.02, 0.02)
    """

    gradient: tuple[float, float, float] = (1.5, 1.5, -3.0)
    drive_axis: str = "x"
    voxel_size: float = 1e-3
    subvoxels: int = 1
    drive_frequency: tuple[float, float] = (20e3, 30e3)
    overscan: float = 1.1
    samples: int = 128
    coil_sensitivity: float = 1e-3
    noise: float = 0.0

    def __post_init__(self) -> None:
        check_several("gradient", self.gradient, (3,), "three values (G_x, G_y, G_z)")
        check_gradient(self.gradient)
        check_choice("drive_axis", self.drive_axis, _AXES)
        check_plausible("voxel_size", self.voxel_size, 0.1, "m", "millimetres")
        check_count("subvoxels", self.subvoxels)
        check_several("drive_frequency", self.drive_frequency, (2,), "the two ends of a range (low, high)")
        low, high = self.drive_frequency
        check_positive("drive_frequency", low)
        check_range("drive_frequency", high, low, 1e9)
        check_range("overscan", self.overscan, 1.0, 10.0)
        check_count("samples", self.samples, 4)
        if self.samples % 2:
            raise ValueError(f"samples: got {self.samples}, accepted is an even number")
        check_positive("coil_sensitivity", self.coil_sensitivity)
        check_range("noise", self.noise, 0.0)

    def sweep_amplitude(self, voxels: int) -> float:
        """Largest FFP excursion X [m] for a line of `voxels` voxels."""
        return self.overscan * voxels * self.voxel_size / 2

    def drive_amplitude(self, voxels: int) -> float:
        """Drive field amplitude A = |G_x| X [T] for a line of `voxels` voxels."""
        return abs(self.line_gradient[0]) * self.sweep_amplitude(voxels)

    @property
    def line_gradient(self) -> tuple[float, float, float]:
        """The gradient with the drive axis and x in each other's places [T/m]."""
        swapped = list(self.gradient)
        drive = -1 - _AXES[self.drive_axis]
        swapped[0], swapped[drive] = swapped[drive], swapped[0]
        return swapped[0], swapped[1], swapped[2]

    def swap_axes(self, volume: torch.Tensor) -> torch.Tensor:
        """A volume (…, z, y, x) with the drive axis and x in each other's places."""
        return volume.transpose(-1, _AXES[self.drive_axis])


def point_response(offset: torch.Tensor, particle: Particle, gradient: tuple[float, float, float]) -> torch.Tensor:
    """x-x element of the response tensor, β[L′(β|H|) ĥĥᵀ + L(β|H|)/(β|H|) (I − ĥĥᵀ)] [1/T].

    `offset`: (..., 3) distances (x, y, z) from the FFP [m]. This is the point spread function of
    x-space MPI up to a factor. Raises ``ValueError`` for a particle with an easy axis, whose response depends
    on the direction of the field. Source: Goodwill & Conolly, IEEE TMI 30 (2011) 1581.

    >>> offsets = torch.tensor([[0.0, 0.0, 0.0], [1e-3, 0.0, 0.0], [0.0, 1e-3, 0.0]])
    >>> point_response(offsets, Particle(25e-9), (1.5, 1.5, -3.0)).round()
    tensor([320., 221., 283.])
    """
    if particle.has_easy_axis:
        raise ValueError(f"particle: got an anisotropy of {particle.anisotropy} J/m³, accepted is one without")
    field = offset * torch.stack([torch.as_tensor(g, dtype=offset.dtype, device=offset.device) for g in gradient])
    squared = (field * field).sum(-1)
    along = field[..., 0] ** 2 / squared.clamp_min(torch.finfo(field.dtype).tiny)
    strength = particle.beta * squared.clamp_min(torch.finfo(field.dtype).tiny).sqrt()
    transverse = langevin_ratio(strength)
    return particle.beta * (transverse + along * (langevin_derivative(strength) - transverse))


def sweep_positions(scan: CartesianScan, voxels: int) -> torch.Tensor:
    """FFP positions x(t) [m] at the samples of the first half period, (samples/2,), float64.

    Samples sit at the middle of their intervals, so that none meets a turning point at rest.
    """
    return scan.sweep_amplitude(voxels) * torch.cos(sweep_phase(scan))


def voxel_centres(voxels: int, voxel_size: float) -> torch.Tensor:
    """Coordinates of voxel centres [m] around the scanner's centre, (voxels,), float64."""
    return (torch.arange(voxels, dtype=torch.float64, device="cpu") - (voxels - 1) / 2) * voxel_size


def sweep_phase(scan: CartesianScan) -> torch.Tensor:
    """2π f t at the samples of the first half period, (samples/2,), float64."""
    sample = torch.arange(scan.samples // 2, dtype=torch.float64, device="cpu")
    return 2 * math.pi * (sample + 0.5) / scan.samples
