import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.physics import LissajousScan, Particle, debye_response, mixing_orders, simulate_system_matrix

PAPER_PARTICLE = Particle(30e-9)
UNEVEN = {"gradient": (1.0, -0.7), "amplitude": (20e-3, 15e-3), "field_of_view": (30e-3, 40e-3)}
NODES = 640  # Gauss–Chebyshev nodes per axis: d_ab is down to rounding long before order 640 at 30 nm


def moment_directions(h_x, h_y, particle):
    """Mean moment over its saturation value, L(β|H|) H/|H|, by component."""
    h = np.hypot(h_x, h_y)
    length = (1 / np.tanh(particle.beta * h) - 1 / (particle.beta * h)) / h
    return length * h_x, length * h_y


def pixel_centres(scan):
    return [
        (np.arange(n) - (n - 1) / 2) * view / n for n, view in zip(scan.shape[::-1], scan.field_of_view, strict=True)
    ]


def closed_form(scan, particle, orders, x, y, nodes=NODES):
    """û_k = -p i2πf_k m Σ_λ d_{|k-λN_y|,|-k+λN_x|} at one point, d_ab by Gauss–Chebyshev quadrature."""
    angles = np.pi * (np.arange(nodes) + 0.5) / nodes
    h_x = scan.gradient[0] * x + scan.amplitude[0] * np.cos(angles)
    h_y = scan.gradient[1] * y + scan.amplitude[1] * np.cos(angles)
    n_x, n_y = scan.density + 1, scan.density
    result = np.zeros((2, len(orders)), dtype=complex)
    k = orders.numpy() @ np.array([n_x, n_y])
    turns = [range((line - nodes) // n_y, (line + nodes) // n_y + 2) for line in k]
    pairs = [
        [(abs(line - turn * n_y), abs(-line + turn * n_x)) for turn in span if abs(-line + turn * n_x) < nodes]
        for line, span in zip(k, turns, strict=True)
    ]
    pairs = [[pair for pair in group if pair[0] < nodes] for group in pairs]
    rows, columns = (sorted({pair[i] for group in pairs for pair in group}) for i in (0, 1))
    row_of, column_of = ({a: i for i, a in enumerate(used)} for used in (rows, columns))
    for channel, m in enumerate(moment_directions(h_x[:, None], h_y[None, :], particle)):
        d = np.cos(np.outer(rows, angles)) @ m @ np.cos(np.outer(columns, angles)).T / nodes**2
        for index, (line, group) in enumerate(zip(k, pairs, strict=True)):
            total = sum(d[row_of[a], column_of[b]] for a, b in group)
            frequency = line * scan.base_frequency / n_x
            result[channel, index] = -2j * np.pi * frequency * scan.coil_sensitivity * particle.moment * total
    return result


def relative_error(got, expected):
    """Largest deviation over the pixels, relative to each component's largest modulus."""
    return (np.abs(got - expected).max((-2, -1)) / np.abs(expected).max((-2, -1))).max()


@pytest.fixture(scope="module")
def paper_like():
    """All 168 components of a 99-density scan of a 30 nm core, uneven in everything, on a few pixels."""
    scan = LissajousScan(density=99, shape=(4, 5), **UNEVEN)
    return scan, simulate_system_matrix(scan, PAPER_PARTICLE, integrate_pixels=False, tolerance=1e-14)


def test_each_of_the_168_components_is_its_closed_form(paper_like):
    scan, matrix = paper_like
    orders = mixing_orders(2, 17)
    xs, ys = pixel_centres(scan)
    points = [[closed_form(scan, PAPER_PARTICLE, orders, x, y) for x in xs] for y in ys]
    expected = np.moveaxis(np.array(points), (0, 1), (2, 3))
    got = matrix.components.numpy()
    assert got.shape == expected.shape == (2, 168, 4, 5)
    assert relative_error(got, expected) < 1e-10


@pytest.mark.parametrize("density", [1, 2, 3, 6])
def test_components_are_the_spectrum_of_a_simulation_in_time(density):
    """One period of the figure, sampled finely enough that nothing folds back, endpoint excluded."""
    scan = LissajousScan(density=density, shape=(2, 3), **UNEVEN)
    matrix = simulate_system_matrix(scan, PAPER_PARTICLE, integrate_pixels=False, tolerance=1e-13)
    samples = 1 << 13
    phase = 2 * np.pi * np.arange(samples) / samples
    x, y = np.meshgrid(*pixel_centres(scan))
    h_x = scan.gradient[0] * x[..., None] + scan.amplitude[0] * np.cos((density + 1) * phase)
    h_y = scan.gradient[1] * y[..., None] + scan.amplitude[1] * np.cos(density * phase)
    n, m = matrix.mixing_orders.numpy().T
    bins = n * (density + 1) + m * density
    spectrum = np.fft.fft(np.stack(moment_directions(h_x, h_y, PAPER_PARTICLE)), axis=-1)[..., bins] / samples
    rate = 2j * np.pi * bins * scan.base_frequency / (density + 1)
    expected = np.moveaxis(-scan.coil_sensitivity * PAPER_PARTICLE.moment * rate * spectrum, -1, 1)
    largest = np.abs(expected).max()
    np.testing.assert_allclose(matrix.components.numpy(), expected, rtol=0, atol=1e-11 * largest)


def test_the_largest_core_of_the_paper_is_its_closed_form():
    """70 nm at 20 mT, β A = 421, at one of four pixels that mirror each other."""
    particle, orders = Particle(70e-9), mixing_orders(2, 17)
    scan = LissajousScan(density=99, shape=(2, 2), **UNEVEN)
    got = simulate_system_matrix(scan, particle, orders, integrate_pixels=False, tolerance=1e-9).components.numpy()
    xs, ys = pixel_centres(scan)
    expected = closed_form(scan, particle, orders, xs[0], ys[0], nodes=6000)
    largest = np.abs(got).max((-2, -1))
    assert largest.min() > 0
    assert (np.abs(got[..., 0, 0] - expected) / largest).max() < 1e-6


def test_one_dimension_is_rahmers_integral():
    """n m_n(x) = π⁻¹ ∫ βA L′(β(Au + Gx)) √(1 − u²) U_{n−1}(u) du, by Gauss–Chebyshev quadrature."""
    gradient, amplitude, nodes = 1.3, 15e-3, 4000
    scan = LissajousScan((gradient,), (amplitude,), shape=(7,), field_of_view=(30e-3,))
    orders, beta = torch.arange(1, 31)[:, None], PAPER_PARTICLE.beta
    got = simulate_system_matrix(scan, PAPER_PARTICLE, orders, integrate_pixels=False, tolerance=1e-15).components
    angles = np.pi * np.arange(1, nodes + 1) / (nodes + 1)
    x = (np.arange(7) - 3) * 30e-3 / 7
    field = beta * (amplitude * np.cos(angles) + gradient * x[:, None])
    slope = 1 / field**2 - 1 / np.sinh(field) ** 2
    n = orders.numpy()
    second_kind = np.sin(n * angles) * np.sin(angles) / (nodes + 1)  # √(1 − u²) U_{n−1} with its weight
    n_m_n = beta * amplitude * second_kind @ slope.T
    expected = -2j * np.pi * scan.base_frequency * scan.coil_sensitivity * PAPER_PARTICLE.moment * n_m_n
    assert relative_error(got.numpy()[..., None, :], expected[None, :, None]) < 1e-10


def test_three_dimensions_are_the_spectrum_of_a_simulation_in_time():
    scan = LissajousScan(
        gradient=(1.0, 0.8, -1.8), amplitude=(12e-3, 12e-3, 14e-3), field_of_view=(30e-3, 24e-3, 20e-3),
        shape=(2, 1, 3), density=9,
    )  # fmt: skip
    particle, orders, samples = Particle(25e-9), mixing_orders(1, 4, 3), 1 << 14
    got = simulate_system_matrix(scan, particle, orders, integrate_pixels=False, tolerance=1e-9).components.numpy()
    phase = 2 * np.pi * np.arange(samples) / samples
    centres = [
        (np.arange(n) - (n - 1) / 2) * view / n for n, view in zip(scan.shape[::-1], scan.field_of_view, strict=True)
    ]
    z, y, x = np.meshgrid(*centres[::-1], indexing="ij")
    drives = zip(scan.gradient, (x, y, z), scan.amplitude, scan.cycles, strict=True)
    fields = [g * r[..., None] + a * np.cos(n * phase) for g, r, a, n in drives]
    h = np.sqrt(sum(field**2 for field in fields))
    moment = np.stack([(1 / np.tanh(particle.beta * h) - 1 / (particle.beta * h)) / h * field for field in fields])
    bins = orders.numpy() @ np.array(scan.cycles)
    spectrum = np.moveaxis(np.fft.fft(moment, axis=-1)[..., bins] / samples, -1, 1)
    rate = (2j * np.pi * bins * scan.repetition_frequency)[:, None, None, None]
    expected = -scan.coil_sensitivity * particle.moment * rate * spectrum
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_all_lines_together_carry_the_energy_of_the_voltage():
    """Parseval, on a short figure whose every bin k is the mixture (k, −k)."""
    scan, count, samples = LissajousScan(density=2, shape=(1, 2), **UNEVEN), 400, 1 << 12
    k = torch.arange(1, count)
    matrix = simulate_system_matrix(
        scan, Particle(20e-9), torch.stack([k, -k], dim=1), integrate_pixels=False, tolerance=1e-12
    )
    energy = 2 * matrix.components.abs().square().sum(1)[:, 0]
    phase = 2 * np.pi * np.arange(samples) / samples
    xs, ys = pixel_centres(scan)
    h_x = scan.gradient[0] * xs[:, None] + scan.amplitude[0] * np.cos(3 * phase)
    h_y = scan.gradient[1] * ys[0] + scan.amplitude[1] * np.cos(2 * phase) + 0 * h_x
    moment = np.stack(moment_directions(h_x, h_y, Particle(20e-9)))
    k = np.fft.fftfreq(samples, 1 / samples)
    rate = np.fft.ifft(2j * np.pi * k * scan.repetition_frequency * np.fft.fft(moment)).real
    voltage = -scan.coil_sensitivity * Particle(20e-9).moment * rate
    np.testing.assert_allclose(energy.numpy(), (voltage**2).mean(-1), rtol=1e-9)


def test_a_response_multiplies_every_line_at_its_frequency():
    scan, orders = LissajousScan(density=9, shape=(2, 2)), mixing_orders(2, 4)

    def response(frequency):
        return debye_response(frequency, 3e-6)

    still, late = (simulate_system_matrix(scan, PAPER_PARTICLE, orders, response=r) for r in (None, response))
    expected = still.components / (1 + 2j * math.pi * 3e-6 * still.frequencies)[:, None, None]
    torch.testing.assert_close(late.components, expected, rtol=1e-13, atol=0)


def test_orders_past_the_expansion_carry_nothing_and_disturb_no_others():
    scan, particle = LissajousScan(density=9, shape=(2, 3)), Particle(15e-9)
    near, far = torch.tensor([[2, 1]]), torch.tensor([[500, 3], [2, 700]])
    alone = simulate_system_matrix(scan, particle, near).components
    together = simulate_system_matrix(scan, particle, torch.cat([near, far])).components
    torch.testing.assert_close(together[:, :1], alone)
    assert simulate_system_matrix(scan, particle, far).components.abs().max() == 0


def test_every_channel_has_its_own_coil():
    scan, orders = LissajousScan(density=9, shape=(2, 2)), mixing_orders(2, 4)
    same, own = (
        simulate_system_matrix(dataclasses.replace(scan, coil_sensitivity=p), PAPER_PARTICLE, orders).components
        for p in (1e-3, (2e-3, 5e-4))
    )
    torch.testing.assert_close(own, same * torch.tensor([2.0, 0.5]).view(2, 1, 1, 1))


def test_gradients_reach_the_particle():
    scan, orders = LissajousScan(density=3, shape=(1, 2), field_of_view=(30e-3, 20e-3)), mixing_orders(1, 3)

    def voltage(nanometres, kelvin, magnetization):
        particle = Particle(nanometres * 1e-9, magnetization * 1e5, kelvin * 100)
        return 1e18 * torch.view_as_real(simulate_system_matrix(scan, particle, orders).components)

    point = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (20.0, 2.93, 4.74)]
    assert torch.autograd.gradcheck(voltage, point, eps=1e-5)


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    density=st.integers(6, 30),
    count=st.integers(1, 5),
)
def test_any_scan_gives_finite_components_of_its_shape(shape, density, count):
    gradient = ((1.0,), (1.0, 0.5), (1.0, 0.5, -1.5))[len(shape) - 1]
    scan = LissajousScan(gradient, (8e-3,) * len(shape), 20e3, density, tuple(shape), (16e-3,) * len(shape))
    orders = mixing_orders(1, 3, len(shape))[:count]
    components = simulate_system_matrix(scan, Particle(15e-9), orders, tolerance=1e-3).components
    assert components.shape == (len(shape), len(orders), *shape)
    assert torch.isfinite(torch.view_as_real(components)).all() and components.abs().max() > 0


