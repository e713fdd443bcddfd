"""A Cartesian scan in the tensor form of the signal: from concentration to receive voltage."""

import math
import warnings
from collections.abc import Callable

import torch

from mpinotes import draw
from mpinotes.checks import check_choice, check_kind, check_tensor
from mpinotes.numerics import as_number, full_precision
from mpinotes.physics.cartesian import CartesianScan, point_response, sweep_phase, sweep_positions, voxel_centres
from mpinotes.physics.noise import add_white_noise
from mpinotes.physics.particles import FWHM, Particle
from mpinotes.physics.signal import ScanSignal

_CHUNK = 128  # volumes in flight: bounds the memory of the padded spectra to some 300 MB at 32³


@full_precision
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

    Keeps dtype and device. Raises ``ValueError`` for a wrong shape, NaN or negative concentrations.

    :param concentration: (batch, 1, z, y, x) [particles/m³]
    :param particle: what the tracer consists of
    :param scan: the scanner; its noise is added last
    :param response: complex gain at frequencies [Hz] of what follows the equilibrium and comes before
        the noise, as ``Receiver.transfer`` or `debye_response`; every line is taken as periodic
    :param generator: draws the drive frequencies and the noise; without one the global generator does

    >>> concentration = torch.zeros(1, 1, 4, 4, 8)
    >>> concentration[..., 4] = 1e18
    >>> scan = CartesianScan(drive_frequency=(25e3, 25e3))
    >>> signal = simulate_scan(concentration, Particle(25e-9), scan)
    >>> f"{signal.voltage.max():.1e} V at {signal.drive_frequency.item():.0f} Hz"
    '1.3e-05 V at 25000 Hz'
    """
    check_tensor("concentration", concentration, 5, "(batch, 1, z, y, x)")
    check_choice("concentration.dtype", concentration.dtype, (torch.float32, torch.float64))
    if concentration.shape[1] != 1 or concentration.min() < 0:
        raise ValueError(
            f"concentration: got {concentration.shape[1]} channels and a least value of {concentration.min()}, "
            "accepted is one channel of non-negative values [particles/m³]"
        )
    check_kind("particle", particle, Particle)
    check_kind("scan", scan, CartesianScan)
    _warn_of_points_too_far_apart(particle, scan)
    concentration = scan.swap_axes(concentration)
    low, high = scan.drive_frequency
    share = draw.uniform(concentration.shape[:1], generator).to(concentration.device, torch.float64)
    frequency = low + (high - low) * share
    voltage = _equilibrium_voltage(concentration, particle, scan, frequency)
    if response is not None:
        voltage = _filtered(voltage, frequency, response)
    signal = ScanSignal(voltage, frequency)
    return add_white_noise(signal, scan.noise, generator=generator) if scan.noise > 0 else signal


def _warn_of_points_too_far_apart(particle: Particle, scan: CartesianScan) -> None:
    steepest = max(abs(as_number(g)) for g in scan.gradient)
    narrowest = FWHM / (as_number(particle.beta) * steepest)
    distance = scan.voxel_size / scan.subvoxels
    if narrowest < distance:
        warnings.warn(
            f"the response is {narrowest:.1e} m wide, less than the {distance:.1e} m between two points of a voxel: "
            "the tracer is taken to sit at these points alone (scan.subvoxels adds more)",
            stacklevel=3,
        )


def _equilibrium_voltage(
    concentration: torch.Tensor, particle: Particle, scan: CartesianScan, frequency: torch.Tensor
) -> torch.Tensor:
    """Receive voltage, (batch, 1, z, y, samples), of moments that follow the field at once."""
    width = concentration.shape[-1]
    spectrum = line_spectra(particle, scan, concentration.shape[-3:]).to(concentration)
    forward = torch.cat([line_sums(part, spectrum) for part in concentration[:, 0].split(_CHUNK)])
    factor = -scan.coil_sensitivity * particle.moment * scan.voxel_size**3
    rate = factor * 2 * math.pi * frequency.view(-1, 1) * sweep_rate(scan, width).to(concentration.device)
    sweep = forward * rate[:, None, None, :].to(concentration.dtype)
    # The way back passes the same points at the opposite speed.
    return torch.cat([sweep, -sweep.flip(-1)], dim=-1)[:, None]


def _filtered(
    voltage: torch.Tensor, frequency: torch.Tensor, response: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """The voltage behind a complex gain at the harmonics of each scan's drive frequency."""
    samples = voltage.shape[-1]
    gain = response(frequency[:, None] * torch.arange(samples // 2 + 1, device=voltage.device))
    spectrum = torch.fft.rfft(voltage) * gain.to(voltage.device)[:, None, None, None]
    return torch.fft.irfft(spectrum, n=samples).to(voltage.dtype)


def sweep_rate(scan: CartesianScan, voxels: int) -> torch.Tensor:
    """dH_x/dt at a voxel over 2πf, at the samples of the first half period [T]."""
    return scan.line_gradient[0] * scan.sweep_amplitude(voxels) * torch.sin(sweep_phase(scan))


def line_spectra(particle: Particle, scan: CartesianScan, shape: torch.Size) -> torch.Tensor:
    """Fourier transform over (z, y) of the response at each (sample, voxel of the line).

    Returns (2·depth, height + 1, samples/2, width), real because the response is even in z and y.
    """
    depth, height, width = shape
    x = voxel_centres(width, scan.voxel_size) - sweep_positions(scan, width)[:, None]
    y = torch.arange(height + 1, dtype=torch.float64, device="cpu") * scan.voxel_size
    z = torch.arange(depth + 1, dtype=torch.float64, device="cpu") * scan.voxel_size
    grid = torch.broadcast_tensors(x[None, None], y[None, :, None, None], z[:, None, None, None])
    points = torch.stack(grid, dim=-1)
    inside = voxel_centres(scan.subvoxels, scan.voxel_size / scan.subvoxels)
    offsets = torch.cartesian_prod(inside, inside, inside)
    parts = [point_response(points + offset, particle, scan.line_gradient) for offset in offsets]
    quarter = torch.stack(parts).mean(0)
    even = torch.cat([quarter, quarter[1:-1].flip(0)], dim=0)
    even = torch.cat([even, even[:, 1:-1].flip(1)], dim=1)
    return torch.fft.rfft2(even, dim=(0, 1)).real


def line_sums(concentration: torch.Tensor, spectrum: torch.Tensor) -> torch.Tensor:
    """Sum of responses over all voxels for each line: (batch, z, y, x) -> (batch, z, y, samples/2).

    The spectrum is real, so with its last two axes in each other's places this is the adjoint.
    """
    batch, depth, height = concentration.shape[:3]
    padded = torch.fft.rfft2(concentration, s=(2 * depth, 2 * height), dim=(1, 2))
    columns = torch.view_as_real(padded.permute(1, 2, 3, 0)).flatten(-2)
    product = spectrum.flatten(0, 1) @ columns.flatten(0, 1)
    lines = torch.view_as_complex(product.view(2 * depth, height + 1, -1, batch, 2))
    return torch.fft.irfft2(lines.permute(3, 0, 1, 2), s=(2 * depth, 2 * height), dim=(1, 2))[:, :depth, :height]
