import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from mpinotes.physics import CartesianScan, Particle, brownian_time, debye_response, langevin, simulate_scan

OMEGA = 2 * math.pi * 25e3


def test_the_response_solves_the_differential_equation():
    """τ dm/dt = L(ξ cos ωt) − m, integrated by scipy until the transient is gone."""
    tau, xi, samples = 8e-6, 5.0, 256
    time = np.arange(samples) / samples / 25e3
    equilibrium = langevin(xi * torch.cos(torch.from_numpy(OMEGA * time)))
    frequency = torch.arange(samples // 2 + 1, dtype=torch.float64) * 25e3
    got = torch.fft.irfft(torch.fft.rfft(equilibrium) * debye_response(frequency, tau))

    def rate(t, m):
        x = xi * np.cos(OMEGA * t)
        return ((1 / np.tanh(x) - 1 / x if abs(x) > 1e-4 else x / 3) - m) / tau

    settled = 10 / 25e3
    solution = solve_ivp(rate, (0, settled + 1 / 25e3), [0.0], t_eval=settled + time, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(got.numpy(), solution.y[0], atol=1e-6)


@pytest.mark.parametrize("tau", [0.0, 1e-6, 2e-5])
def test_a_weak_field_gives_the_analytic_debye_voltage(tau):
    """With βA ≪ 1 the voltage of one voxel is a sine, delayed by atan ωτ and weakened by its cosine."""
    particle, size, c = Particle(25e-9), 1e-6, 1e18
    scan = CartesianScan(voxel_size=size, drive_frequency=(25e3, 25e3), samples=64)
    concentration = torch.full((1, 1, 1, 1, 1), c, dtype=torch.float64)
    got = simulate_scan(concentration, particle, scan, response=lambda f: debye_response(f, tau)).voltage.flatten()
    phase = 2 * math.pi * (torch.arange(64, dtype=torch.float64) + 0.5) / 64
    lag = math.atan(OMEGA * tau)
    amplitude = scan.coil_sensitivity * particle.moment * size**3 * c * particle.beta / 3 * 1.5 * 0.55 * size * OMEGA
    expected = -amplitude * math.cos(lag) * torch.sin(phase - lag)
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * amplitude)


def test_brownian_times_in_water_are_the_published_ones():
    """2πfτ at 25 kHz for 30, 50 and 70 nm."""
    numbers = [OMEGA * brownian_time(d, viscosity=1e-3) for d in (30e-9, 50e-9, 70e-9)]
    assert numbers == pytest.approx([1.7, 7.6, 21], rel=0.05)


@pytest.mark.parametrize("tau", [-1e-6, math.nan, math.inf])
def test_an_impossible_time_is_refused_by_name(tau):
    with pytest.raises(ValueError, match="^relaxation_time: got"):
        debye_response(torch.ones(1), tau)


@pytest.mark.parametrize("name", ["hydrodynamic_diameter", "viscosity", "temperature"])
def test_brownian_times_need_positive_numbers(name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        brownian_time(**({"hydrodynamic_diameter": 30e-9} | {name: 0.0}))