def test_an_expansion_beyond_the_memory_is_refused():
    scan = LissajousScan((1.0, 1.0, -2.0), (20e-3,) * 3, shape=(2, 2, 2), field_of_view=(40e-3,) * 3)
    with pytest.raises(ValueError, match="^particle: got a core of 7e-08 m"):
        simulate_system_matrix(scan, Particle(70e-9), mixing_orders(1, 2, 3))


@pytest.mark.parametrize("core_diameter", [30e-9, 50e-9])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
def test_the_expansion_errs_by_no_more_than_its_tolerance(core_diameter, tolerance):
    """The tolerance bounds d_ab over the largest one; a component is d_ab times its frequency."""
    scan, particle = LissajousScan(shape=(3, 4), **UNEVEN), Particle(core_diameter)
    exact, loose = (
        simulate_system_matrix(scan, particle, integrate_pixels=False, tolerance=t) for t in (1e-11, tolerance)
    )
    d_exact, d_loose = (matrix.components / exact.frequencies[:, None, None] for matrix in (exact, loose))
    assert (d_loose - d_exact).abs().max() < tolerance * d_exact.abs().max()


def test_a_pixel_is_the_mean_over_its_area():
    """Against Gauss–Legendre points in the pixel: exact for a core as smooth as 18 nm."""
    particle, orders = Particle(18e-9), mixing_orders(2, 5)
    scan = LissajousScan(density=7, shape=(2, 3), **UNEVEN)
    matrix = simulate_system_matrix(scan, particle, orders, tolerance=1e-13)
    xs, ys = pixel_centres(scan)
    points, weights = np.polynomial.legendre.leggauss(12)
    offsets = [points * view / n / 2 for n, view in zip(scan.shape[::-1], scan.field_of_view, strict=True)]
    expected = sum(
        w_x * w_y / 4 * closed_form(scan, particle, orders, xs[2] + dx, ys[0] + dy, nodes=96)
        for dx, w_x in zip(offsets[0], weights, strict=True)
        for dy, w_y in zip(offsets[1], weights, strict=True)
    )
    got = matrix.components[:, :, 0, 2].numpy()
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_integrated_pixels_are_averages_of_smaller_ones():
    coarse, fine = (
        simulate_system_matrix(LissajousScan(density=9, shape=shape), PAPER_PARTICLE, tolerance=1e-13).components
        for shape in ((3, 4), (6, 8))
    )
    pooled = fine.unflatten(-1, (4, 2)).mean(-1).unflatten(-2, (3, 2)).mean(-2)
    torch.testing.assert_close(pooled, coarse, rtol=0, atol=1e-12 * coarse.abs().max().item())


