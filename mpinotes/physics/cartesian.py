"""A field-free point scanned line by line, layer by layer: from concentration to receive voltage."""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch

from mpinotes.checks import check_choice, check_count, check_plausible, check_positive, check_range, check_tensor
from mpinotes.physics.particles import FWHM, Particle, langevin_derivative, langevin_ratio

_AXES = {"x": -1, "y": -2, "z": -3}
_CHUNK = 128  # volumes in flight: bounds the memory of the padded spectra to some 300 MB at 32³


@dataclass(frozen=True)
class CartesianScan:
    """A layered Cartesian raster of the field-free point (FFP), driven sinusoidally along one axis.

    The FFP sweeps x(t) = X cos(2π f t) once per (y, z) line; lines sit on the voxel centres. The
    receive coil picks up the x component. Qiu et al. (2026) give no scanner values: all are ours.

    `gradient`: selection field (G_x, G_y, G_z) [T/m], divergence-free. `drive_axis`: "x", "y" or
    "z"; another than x changes places with it, in all that is said of lines.
    `voxel_size` [m]. `subvoxels`: points per axis that a voxel's tracer is spread over; 1 puts it at
    the centre, which is enough where the response is wider than a voxel.
    `drive_frequency`: range each scan draws its own from [Hz].
    `overscan`: X over half the field of view. `samples` per drive period.
    `coil_sensitivity`: field per unit current [T/A]. `noise`: standard deviation per sample [V].

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
        if len(self.gradient) != 3 or 0 in self.gradient or not all(abs(g) < math.inf for g in self.gradient):
            raise ValueError(f"gradient: got {self.gradient}, accepted are three finite values, none zero")
        if abs(sum(self.gradient)) > 1e-9 * max(map(abs, self.gradient)):
            raise ValueError(f"gradient: got {self.gradient}, accepted is a divergence-free field (sum 0)")
        check_choice("drive_axis", self.drive_axis, _AXES)
        for value in self.gradient:
            check_plausible("gradient", abs(value), 100.0, "T/m", "mT/m")
        check_plausible("voxel_size", self.voxel_size, 0.1, "m", "millimetres")
        check_count("subvoxels", self.subvoxels)
        if len(self.drive_frequency) != 2:
            raise ValueError(f"drive_frequency: got {self.drive_frequency}, accepted is a range (low, high)")
        low, high = self.drive_frequency
        check_positive("drive_frequency", low)
        check_range("drive_frequency", high, low, 1e9)
        check_range("overscan", self.overscan, 1.0, 10.0)
        if self.samples < 4 or self.samples % 2:
            raise ValueError(f"samples: got {self.samples}, accepted is an even number of at least 4")
        check_positive("coil_sensitivity", self.coil_sensitivity)
        check_range("noise", self.noise, 0.0, math.inf)

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


@dataclass(frozen=True)
class ScanSignal:
    """What a scan returns: `voltage` [V], shape (batch, 1, z, y, samples), and `drive_frequency`
    [Hz], shape (batch,).

    >>> signal = simulate_scan(torch.ones(2, 1, 3, 4, 5), Particle(25e-9), CartesianScan())
    >>> signal.voltage.shape, signal.drive_frequency.shape
    (torch.Size([2, 1, 3, 4, 128]), torch.Size([2]))
    """

    voltage: torch.Tensor
    drive_frequency: torch.Tensor


def point_response(offset: torch.Tensor, particle: Particle, gradient: tuple[float, float, float]) -> torch.Tensor:
    """x-x element of the response tensor, β[L′(β|H|) ĥĥᵀ + L(β|H|)/(β|H|) (I − ĥĥᵀ)] [1/T].

    `offset`: (..., 3) distances (x, y, z) from the FFP [m]. This is the point spread function of
    x-space MPI up to a factor. Source: Goodwill & Conolly, IEEE TMI 30 (2011) 1581.

    >>> offsets = torch.tensor([[0.0, 0.0, 0.0], [1e-3, 0.0, 0.0], [0.0, 1e-3, 0.0]])
    >>> point_response(offsets, Particle(25e-9), (1.5, 1.5, -3.0)).round()
    tensor([320., 221., 283.])
    """
    field = offset * torch.stack([torch.as_tensor(g, dtype=offset.dtype, device=offset.device) for g in gradient])
    squared = (field * field).sum(-1)
    along = field[..., 0] ** 2 / squared.clamp_min(torch.finfo(field.dtype).tiny)
    strength = particle.beta * squared.clamp_min(torch.finfo(field.dtype).tiny).sqrt()
    transverse = langevin_ratio(strength)
    return particle.beta * (transverse + along * (langevin_derivative(strength) - transverse))


def simulate_scan(
    concentration: torch.Tensor,
    particle: Particle,
    scan: CartesianScan,
    *,
    response: Callable[[torch.Tensor], torch.Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> ScanSignal:
    """Receive voltage of every line of a Cartesian FFP scan, in the tensor form of the signal.

    u(t) = −p m V Σ_r c(r) R_xx(r − r_FFP(t)) dH_x/dt with coil sensitivity p and voxel volume V:
    a true 3D sum, shift-invariant across the lines, so that a scan is one small matrix product per
    spatial frequency (k_y, k_z).

    `concentration`: (batch, 1, z, y, x) [particles/m³]. `response`: complex gain at frequencies
    [Hz] of what follows the equilibrium and comes before the noise, as ``Receiver.transfer`` or
    `debye_response`; every line is taken as periodic. `generator` draws the drive frequencies
    and the noise; without one the global generator does. Keeps dtype and device.
    Raises ``ValueError`` for a wrong shape, NaN or negative concentrations.

    >>> concentration = torch.zeros(1, 1, 4, 4, 8)
    >>> concentration[..., 4] = 1e18
    >>> scan = CartesianScan(drive_frequency=(25e3, 25e3))
    >>> signal = simulate_scan(concentration, Particle(25e-9), scan)
    >>> f"{signal.voltage.max():.1e} V at {signal.drive_frequency.item():.0f} Hz"
    '1.3e-05 V at 25000 Hz'
    """
    check_tensor("concentration", concentration, 5, "(batch, 1, z, y, x)")
    if concentration.shape[1] != 1 or concentration.min() < 0:
        raise ValueError(
            f"concentration: got {concentration.shape[1]} channels and a least value of {concentration.min()}, "
            "accepted is one channel of non-negative values [particles/m³]"
        )
    concentration = scan.swap_axes(concentration)
    batch, _, depth, height, width = concentration.shape
    steepest = max(abs(torch.as_tensor(g).item()) for g in scan.gradient)
    narrowest = FWHM / (torch.as_tensor(particle.beta).item() * steepest)
    if narrowest < scan.voxel_size / scan.subvoxels:
        warnings.warn(
            f"the response is {narrowest:.1e} m wide, less than the {scan.voxel_size / scan.subvoxels:.1e} m between "
            "two points of a voxel: the tracer is taken to sit at these points alone (scan.subvoxels adds more)",
            stacklevel=2,
        )
    device, dtype = concentration.device, concentration.dtype

    low, high = scan.drive_frequency
    draw = torch.rand(batch, generator=generator, device=_device_of(generator)).to(device, torch.float64)
    frequency = low + (high - low) * draw

    spectrum = _line_spectra(particle, scan, (depth, height, width)).to(device, dtype)
    forward = torch.cat([_lines(part, spectrum) for part in concentration[:, 0].split(_CHUNK)])
    factor = -scan.coil_sensitivity * particle.moment * scan.voxel_size**3
    rate = factor * 2 * math.pi * frequency.view(-1, 1) * _sweep_rate(scan, width).to(device)
    sweep = forward * rate[:, None, None, :].to(dtype)
    # The way back passes the same points at the opposite speed.
    voltage = torch.cat([sweep, -sweep.flip(-1)], dim=-1)[:, None]
    if response is not None:
        gain = response(frequency[:, None] * torch.arange(scan.samples // 2 + 1, device=device))
        spectrum = torch.fft.rfft(voltage) * gain.to(device)[:, None, None, None]
        voltage = torch.fft.irfft(spectrum, n=scan.samples).to(dtype)
    if scan.noise > 0:
        noise = torch.randn(voltage.shape, generator=generator, dtype=dtype, device=_device_of(generator))
        voltage = voltage + scan.noise * noise.to(device)
    return ScanSignal(voltage, frequency)


def sweep_positions(scan: CartesianScan, voxels: int) -> torch.Tensor:
    """FFP positions x(t) [m] at the samples of the first half period, (samples/2,), float64.

    Samples sit at the middle of their intervals, so that none meets a turning point at rest.
    """
    return scan.sweep_amplitude(voxels) * torch.cos(_phase(scan))


def voxel_centres(voxels: int, voxel_size: float) -> torch.Tensor:
    """Coordinates of voxel centres [m] around the scanner's centre, (voxels,), float64."""
    return (torch.arange(voxels, dtype=torch.float64) - (voxels - 1) / 2) * voxel_size


