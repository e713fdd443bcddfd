import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import dawsn, erfi, ive

from mpinotes.physics import Mixture, Particle, langevin, mean_moment
from mpinotes.physics.anisotropy import axial_moments, gauss_legendre, nearest_pole

SETTING = Particle(25e-9)
"""β = 959 per tesla; anisotropies are chosen for an α."""

Z = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def particle_of(alpha):
    return replace(SETTING, anisotropy=alpha / replace(SETTING, anisotropy=1.0).alpha)


def moments(alpha, h, g=0.0, dtype=torch.float64):
    """(m_ax, m_perp) at h = βB along the axis and g across it."""
    field = torch.tensor([g, 0.0, h], dtype=dtype) / SETTING.beta
    across, nothing, axial = mean_moment(field, particle_of(alpha), Z).tolist()
    assert abs(nothing) < 1e-15
    return axial, across


def rotation(seed):
    """A random rotation matrix."""
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))
    q = q * r.diagonal().sign()
    return q * q.det()


def random_fields(count, largest, seed=0):
    """Fields [T] of β|B| up to `largest`, in all directions."""
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    length = torch.rand(count, 1, generator=generator, dtype=torch.float64) * largest
    return length * direction / direction.norm(dim=1, keepdim=True) / SETTING.beta


# --- the particle


def test_alpha_is_the_barrier_over_the_thermal_energy():
    particle = Particle(19e-9, anisotropy=3500.0)
    assert particle.alpha == pytest.approx(3500 * math.pi * 19e-9**3 / 6 / (1.380649e-23 * 293), rel=1e-14)
    assert particle.alpha == pytest.approx(3.107253, abs=1e-6) and particle.beta == pytest.approx(420.8108, abs=1e-4)
    assert Particle(19e-9).alpha == 0


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "3500", (3500.0,)])
def test_an_impossible_anisotropy_is_refused_by_name(value):
    with pytest.raises(ValueError, match="^anisotropy: got"):
        Particle(20e-9, anisotropy=value)


# --- values


@pytest.mark.parametrize(
    "diameter, anisotropy, field, expected",
    [
        (19e-9, 3500, (12, 0), (0, 0.674139151849)),
        (19e-9, 3500, (0, 12), (0.898516215277, 0)),
        (19e-9, 3500, (6, 6), (0.762575484658, 0.304536982831)),
        (19e-9, 1400, (12, 0), (0, 0.765064564080)),
        (19e-9, 1400, (0, 12), (0.851776490661, 0)),
        (19e-9, 1400, (6, 6), (0.622612808859, 0.424798973859)),
        (20e-9, 1250, (12, 0), (0, 0.799091351670)),
        (20e-9, 1250, (0, 12), (0.871400637197, 0)),
        (20e-9, 1250, (6, 6), (0.649432956064, 0.448141270960)),
        (20e-9, 11000, (12, 0), (0, 0.276537419506)),
        (20e-9, 11000, (0, 12), (0.962815168429, 0)),
        (20e-9, 11000, (6, 6), (0.942614292888, 0.118894568942)),
    ],
)
def test_values_of_an_independent_series_to_twelve_digits(diameter, anisotropy, field, expected):
    """Field (across, along) in mT, moment (along, across); a series of Bessel and Laguerre functions gave the same."""
    b = torch.tensor([field[0] * 1e-3, 0.0, field[1] * 1e-3], dtype=torch.float64)
    across, _, axial = mean_moment(b, Particle(diameter, anisotropy=anisotropy), Z).tolist()
    assert (axial, across) == pytest.approx(expected, abs=2e-12)


@pytest.mark.parametrize(
    "alpha, h, expected",
    [
        (0.5, 0.3, 0.113064354579262),
        (0.5, 2, 0.584113659200795),
        (0.5, 8, 0.885958742817891),
        (2, 0.3, 0.157326614041108),
        (2, 2, 0.707657160248546),
        (2, 8, 0.911208184764795),
        (5, 0.3, 0.224383203910495),
        (5, 2, 0.843591065272309),
        (5, 8, 0.940304141635767),
        (20, 2, 0.936109790541393),
    ],
)
def test_along_the_axis_the_moment_is_a_ratio_of_error_functions(alpha, h, expected):
    root = math.sqrt(alpha)
    errors = erfi(root + h / (2 * root)) + erfi(root - h / (2 * root))
    z = math.exp(-(h**2) / (4 * alpha)) * math.sqrt(math.pi) / (2 * root) * errors
    assert math.exp(alpha) * math.sinh(h) / (alpha * z) - h / (2 * alpha) == pytest.approx(expected, rel=1e-12)
    assert moments(alpha, h) == pytest.approx((expected, 0), abs=1e-13)