def test_a_tenth_of_the_field_on_a_core_of_ten_times_the_moment_gives_the_same_matrix():
    orders, shape = mixing_orders(2, 17), (4, 4)
    high = LissajousScan(shape=shape)
    low = LissajousScan(gradient=(0.1, 0.1), amplitude=(2e-3, 2e-3), shape=shape)
    big = Particle(PAPER_PARTICLE.core_diameter * 10 ** (1 / 3))
    small_core, big_core = (simulate_system_matrix(*a, orders).components for a in ((high, PAPER_PARTICLE), (low, big)))
    assert relative_error((big_core / 10).numpy(), small_core.numpy()) < 1e-9


def test_the_shape_of_a_component_does_not_depend_on_the_base_frequency():
    slow, fast = (
        simulate_system_matrix(LissajousScan(base_frequency=f, shape=(3, 3)), PAPER_PARTICLE, mixing_orders(2, 4))
        for f in (10e3, 25e3)
    )
    torch.testing.assert_close(fast.components, 2.5 * slow.components, rtol=1e-12, atol=0)


def test_components_of_the_static_model_are_imaginary(paper_like):
    components = paper_like[1].components
    assert components.dtype == torch.complex128
    assert torch.equal(components.real, torch.zeros_like(components.real))
    assert (components.imag.abs().amax((-2, -1)) > 0).all()


