import math

import mpmath
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from mpinotes.physics import FWHM, FWHM_ACROSS, Particle, langevin, langevin_derivative, langevin_ratio

mpmath.mp.dps = 60
EXACT = {
    langevin: lambda x: mpmath.coth(x) - 1 / x,
    langevin_ratio: lambda x: (mpmath.coth(x) - 1 / x) / x,
    langevin_derivative: lambda x: 1 / x**2 - 1 / mpmath.sinh(x) ** 2,
}
PARITY = {langevin: -1, langevin_ratio: 1, langevin_derivative: 1}
SLOPE_AT_ZERO = {langevin: 1 / 3, langevin_ratio: 0.0, langevin_derivative: 0.0}
every_function = pytest.mark.parametrize("function", EXACT, ids=lambda f: f.__name__)


def scalar(function):
    return lambda x: function(torch.tensor(x, dtype=torch.float64)).item()


@every_function
@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 4e-13), (torch.float32, 4e-6)])
def test_values_agree_with_60_digit_arithmetic_over_16_decades(function, dtype, tolerance):
    decades = torch.logspace(-12, 4, 161, dtype=torch.float64)
    around_the_switch = torch.linspace(0.09, 0.55, 93, dtype=torch.float64)
    x = torch.cat([decades, around_the_switch]).to(dtype)
    exact = [EXACT[function](mpmath.mpf(v)) for v in x.tolist()]
    errors = [abs(float((got - e) / e)) for got, e in zip(function(x).tolist(), exact, strict=True)]
    assert max(errors) < tolerance


@every_function
def test_dtype_and_shape_are_kept(function):
    x = torch.ones(2, 3, 1, dtype=torch.float32)
    assert function(x).dtype == torch.float32
    assert function(x).shape == x.shape


@every_function
@given(x=st.floats(-1e4, 1e4))
def test_langevin_is_odd_and_its_companions_are_even(function, x):
    assert scalar(function)(-x) == PARITY[function] * scalar(function)(x)


@given(x=st.floats(1e-6, 1e4))
def test_langevin_stays_below_saturation_and_the_longitudinal_response_below_the_transverse(x):
    assert 0 < scalar(langevin)(x) < 1
    assert 0 < scalar(langevin_derivative)(x) <= scalar(langevin_ratio)(x) * (1 + 1e-13)


@pytest.mark.parametrize("function, width", [(langevin_derivative, FWHM), (langevin_ratio, FWHM_ACROSS)])
def test_full_width_at_half_maximum_is_the_published_one(function, width):
    half = brentq(lambda x: scalar(function)(x) - 1 / 6, 0.5, 20)
    assert 2 * half == pytest.approx(width, abs=1e-5)


def test_area_under_the_longitudinal_response_is_two():
    inside = quad(scalar(langevin_derivative), -50, 50, points=[-0.1, 0.1], limit=200)[0]
    tails = 2 / 50  # L' = 1/x² out there, up to exp(-100)
    assert inside + tails == pytest.approx(2, abs=1e-10)


@pytest.mark.parametrize("k", [0.3, 1.0, 2.5])
def test_fourier_transform_of_the_longitudinal_response_is_planck_shaped(k):
    half = quad(scalar(langevin_derivative), 0, math.inf, weight="cos", wvar=k, epsabs=1e-11)[0]
    assert 2 * half == pytest.approx(2 * math.pi * k / math.expm1(math.pi * k), abs=1e-9)


@every_function
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_right_at_zero_and_in_saturation(function, dtype):
    x = torch.tensor([0.0, 1e5], dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(function(x).sum(), x)
    in_saturation = float(mpmath.diff(EXACT[function], mpmath.mpf(1e5)))
    assert gradient[0].item() == pytest.approx(SLOPE_AT_ZERO[function], abs=1e-7)
    assert gradient[1].item() == pytest.approx(in_saturation, rel=1e-5)


@every_function
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_stay_finite_and_in_range_over_all_numbers_of_a_dtype(function, dtype):
    """The form that is not used must not overflow: 0 · ∞ is no gradient. No slope exceeds that of L at zero, 1/3."""
    largest = math.log10(torch.finfo(dtype).max) - 1
    decades = torch.logspace(-largest, largest, 401, dtype=dtype)
    x = torch.cat([-decades, torch.zeros(1, dtype=dtype), decades]).requires_grad_()
    (gradient,) = torch.autograd.grad(function(x).sum(), x)
    assert torch.isfinite(function(x)).all()
    assert gradient.isfinite().all() and gradient.abs().max() < 0.334


@every_function
def test_gradients_agree_with_finite_differences(function):
    x = torch.tensor([-30.0, -2.0, -0.099, 0.0, 0.05, 0.5, 7.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, x)


def test_langevin_derivative_is_the_derivative_of_langevin():
    x = torch.linspace(-20, 20, 101, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(langevin(x).sum(), x)
    torch.testing.assert_close(gradient, langevin_derivative(x.detach()), rtol=1e-11, atol=0)


@every_function
@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.complex64])
def test_other_dtypes_are_refused(function, dtype):
    with pytest.raises(ValueError, match=f"^x: .*{dtype}"):
        function(torch.ones(3, dtype=dtype))


def test_moment_is_volume_times_magnetisation_and_beta_the_moment_over_thermal_energy():
    particle = Particle(core_diameter=20e-9, saturation_magnetization=300e3, temperature=310.0)
    radius = 10e-9
    assert particle.moment == pytest.approx(300e3 * 4 / 3 * math.pi * radius**3, rel=1e-14)
    assert particle.beta == pytest.approx(particle.moment / (1.380649e-23 * 310.0), rel=1e-14)


@pytest.mark.parametrize("name", ["core_diameter", "saturation_magnetization", "temperature"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_unphysical_particles_are_refused(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Particle(**{"core_diameter": 20e-9, name: value})


def test_a_diameter_in_nanometres_is_refused_with_a_hint():
    with pytest.raises(ValueError, match="^core_diameter: .*nanometres"):
        Particle(25)


def test_iron_of_a_particle_by_hand():
    """25 nm: 8.18e-24 m³ of magnetite at 5170 kg/m³, three iron atoms per 231.5 g/mol."""
    assert Particle(25e-9).iron == pytest.approx(8.181e-24 * 5170 / 0.2315 * 3, rel=1e-3)
    assert 1e18 * Particle(25e-9).iron == pytest.approx(0.548, rel=1e-3)