@pytest.mark.parametrize("alpha", [0, 0.3, 4, 20, 100, 450])
@pytest.mark.parametrize("h, g", [(0.01, 0.02), (0.4, 3), (30, 5), (3, 40), (-2, 900), (300, 300)])
def test_any_field_agrees_with_quadrature_over_the_whole_half_circle(alpha, h, g):
    nodes, weights = np.polynomial.legendre.leggauss(24)
    panels = 64
    angle = ((nodes + 1) / 2 + np.arange(panels)[:, None]).flatten() * math.pi / panels
    weights = np.tile(weights, panels)
    exponent = h * np.cos(angle) + alpha * np.cos(angle) ** 2 + g * np.sin(angle)
    density = weights * np.sin(angle) * np.exp(exponent - exponent.max())
    total = density @ ive(0, g * np.sin(angle))
    axial = density @ (ive(0, g * np.sin(angle)) * np.cos(angle)) / total
    across = density @ (ive(1, g * np.sin(angle)) * np.sin(angle)) / total
    assert moments(alpha, h, g) == pytest.approx((axial, across), abs=1e-13)


def test_without_anisotropy_it_is_the_langevin_function_to_rounding():
    decades = torch.logspace(-8, 6, 200, dtype=torch.float64)[:, None]
    field = decades * random_fields(200, 1, seed=1) * SETTING.beta
    axes = random_fields(200, 1, seed=2)
    x = SETTING.beta * field.norm(dim=1, keepdim=True)
    expected = langevin(x) * field / field.norm(dim=1, keepdim=True)
    got = mean_moment(field, SETTING, axes)
    torch.testing.assert_close(got, expected, rtol=1e-13, atol=1e-14)


# --- limits


def dawson_susceptibility(alpha):
    return 1 / (2 * math.sqrt(alpha) * dawsn(math.sqrt(alpha))) - 1 / (2 * alpha)


@pytest.mark.parametrize(
    "alpha, value", [(0.5, 0.3797319547), (2, 0.5312645577), (5, 0.7642662213), (20, 0.9485547701)]
)
def test_the_initial_susceptibility_is_that_of_dawson_and_its_mean_over_all_axes_one_third(alpha, value):
    along, across = dawson_susceptibility(alpha), (1 - dawson_susceptibility(alpha)) / 2
    assert along == pytest.approx(value, abs=1e-10)
    assert moments(alpha, 1e-6)[0] / 1e-6 == pytest.approx(along, rel=1e-9)
    assert moments(alpha, 0, 1e-6)[1] / 1e-6 == pytest.approx(across, rel=1e-9)
    assert (along + 2 * across) / 3 == pytest.approx(1 / 3)


@pytest.mark.parametrize("alpha, expected", [(0, 0.671637), (2, 0.655221), (5, 0.590662), (10, 0.526064)])
def test_a_powder_differs_in_its_curvature(alpha, expected):
    """The average along B at βB = 3 over axes in all directions."""
    nodes, weights = (torch.from_numpy(x) for x in gauss_legendre(40))
    axes = torch.stack([(1 - nodes**2).sqrt(), torch.zeros_like(nodes), nodes], dim=1)
    along = mean_moment(3 * Z / SETTING.beta, particle_of(alpha), axes)[:, 2]
    assert (along * weights).sum().item() / 2 == pytest.approx(expected, abs=6e-7)


@pytest.mark.parametrize("h", [0.1, 1.0, 4.0])
def test_a_high_barrier_leaves_two_states_along_the_axis(h):
    errors = [abs(moments(alpha, h)[0] - math.tanh(h)) for alpha in (50, 200, 800)]
    assert errors[1] < errors[0] / 3.5 and errors[2] < errors[1] / 3.5 and errors[2] < 2e-3


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_high_barrier_across_is_stoner_wohlfarths_hard_axis(share):
    assert moments(2000, 0, 2 * 2000 * share)[1] == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("alpha", [0, 3, 100])
def test_a_strong_field_saturates_along_itself(alpha):
    field = random_fields(50, 1, seed=3)
    field = field / field.norm(dim=1, keepdim=True)
    for tesla, off in ((1e4, 1e-4), (1e12, 1e-12), (1e30, 1e-14)):
        torch.testing.assert_close(mean_moment(tesla * field, particle_of(alpha), Z), field, rtol=0, atol=off)


