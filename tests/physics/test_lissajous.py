import math

import numpy as np
import pytest
import torch

from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix

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
    polynomials = np.cos(np.arange(nodes)[:, None] * angles)
    h_x = scan.gradient[0] * x + scan.amplitude[0] * np.cos(angles)
    h_y = scan.gradient[1] * y + scan.amplitude[1] * np.cos(angles)
    n_x, n_y = scan.density + 1, scan.density
    result = np.zeros((2, len(orders)), dtype=complex)
    for channel, m in enumerate(moment_directions(h_x[:, None], h_y[None, :], particle)):
        d = polynomials @ m @ polynomials.T / nodes**2
        for index, (n, m) in enumerate(orders.tolist()):
            k = n * n_x + m * n_y
            turns = range((k - nodes) // n_y, (k + nodes) // n_y + 2)
            pairs = [(abs(k - turn * n_y), abs(-k + turn * n_x)) for turn in turns]
            total = sum(d[a, b] for a, b in pairs if a < nodes and b < nodes)
            frequency = k * scan.base_frequency / n_x
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


def test_mixing_orders_2_to_17_are_the_168_of_the_paper():
    orders = mixing_orders(2, 17)
    assert orders.shape == (168, 2)
    assert len(orders.unique(dim=0)) == 168
    assert (orders >= 0).all()
    assert orders.sum(1).min() == 2 and orders.sum(1).max() == 17


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
    "name, value",
    [
        ("gradient", (1.0, 0.0)),
        ("gradient", (1.0, 1.0, 1.0)),
        ("amplitude", (20e-3, -20e-3)),
        ("amplitude", (math.nan, 20e-3)),
        ("shape", (0, 4)),
        ("shape", (4, -1)),
        ("shape", (2.5, 4)),
        ("field_of_view", (math.inf, 40e-3)),
        ("base_frequency", 0.0),
        ("coil_sensitivity", math.nan),
        ("density", 0),
        ("density", 2.5),
    ],
    ids=str,
)
def test_an_impossible_scan_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        LissajousScan(**{name: value})


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


@pytest.mark.parametrize("lowest, highest", [(-1, 3), (4, 3)])
def test_an_empty_range_of_orders_is_refused_by_name(lowest, highest):
    with pytest.raises(ValueError, match="^lowest: got"):
        mixing_orders(lowest, highest)
