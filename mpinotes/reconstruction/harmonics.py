"""What the harmonics of the drive say of a volume, each in an image of its own."""

from collections.abc import Sequence

import torch

from mpinotes.checks import check_kind
from mpinotes.numerics import full_precision
from mpinotes.physics import CartesianScan, Particle, ScanSignal
from mpinotes.reconstruction.forward_models import analysis
from mpinotes.reconstruction.xspace import check_signal


@full_precision
def harmonic_portraits(
    signal: ScanSignal, particle: Particle, scan: CartesianScan, width: int, harmonics: Sequence[int]
) -> torch.Tensor:
    """Portraits of a volume by several harmonics of the drive, (batch, 1, z, y, harmonic) [particles/m³].

    The voltage of a line, (forward − back)/2, is a sum of sines of the drive's phase: the portrait of
    harmonic h is its h-th coefficient at every line. Together the portraits are the scan, in another order:
    the sines are orthonormal and the receiver's noise is white in all harmonics alike. What "multi-harmonic
    deconvolution" adds to one harmonic's is that all are explained by one volume, jointly: least squares with
    `harmonic_model`, in `reconstruct_penalised`. The receiver's loss of the first harmonic costs nothing but
    that harmonic, unlike in x-space.

    Source: Sanders et al., arXiv 2503.13802 (MH3D), for a drive that moves the field-free point by little
    beside a slow shift. There a portrait is a convolution in all three axes, with a derivative of the
    Langevin function. Here the drive sweeps the whole line. So a portrait is a convolution across the lines
    alone; along a line the kernel of harmonic h is the point response seen through a Chebyshev polynomial
    of the second kind, which changes from voxel to voxel: Rahmer et al., BMC Med. Imaging 9 (2009) 4.

    :param signal: of a scan
    :param particle: of the tracer; scales the unit alone: its voxel of concentration c has a voltage of peak c
    :param scan: how it was scanned
    :param width: voxels along the drive axis
    :param harmonics: their numbers, 1 to half the samples of a period

    >>> from mpinotes.physics import CartesianScan, Particle, simulate_scan
    >>> particle, scan, volume = Particle(25e-9), CartesianScan(), torch.zeros(1, 1, 3, 3, 9)
    >>> volume[0, 0, 1, 1, 4] = 1e18  # in the middle, which even harmonics do not see
    >>> signal = simulate_scan(volume, particle, scan)
    >>> portraits = harmonic_portraits(signal, particle, scan, width=9, harmonics=(1, 2, 3)) / 1e18
    >>> (portraits[0, 0, 1, 1].abs() * 10).round().int().tolist()
    [24, 0, 15]
    """
    check_kind("particle", particle, Particle)
    check_signal(signal, scan, width)
    read = analysis(particle, scan, width, harmonics).to(signal.voltage)
    forward, back = signal.voltage.chunk(2, dim=-1)
    mean = (forward - back.flip(-1)) / 2
    return mean @ read.T / signal.drive_frequency.to(mean).view(-1, 1, 1, 1, 1)
