"""Benchmarks, each against a naive reference or a peer in the same run: ``make bench``."""

import math
import resource
import time
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from mpinotes.data import (
    HELD_OUT_TESTS,
    PAPER_SETTINGS,
    image_pairs,
    matrix_pairs,
    matrix_test_pairs,
    synthetic_vessels,
)
from mpinotes.diffusion import ANCESTRAL
from mpinotes.methods import IMAGE_METHODS, load, mirror_mean
from mpinotes.physics import (
    CartesianScan,
    FixedAxis,
    FluidAxis,
    LissajousScan,
    Particle,
    mean_moment,
    mixing_orders,
    point_response,
    simulate_scan,
    simulate_system_matrix,
)
from mpinotes.physics.cartesian import voxel_centres
from mpinotes.physics.easy_axis import voxel_places
from mpinotes.physics.local_expansion import LocalExpansion
from mpinotes.reconstruction import reconstruct_tikhonov
from mpinotes.studies import get_profile
from mpinotes.training import best_device, train
from tests.benchmarks.scanner_files import bench_calibration
from tests.benchmarks.training import bench_training, seconds


def langevin_terms(h: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray]:
    x = np.maximum(beta * h, 1e-3)
    ratio = (1 / np.tanh(x) - 1 / x) / x
    return ratio, 1 / x**2 - 1 / np.sinh(np.minimum(x, 300)) ** 2


