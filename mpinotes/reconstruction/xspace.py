"""From receive voltage to the native x-space image, and what is known of its noise."""

import math

import torch

from mpinotes.checks import check_choice, check_count, check_kind, check_positive, check_tensor
from mpinotes.numerics import full_precision
from mpinotes.physics import CartesianScan, Particle, ScanSignal
from mpinotes.physics.cartesian import sweep_positions, voxel_centres


@full_precision
def reconstruct_xspace(signal: ScanSignal, particle: Particle, scan: CartesianScan, width: int) -> torch.Tensor:
    """Native x-space image of a Cartesian scan with `width` voxels along the drive axis,
    (batch, 1, z, y, x) [particles/m³].

    Each sample is divided by the FFP's speed and gridded onto the voxel centres, weighted by the
    squared speed: the maximum-likelihood average under constant voltage noise. A single voxel of
    concentration c shows with peak c. Source: Goodwill & Conolly, IEEE TMI 29 (2010) 1851.

    >>> from mpinotes.physics import CartesianScan, Particle, simulate_scan
    >>> particle, scan = Particle(25e-9), CartesianScan()
    >>> volume = torch.zeros(1, 1, 5, 5, 5)
    >>> volume[0, 0, 2, 2, 2] = 1e18
    >>> signal = simulate_scan(volume, particle, scan)
    >>> native = reconstruct_xspace(signal, particle, scan, width=5)
    >>> native.shape, f"{native.max():.1e}"
    (torch.Size([1, 1, 5, 5, 5]), '9.4e+17')
    """
    check_kind("particle", particle, Particle)
    check_signal(signal, scan, width)
    weights = gridding(particle, scan, width).to(signal.voltage)
    forward, back = signal.voltage.chunk(2, dim=-1)
    mean = (forward - back.flip(-1)) / 2
    return scan.swap_axes(mean @ weights.T / signal.drive_frequency.to(mean).view(-1, 1, 1, 1, 1))


def recover_fundamental(native: torch.Tensor, scan: CartesianScan) -> torch.Tensor:
    """Put back what a receiver without the drive frequency takes from a native image.

    A lost first harmonic u_1 ∝ sin(2πft) has the time course of the FFP's speed: it is one unknown
    constant per line. Each line, (batch, 1, z, y, x) with the scan's drive axis, is shifted until
    its two ends average to zero, which is right where they see no tracer: Lu et al., IEEE TMI 32
    (2013) 1565. The haze of a 3D scan breaks that assumption and stays as a shadow.

    >>> from mpinotes.physics import CartesianScan
    >>> truth = torch.tensor([0.0, 1.0, 0.0]).view(1, 1, 1, 1, 3)
    >>> recover_fundamental(truth - 0.5, CartesianScan()).flatten()
    tensor([0., 1., 0.])
    """
    check_tensor("native", native, 5, "(batch, 1, z, y, x)")
    check_kind("scan", scan, CartesianScan)
    lines = scan.swap_axes(native)
    return scan.swap_axes(lines - (lines[..., :1] + lines[..., -1:]) / 2)


def noise_regularization(particle: Particle, scan: CartesianScan, width: int, concentration: float) -> float:
    """λ of `reconstruct_tikhonov` from what is known before a scan: the variance that the receiver's
    noise leaves in the native image, over the mean square of the `concentration` [particles/m³].

    `width` voxels along the drive axis; the middle of the range of drive frequencies. It is the
    Wiener choice for white noise and a white image, Bertero & Boccacci (1998), section 5.

    >>> from mpinotes.physics import CartesianScan, Particle
    >>> scan = CartesianScan(noise=3e-6)
    >>> round(noise_regularization(Particle(25e-9), scan, width=32, concentration=1e17), 2)
    12.26
    """
    check_kind("particle", particle, Particle)
    check_kind("scan", scan, CartesianScan)
    check_count("width", width)
    check_positive("concentration", concentration)
    frequency = sum(scan.drive_frequency) / 2
    variance = (scan.noise / frequency) ** 2 / 2 * gridding(particle, scan, width).square().sum(1).mean()
    return (variance / concentration**2).item()


def check_signal(signal: ScanSignal, scan: CartesianScan, width: int) -> None:
    """Raise ``ValueError`` unless the signal is one of this scan, in single or double precision, with a drive
    frequency for each volume, and `width` is a number of voxels."""
    check_kind("signal", signal, ScanSignal)
    check_kind("scan", scan, CartesianScan)
    check_tensor("signal.voltage", signal.voltage, 5, "(batch, 1, z, y, samples)")
    check_choice("signal.voltage.dtype", signal.voltage.dtype, (torch.float32, torch.float64))
    check_count("width", width)
    batch, channels, *_, samples = signal.voltage.shape
    if samples != scan.samples or channels != 1:
        raise ValueError(
            f"signal.voltage: got {channels} channels of {samples} samples, accepted is one of {scan.samples}"
        )
    check_tensor("signal.drive_frequency", signal.drive_frequency, 1, "(batch,)")
    if len(signal.drive_frequency) != batch:
        raise ValueError(
            f"signal.drive_frequency: got {len(signal.drive_frequency)}, accepted is one per volume, {batch}"
        )
    check_positive("signal.drive_frequency, the least", signal.drive_frequency.min().item())


def gridding(particle: Particle, scan: CartesianScan, width: int) -> torch.Tensor:
    """From voltage over drive frequency, on one way of the sweep, to native voxels, (width, sample)."""
    positions = sweep_positions(scan, width)
    distance = (voxel_centres(width, scan.voxel_size)[:, None] - positions) / scan.voxel_size
    speed = 2 * math.pi * (scan.sweep_amplitude(width) ** 2 - positions**2).sqrt()
    weight = (1 - distance.abs()).clamp_min(0) * speed
    total = (weight * speed).sum(1, keepdim=True)
    if (total == 0).any():
        raise ValueError(f"scan.samples: got {scan.samples}, accepted is enough that every voxel is passed")
    unit = scan.coil_sensitivity * particle.moment * scan.voxel_size**3 * particle.beta / 3
    return weight / total / (-unit * scan.line_gradient[0])