def _phase(scan: CartesianScan) -> torch.Tensor:
    return 2 * math.pi * (torch.arange(scan.samples // 2, dtype=torch.float64) + 0.5) / scan.samples


def _sweep_rate(scan: CartesianScan, voxels: int) -> torch.Tensor:
    """dH_x/dt at a voxel over 2πf, at the samples of the first half period [T]."""
    return scan.line_gradient[0] * scan.sweep_amplitude(voxels) * torch.sin(_phase(scan))


def _line_spectra(particle: Particle, scan: CartesianScan, shape: tuple[int, int, int]) -> torch.Tensor:
    """Fourier transform over (z, y) of the response at each (sample, voxel of the line).

    Returns (2·depth, height + 1, samples/2, width), real because the response is even in z and y.
    """
    depth, height, width = shape
    x = voxel_centres(width, scan.voxel_size) - sweep_positions(scan, width)[:, None]
    y = torch.arange(height + 1, dtype=torch.float64) * scan.voxel_size
    z = torch.arange(depth + 1, dtype=torch.float64) * scan.voxel_size
    grid = torch.broadcast_tensors(x[None, None], y[None, :, None, None], z[:, None, None, None])
    points = torch.stack(grid, dim=-1)
    inside = voxel_centres(scan.subvoxels, scan.voxel_size / scan.subvoxels)
    offsets = torch.cartesian_prod(inside, inside, inside)
    parts = [point_response(points + offset, particle, scan.line_gradient) for offset in offsets]
    quarter = torch.stack(parts).mean(0)
    even = torch.cat([quarter, quarter[1:-1].flip(0)], dim=0)
    even = torch.cat([even, even[:, 1:-1].flip(1)], dim=1)
    return torch.fft.rfft2(even, dim=(0, 1)).real


def _lines(concentration: torch.Tensor, spectrum: torch.Tensor) -> torch.Tensor:
    """Sum of responses over all voxels for each line: (batch, z, y, x) -> (batch, z, y, samples/2)."""
    batch, depth, height = concentration.shape[:3]
    padded = torch.fft.rfft2(concentration, s=(2 * depth, 2 * height), dim=(1, 2))
    columns = torch.view_as_real(padded.permute(1, 2, 3, 0)).flatten(-2)
    product = spectrum.flatten(0, 1) @ columns.flatten(0, 1)
    lines = torch.view_as_complex(product.view(2 * depth, height + 1, -1, batch, 2))
    return torch.fft.irfft2(lines.permute(3, 0, 1, 2), s=(2 * depth, 2 * height), dim=(1, 2))[:, :depth, :height]


def _device_of(generator: torch.Generator | None) -> torch.device:
    return generator.device if generator is not None else torch.device("cpu")