@pytest.mark.parametrize("alpha", [0, 3, 100])
def test_no_field_gives_no_moment(alpha):
    assert mean_moment(torch.zeros(2, 3), particle_of(alpha), Z).abs().max() < 1e-14


# --- symmetries


@given(seed=st.integers(0, 1000), alpha=st.floats(0, 60), largest=st.floats(0.1, 200))
def test_the_moment_is_odd_in_the_field_even_in_the_axis_and_turns_with_both(seed, alpha, largest):
    field, axis, turn = random_fields(5, largest, seed), random_fields(1, 1, seed + 1), rotation(seed + 2)
    particle = particle_of(alpha)
    moment = mean_moment(field, particle, axis)
    torch.testing.assert_close(mean_moment(-field, particle, axis), -moment, rtol=0, atol=1e-13)
    torch.testing.assert_close(mean_moment(field, particle, -3e4 * axis), moment, rtol=0, atol=1e-13)
    torch.testing.assert_close(
        mean_moment(field @ turn.T, particle, axis @ turn.T), moment @ turn.T, rtol=0, atol=1e-12
    )


@given(alpha=st.floats(0.1, 50), x=st.floats(0.05, 100))
def test_along_the_axis_there_is_more_than_langevins_moment_and_across_it_less(alpha, x):
    free = langevin(torch.tensor(x, dtype=torch.float64)).item()
    assert moments(alpha, x)[0] > free > moments(alpha, 0, x)[1] > 0


@given(seed=st.integers(0, 1000), alpha=st.floats(0, 400), decade=st.floats(-6, 6))
def test_moments_are_finite_and_no_longer_than_saturation(seed, alpha, decade):
    field = random_fields(20, 10**decade, seed)
    length = mean_moment(field, particle_of(alpha), random_fields(20, 1, seed + 1)).norm(dim=1)
    assert torch.isfinite(length).all() and length.max() <= 1 + 1e-12


# --- shapes, dtypes, gradients


def test_leading_axes_broadcast_and_batches_are_their_parts():
    field, axes = random_fields(6, 20).view(2, 3, 3), random_fields(3, 1, seed=1)
    moment = mean_moment(field, particle_of(4.0), axes)
    assert moment.shape == (2, 3, 3)
    for i in range(2):
        for j in range(3):
            alone = mean_moment(field[i, j], particle_of(4.0), axes[j])
            torch.testing.assert_close(moment[i, j], alone, rtol=0, atol=1e-15)


def test_single_precision_is_the_rounded_double_one():
    field, axes = random_fields(200, 400), random_fields(200, 1, seed=1)
    exact = mean_moment(field, particle_of(20.0), axes)
    single = mean_moment(field.float(), particle_of(20.0), axes.float())
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), exact, rtol=0, atol=1e-5)  # of which the rounded field has 1e-5