def direct_scan(volume: np.ndarray, particle: Particle, scan: CartesianScan, lines: int) -> np.ndarray:
    """The direct sum over occupied voxels and samples, for the first `lines` lines of the centre layer."""
    side = volume.shape[-1]
    centre = (np.arange(side) - (side - 1) / 2) * scan.voxel_size
    z, y, x = (centre[i] for i in np.nonzero(volume))
    c = volume[np.nonzero(volume)]
    phase = 2 * np.pi * (np.arange(scan.samples) + 0.5) / scan.samples
    sweep = scan.sweep_amplitude(side)
    result = np.zeros((lines, scan.samples))
    for line in range(lines):
        for s, angle in enumerate(phase):
            hx = scan.gradient[0] * (x - sweep * np.cos(angle))
            hy, hz = scan.gradient[1] * (y - centre[line]), scan.gradient[2] * (z - centre[side // 2])
            squared = hx**2 + hy**2 + hz**2
            ratio, slope = langevin_terms(np.sqrt(squared), particle.beta)
            response = particle.beta * (ratio + hx**2 / squared * (slope - ratio))
            result[line, s] = (c * response).sum() * scan.gradient[0] * sweep * np.sin(angle)
    unit = -scan.coil_sensitivity * particle.moment * scan.voxel_size**3
    return unit * 2 * np.pi * scan.drive_frequency[0] * result


def plain_sum(volume: np.ndarray, particle: Particle, scan: CartesianScan, samples: int) -> float:
    """Seconds per volume of the same sum without NumPy, from a few `samples` of the centre line."""
    side, gradient = volume.shape[-1], scan.gradient
    occupied = [(z, y, x, float(volume[z, y, x])) for z, y, x in np.argwhere(volume).tolist()]
    start = time.perf_counter()
    for moment in range(samples):
        position = scan.sweep_amplitude(side) * math.cos(2 * math.pi * (moment + 0.5) / scan.samples)
        total = 0.0
        for z, y, x, c in occupied:
            hx = gradient[0] * ((x - (side - 1) / 2) * scan.voxel_size - position)
            hy, hz = (g * (i - side // 2) * scan.voxel_size for g, i in zip(gradient[1:], (y, z), strict=True))
            squared = hx * hx + hy * hy + hz * hz
            strength = max(particle.beta * math.sqrt(squared), 1e-3)
            ratio = (1 / math.tanh(strength) - 1 / strength) / strength
            slope = 1 / strength**2 - 1 / math.sinh(min(strength, 300)) ** 2
            total += c * particle.beta * (ratio + hx * hx / squared * (slope - ratio))
    return (time.perf_counter() - start) / samples * scan.samples * side * side


def direct_matrix(scan: LissajousScan, particle: Particle, rows: int, per_cycle: int) -> np.ndarray:
    """Time-domain simulation of the first `rows` rows of pixels: one period, then a Fourier transform."""
    count = scan.cycles[0] * per_cycle
    phase = 2 * np.pi * np.arange(count) / count
    n, m = mixing_orders(2, 17).numpy().T
    bins = n * scan.cycles[0] + m * scan.cycles[1]
    x = ((np.arange(scan.shape[1]) + 0.5) / scan.shape[1] - 0.5) * scan.field_of_view[0]
    y = ((np.arange(scan.shape[0]) + 0.5) / scan.shape[0] - 0.5) * scan.field_of_view[1]
    result = np.zeros((2, len(bins), rows, scan.shape[1]))
    for row in range(rows):
        hx = scan.gradient[0] * x[:, None] + scan.amplitude[0] * np.cos(scan.cycles[0] * phase)
        hy = scan.gradient[1] * y[row] + scan.amplitude[1] * np.cos(scan.cycles[1] * phase)
        ratio, _ = langevin_terms(np.sqrt(hx**2 + hy**2), particle.beta)
        for channel, field in enumerate((hx, hy)):
            spectrum = np.fft.rfft(particle.beta * field * ratio, axis=1) / count
            result[channel, :, row] = spectrum[:, bins].real.T
    return result


def quadrature_matrix(
    scan: LissajousScan, particle: Particle, axis: FixedAxis | FluidAxis, nodes: int, voxels: int
) -> torch.Tensor:
    """d_ab of the first `voxels` voxels by Gauss-Chebyshev quadrature of `mean_moment`, without aliases,
    (channel, component, voxel)."""
    orders = mixing_orders(2, 17)
    u = torch.cos(math.pi * (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes)
    chebyshev = torch.cos(torch.arange(18, dtype=torch.float64)[:, None] * torch.acos(u)) / nodes
    columns = []
    for place, direction, share in list(zip(voxel_places(scan), *axis.at(scan), strict=True))[:voxels]:
        h = [g * r + a * u for g, r, a in zip(scan.gradient, place.tolist(), scan.amplitude, strict=True)]
        field = torch.stack([*torch.meshgrid(*h, indexing="ij"), torch.zeros(nodes, nodes, dtype=torch.float64)], -1)
        own = replace(particle, anisotropy=share.item() * particle.anisotropy)
        d = torch.einsum("ax,xyc,by->cab", chebyshev, mean_moment(field, own, direction)[..., :2], chebyshev)
        columns.append(d[:, orders[:, 0], orders[:, 1]])
    return torch.stack(columns, dim=-1)


def bench_easy_axis() -> None:
    """Matrices of particles with an easy axis, against direct quadrature of as many drives at every voxel."""
    for diameter, anisotropy in ((20e-9, 3500.0), (25e-9, 3500.0), (30e-9, 1500.0), (36e-9, 3000.0)):
        for axis in (FluidAxis(), FixedAxis((-1.0, 1.0, 0.0))):
            scan = LissajousScan(density=499)  # so dense that no alias is left, which the quadrature leaves out
            particle = Particle(diameter, anisotropy=anisotropy)
            simulate = partial(
                simulate_system_matrix, scan, particle, easy_axis=axis, integrate_pixels=False, tolerance=1e-5
            )
            ours, voxels = seconds(simulate), 4
            nodes = LocalExpansion(scan, particle, axis, 1e-5, False).highest
            direct = partial(quadrature_matrix, scan, particle, axis, nodes, voxels)
            naive = seconds(direct, 1) / voxels * math.prod(scan.shape)
            got = simulate()
            factor = -2j * math.pi * got.frequencies * scan.coil_sensitivity * particle.moment
            unitless = (got.components / factor[:, None, None]).real.flatten(2)
            error = (unitless[..., :voxels] - direct()).abs().max() / unitless.abs().max()
            print(
                f"{type(axis).__name__}, {diameter * 1e9:.0f} nm:      {1 / ours:9.2f} matrices/s; quadrature at every "
                f"voxel {naive:.1f} s/matrix: {naive / ours:,.0f}× (difference {error:.0e})"
            )


def bench_scan() -> None:
    volumes, particle = synthetic_vessels(256, 32).round() * 1e18, Particle(25e-9)
    scan = CartesianScan(drive_frequency=(25e3, 25e3))
    ours = seconds(lambda: simulate_scan(volumes, particle, scan)) / len(volumes)
    volume, lines = volumes[0, 0].double().numpy(), 4
    reference = direct_scan(volume, particle, scan, lines)
    naive = seconds(lambda: direct_scan(volume, particle, scan, lines), 1) / lines * 32 * 32
    got = simulate_scan(volumes[:1].double(), particle, scan).voltage[0, 0, 16, :lines].numpy()
    error = np.abs(got - reference).max() / np.abs(reference).max()
    plain = plain_sum(volume, particle, scan, 32)
    print(f"scan 32³:              {1 / ours:9.0f} volumes/s")
    print(f"                       NumPy over voxels {naive:.1f} s/volume: {naive / ours:,.0f}×")
    print(f"                       direct sum {plain:.1f} s/volume: {plain / ours:,.0f}×")
    print(f"                       (largest relative difference {error:.0e})")


def bench_matrix() -> None:
    for diameter, per_cycle in ((30e-9, 400), (50e-9, 1000)):
        scan, particle = LissajousScan(density=49), Particle(diameter)
        ours = seconds(lambda: simulate_system_matrix(scan, particle, integrate_pixels=False))  # noqa: B023
        naive = seconds(lambda: direct_matrix(scan, particle, 1, per_cycle), 1) * scan.shape[0]  # noqa: B023
        got = simulate_system_matrix(scan, particle, integrate_pixels=False)
        factor = -2j * math.pi * got.frequencies * scan.coil_sensitivity * particle.moment
        unitless = (got.components / factor[:, None, None]).real[:, :, 0].numpy()
        error = np.abs(unitless - direct_matrix(scan, particle, 1, per_cycle)[:, :, 0]).max() / np.abs(unitless).max()
        print(
            f"system matrix {diameter * 1e9:.0f} nm:   {1 / ours:9.2f} matrices/s; time domain {naive:.1f} s/matrix: "
            f"{naive / ours:,.0f}× (difference {error:.0e})"
        )


def bench_data_set() -> None:
    """All 108 matrices of the paper's data set; the reference from one row of pixels of each core."""
    ours = seconds(lambda: matrix_pairs(PAPER_SETTINGS), 1)
    naive = 0.0
    periods = sum((setting.density + 1) / 50 for setting in PAPER_SETTINGS) / 3  # of one core, in figures of N_d = 49
    for diameter, per_cycle in ((30e-9, 400), (50e-9, 1000), (70e-9, 4000)):
        for ratio, samples in ((1.0, per_cycle), (0.1, 400)):
            scan = LissajousScan((ratio, ratio), (20e-3 * ratio, 20e-3 * ratio), density=49)
            row = seconds(lambda: direct_matrix(scan, Particle(diameter), 1, samples), 1)  # noqa: B023
            naive += row * scan.shape[0] * periods
    print(
        f"108 matrices:          {ours:9.1f} s, {108 / ours:.1f} matrices/s; time domain {naive:,.0f} s: "
        f"{naive / ours:,.0f}×"
    )


def bench_synthesis() -> None:
    """A whole matrix of 168 components and two channels, with the released network."""
    trained = load("sm_algorithm1")
    test = matrix_test_pairs(get_profile("full"), HELD_OUT_TESTS[1:2], 0.0)
    took = seconds(lambda: trained(test.low, test.orders), 1)
    print(f"a matrix synthesised:  {took:9.1f} s in {trained.method.calls} calls per component")


def bench_growth() -> None:
    """Cost and peak memory as the batch grows: time per volume stays, memory stays within its chunk."""
    particle, scan = Particle(25e-9), CartesianScan(drive_frequency=(25e3, 25e3))
    for count in (16, 64, 256, 1024):
        volumes = synthetic_vessels(16, 32).repeat(count // 16, 1, 1, 1, 1) * 1e18
        time_each = seconds(lambda: simulate_scan(volumes, particle, scan), 1) / count  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"scan, {count:4} volumes:    {1e3 * time_each:9.2f} ms/volume, peak {peak:,.0f} MB of the process so far"
        )


def dense_tikhonov(
    native: torch.Tensor, particle: Particle, scan: CartesianScan, regularization: float
) -> torch.Tensor:
    """The same minimiser from all distances of voxels and the normal equations."""
    places = torch.meshgrid(*(voxel_centres(n, scan.voxel_size) for n in native.shape[-3:]), indexing="ij")
    places = torch.stack(places[::-1], dim=-1).flatten(0, -2)
    response = point_response(places[:, None] - places, particle, scan.gradient) * 3 / particle.beta
    normal = response.T @ response + regularization * torch.eye(len(response), dtype=response.dtype)
    return torch.linalg.solve(normal, response.T @ native.flatten(1).T).T.view(native.shape)


def bench_tikhonov() -> None:
    """A new scanner each time: nothing is kept between two calls."""
    particle, scan = Particle(25e-9), CartesianScan()
    native = torch.rand(16, 1, 12, 12, 12, dtype=torch.float64)
    ours = seconds(lambda: reconstruct_tikhonov(native, particle, scan, regularization=5.0))
    naive = seconds(lambda: dense_tikhonov(native, particle, scan, 5.0), 1)
    expected = dense_tikhonov(native, particle, scan, 5.0)
    error = (reconstruct_tikhonov(native, particle, scan, regularization=5.0) - expected).abs().max().item()
    print(f"Tikhonov, 16 × 12³:    {ours:9.3f} s; dense {naive:.1f} s: {naive / ours:,.0f}× (difference {error:.0e})")
    for side, count in ((16, 16), (32, 1), (32, 16), (32, 128), (64, 1)):
        native = torch.rand(count, 1, side, side, side)
        ours = seconds(lambda: reconstruct_tikhonov(native, particle, scan, regularization=5.0), 1)  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"Tikhonov, {f'{count} × {side}³:':13}{ours:9.2f} s, peak {peak:,.0f} MB of the process so far")


def bench_budget() -> None:
    """A training step of each image method: `EDSR_COST` and `ESRGAN_COST` are what two of them cost in steps
    of the U-Net."""
    steps = {}
    x_hr = synthetic_vessels(16, 32)
    for method in map(get_profile("smoke").shortened, IMAGE_METHODS):
        # The adversarial part of ESRGAN begins half-way: its steps are timed from there on.
        states = train(method.build(0), method, (x_hr / 2, x_hr), method.training, device=best_device())
        first = [next(states) for _ in range(1 + method.training.steps // 2)][-1]
        *_, last = states
        steps[method.name] = (last.seconds - first.seconds) / (last.step - first.step)
    for name, step in steps.items():
        print(f"training step, {name:8}{step:9.2f} s: {step / steps['unet']:.1f} of the U-Net's")


def bench_sampler() -> None:
    """The mean over mirrors, eight calls, against all thousand steps."""
    trained = load("ddpm")
    x_lr = image_pairs(synthetic_vessels(16, 32).round()).x_lr
    few = seconds(lambda: mirror_mean(partial(trained, steps=1), x_lr), 1)
    full = seconds(lambda: trained(x_lr, steps=1000, step=ANCESTRAL), 1)
    print(f"mean over mirrors:     {few / 16:9.3f} s/volume; 1000 ancestral steps {full / 16:.1f}: {full / few:,.0f}×")


if __name__ == "__main__":
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    bench_scan()
    bench_growth()
    bench_matrix()
    bench_easy_axis()
    bench_synthesis()
    bench_data_set()
    bench_tikhonov()
    bench_training()
    bench_budget()
    bench_sampler()
    bench_calibration()