@pytest.mark.parametrize("density, tolerance", [(98, 1e-10), (99, 1e-3)])
def test_components_have_the_parity_of_their_order_in_x(density, tolerance):
    """Exact where N_y = N_d is even; else mirror copies with |λ| = 1 break it slightly."""
    scan = LissajousScan(density=density, shape=(4, 4))
    matrix = simulate_system_matrix(scan, PAPER_PARTICLE)
    n = matrix.mixing_orders[:, 0]
    sign = torch.where(n % 2 == 1, 1.0, -1.0)[:, None, None]
    x_channel = matrix.components[0].imag
    assert relative_error((sign * x_channel.flip(-1)).numpy(), x_channel.numpy()) < tolerance


@pytest.mark.parametrize("density, tolerance", [(99, 1e-10), (98, 1e-3)])
def test_components_have_the_parity_of_their_order_in_y(density, tolerance):
    """Exact where N_x = N_d + 1 is even."""
    scan = LissajousScan(density=density, shape=(4, 4))
    matrix = simulate_system_matrix(scan, PAPER_PARTICLE)
    m = matrix.mixing_orders[:, 1]
    sign = torch.where(m % 2 == 0, 1.0, -1.0)[:, None, None]
    x_channel = matrix.components[0].imag
    assert relative_error((sign * x_channel.flip(-2)).numpy(), x_channel.numpy()) < tolerance