@pytest.mark.parametrize("alpha", [0.0, 2.0, 30.0])
def test_gradients_in_field_axis_diameter_and_anisotropy_agree_with_finite_differences(alpha):
    k = particle_of(alpha).anisotropy
    point = [
        torch.cat([random_fields(4, 8), 6 * Z[None] / SETTING.beta]) * 1e3,
        torch.tensor(25.0, dtype=torch.float64),
        torch.tensor(k * 1e-3 + 0.1, dtype=torch.float64),
        random_fields(1, 1, seed=5) * 1e3,
    ]
    for value in point:
        value.requires_grad_()

    def moment(millitesla, nanometres, kilojoules, axis):
        return mean_moment(millitesla * 1e-3, Particle(nanometres * 1e-9, anisotropy=kilojoules * 1e3), axis)

    assert torch.autograd.gradcheck(moment, point, eps=1e-6, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_right_without_a_field_along_the_axis_and_in_saturation(dtype):
    particle, rows = particle_of(2.0), torch.tensor([[0.0, 0, 0], [0, 0, 3], [3, 0, 0], [0, 0, 1e9], [1e9, 0, 0]])
    field = (rows.to(dtype) / SETTING.beta).requires_grad_()
    moment = mean_moment(field, particle, Z)
    slopes = [torch.autograd.grad(moment[:, i].sum(), field, retain_graph=True)[0] / SETTING.beta for i in range(3)]
    assert all(torch.isfinite(slope).all() for slope in slopes)
    along = dawson_susceptibility(2.0)
    assert [slopes[i][0, i].item() for i in range(3)] == pytest.approx(
        [(1 - along) / 2, (1 - along) / 2, along], rel=1e-6
    )
    # Across a field along the axis the moment turns with the field: its slope is m over g as g goes to 0.
    assert slopes[0][1, 0].item() == pytest.approx(moments(2.0, 3.0, 1e-5)[1] / 1e-5, rel=1e-5)
    assert max(slope[3:].abs().max().item() for slope in slopes) < 1e-8


def test_a_gradient_of_no_anisotropy_is_one_sided_and_right():
    """d m_ax / dα at α = 0 along the axis: ⟨t³⟩ − ⟨t⟩⟨t²⟩ of the Langevin density, at h = 2."""
    k = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    moment = mean_moment(2 * Z / SETTING.beta, Particle(25e-9, anisotropy=k), Z)[2]
    (slope,) = torch.autograd.grad(moment, k)
    t, w = gauss_legendre(60)
    density = w * np.exp(2 * t) / (w @ np.exp(2 * t))
    expected = density @ t**3 - (density @ t) * (density @ t**2)
    assert slope.item() / replace(SETTING, anisotropy=1.0).alpha == pytest.approx(expected, rel=1e-10)


# --- the pole


@pytest.mark.parametrize("alpha", [0.0, 1e-5, 1.0, 10.0, 300.0])
def test_the_nearest_pole_is_where_the_axial_partition_function_vanishes(alpha):
    pole = nearest_pole(alpha)
    assert math.pi / 2 < pole <= math.pi
    mpmath.mp.dps = 40
    z = mpmath.quad(lambda t: mpmath.cos(pole * t) * mpmath.exp(alpha * (t**2 - 1)), mpmath.linspace(-1, 1, 21))
    largest = mpmath.quad(lambda t: mpmath.exp(alpha * (t**2 - 1)), mpmath.linspace(-1, 1, 21))
    assert abs(z / largest) < 1e-6


# --- wrong input


@pytest.mark.parametrize("axis", [(0.0, 0.0, 0.0), (1.0, 0.0), (1.0,), (math.nan, 0.0, 1.0), (1.0, 0.0, 0.0, 0.0)])
def test_an_axis_without_length_or_of_another_shape_is_refused_by_name(axis):
    with pytest.raises(ValueError, match="^easy_axis: got"):
        mean_moment(torch.ones(2, 3), SETTING, torch.tensor(axis))


@pytest.mark.parametrize(
    "name, field, axis",
    [
        ("field", torch.ones(3, 2), Z),
        ("field", torch.tensor(1.0), Z),
        ("field", 20e-3, Z),
        ("field", torch.ones(3).long(), Z),
        ("field", torch.full((3,), math.nan), Z),
        ("field", torch.ones(0, 3), Z),
        ("easy_axis", torch.ones(2, 3), (0.0, 0.0, 1.0)),
        ("easy_axis", torch.ones(2, 3), torch.ones(4, 3)),
    ],
)
def test_wrong_fields_and_axes_are_refused_by_name(name, field, axis):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        mean_moment(field, SETTING, axis)


def test_large_batches_are_cut_into_parts_that_change_nothing(monkeypatch):
    h, g = random_fields(50, 30)[:, :2].T * SETTING.beta
    whole = axial_moments(h, g.square(), 3.0)
    monkeypatch.setattr("mpinotes.physics.anisotropy._LARGEST", 100)
    for part, expected in zip(axial_moments(h, g.square(), 3.0), whole, strict=True):
        torch.testing.assert_close(part, expected, rtol=0, atol=1e-15)


def test_a_field_whose_square_is_no_number_is_refused_and_one_below_saturates():
    axis, particle = torch.tensor([1.0, 0.0, 0.0]), Particle(19e-9, anisotropy=3500.0)
    across = torch.tensor([[0.0, 1e90, 0.0]], dtype=torch.float64)
    torch.testing.assert_close(mean_moment(across, particle, axis), across / 1e90)
    with pytest.raises(ValueError, match="^field: got up to 1e[+]160 T"):
        mean_moment(across * 1e70, particle, axis)


@pytest.mark.parametrize("particle", [25e-9, None, Particle, Mixture((Particle(20e-9),), (1.0,))])
def test_another_thing_than_a_particle_is_refused(particle):
    with pytest.raises(ValueError, match="^particle: got .*, accepted is a Particle$"):
        mean_moment(torch.ones(3), particle, torch.ones(3))
