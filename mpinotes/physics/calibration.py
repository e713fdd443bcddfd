"""A system matrix as it is measured: noise, a drifting background, and the SNR of every line."""

import torch

from mpinotes import draw
from mpinotes.checks import check_count, check_positive, check_range
from mpinotes.physics.system_matrix import SystemMatrix


def calibrate(
    matrix: SystemMatrix,
    *,
    particles: float,
    noise: float,
    drift: float = 0.0,
    background_every: int = 32,
    generator: torch.Generator | None = None,
) -> SystemMatrix:
    """Measure `matrix` with a delta sample that is moved through all voxels, x fastest.

    Every line of every measurement gets complex Gaussian noise and a background that performs a
    random walk. The empty scanner is measured before each `background_every` voxels and at the end;
    what it shows, interpolated linearly in time, is subtracted.

    Returns the matrix per particle with `snr`, the mean modulus over the voxels over the standard
    deviation of the empty measurements (Franke et al., IEEE TMI 35 (2016) 1993).

    :param matrix: the true one, [V] per particle
    :param particles: their number in the sample
    :param noise: standard deviation of real and imaginary part [V], averages included
    :param drift: standard deviation of the background's step from one measurement to the next [V]
    :param background_every: voxels between two measurements of the empty scanner
    :param generator: draws noise and drift; without one the global generator does

    >>> scan, orders = LissajousScan(shape=(4, 4)), mixing_orders(2, 3)
    >>> true = simulate_system_matrix(scan, Particle(20e-9), orders)
    >>> measured = calibrate(true, particles=1e13, noise=1e-6, background_every=4)
    >>> rows, kept = measured.rows(least_snr=3.0)
    >>> measured.snr.shape, len(rows)
    (torch.Size([2, 7]), 14)
    """
    check_positive("particles", particles)
    check_positive("noise", noise)
    check_range("drift", drift, 0.0)
    true = matrix.components.flatten(2)
    voxels = true.shape[2]
    check_count("background_every", background_every, 1, voxels)
    position = torch.arange(voxels, device="cpu")
    at_voxel = position + position // background_every + 1
    last = int(at_voxel[-1]) + 1
    empty = torch.tensor([*range(0, last, background_every + 1), last], device="cpu")
    shape = (*true.shape[:2], last + 1)
    walk = drift * draw.normal(shape, true, generator).cumsum(-1)
    measured = walk + noise * draw.normal(shape, true, generator)
    background = measured[..., empty]
    before = at_voxel // (background_every + 1)
    share = (at_voxel - empty[before]).float() / (empty[before + 1] - empty[before])
    interpolated = background[..., before] + share.to(true) * (background[..., before + 1] - background[..., before])
    corrected = particles * true + measured[..., at_voxel] - interpolated
    spread = (background - background.mean(-1, keepdim=True)).abs().square().mean(-1).sqrt()
    return SystemMatrix(
        (corrected / particles).view_as(matrix.components),
        matrix.mixing_orders,
        matrix.frequencies,
        matrix.scan,
        corrected.abs().mean(-1) / spread,
    )