def test_frequencies_are_the_mixtures_of_both_drives():
    scan = LissajousScan(base_frequency=25e3, density=99, shape=(1, 1))
    orders = torch.tensor([[1, 0], [0, 1], [3, 2], [2, -1]])
    matrix = simulate_system_matrix(scan, PAPER_PARTICLE, orders)
    f_x, f_y = 25e3, 25e3 * 99 / 100
    expected = torch.tensor([f_x, f_y, 3 * f_x + 2 * f_y, 2 * f_x - f_y], dtype=torch.float64)
    torch.testing.assert_close(matrix.frequencies, expected)
    assert matrix.mixing_orders is orders


def test_components_come_in_the_order_asked_for(paper_like):
    scan, matrix = paper_like
    shuffled = torch.randperm(168, generator=torch.Generator().manual_seed(0))[:20]
    orders = mixing_orders(2, 17)[shuffled]
    some = simulate_system_matrix(scan, PAPER_PARTICLE, orders, integrate_pixels=False, tolerance=1e-14)
    largest = matrix.components.abs().max().item()
    torch.testing.assert_close(some.components, matrix.components[:, shuffled], rtol=0, atol=1e-12 * largest)


@pytest.mark.parametrize(
    "orders",
    [torch.ones(3, 3, dtype=torch.int64), torch.ones(2, dtype=torch.int64), torch.ones(3, 2), torch.empty(0, 2).long()],
)
def test_orders_that_are_not_pairs_of_integers_are_refused_by_name(orders):
    with pytest.raises(ValueError, match="^orders: got"):
        simulate_system_matrix(LissajousScan(shape=(1, 1)), PAPER_PARTICLE, orders)


@pytest.mark.parametrize("tolerance", [0.0, 0.5, math.nan])
def test_a_tolerance_outside_its_range_is_refused_by_name(tolerance):
    with pytest.raises(ValueError, match="^tolerance: got"):
        simulate_system_matrix(LissajousScan(shape=(1, 1)), PAPER_PARTICLE, tolerance=tolerance)
