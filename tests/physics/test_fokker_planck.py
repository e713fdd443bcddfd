import math

import numpy as np
import pytest
import torch

from mpinotes.physics import (
    BrownRotation,
    Mixture,
    NeelRotation,
    Particle,
    brownian_time,
    debye_response,
    mean_moment,
    neel_time,
    periodic_rotation,
    simulate_rotation,
)
from mpinotes.physics.fokker_planck import rotation_operators
from mpinotes.physics.sphere_operators import directions, laplacian, rotations

PARTICLE = Particle(20e-9, anisotropy=1250.0)
FREE = Particle(20e-9)
WATER = BrownRotation(40e-9)
OBLIQUE = NeelRotation((1.0, 2.0, -1.0))


def dense(operators):
    return [operator.toarray() for operator in operators]


# --- operators on the sphere


def test_directions_commute_and_have_unit_length_below_the_highest_degree():
    u = dense(directions(6))
    inner = 6**2  # degrees that a product of two does not carry out of the space
    assert np.abs(sum(part @ part for part in u)[:inner, :inner] - np.eye(inner)).max() < 1e-14
    assert max(np.abs((a @ b - b @ a)[:inner, :inner]).max() for a in u for b in u) < 1e-14


def test_rotations_turn_directions_and_one_another():
    """[(u × ∇)_i, u_j] = −ε_ijk u_k, and the same for three turns; their squares add up to the Laplacian."""
    u, turn = dense(directions(6)), dense(rotations(6))
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        for parts in (u, turn):
            assert np.abs(turn[i] @ parts[j] - parts[j] @ turn[i] + parts[k]).max() < 1e-13
            assert np.abs(turn[i] @ parts[i] - parts[i] @ turn[i]).max() < 1e-13
        assert np.abs(turn[i] + turn[i].T).max() < 1e-14
    assert np.abs(sum(part @ part for part in turn) - laplacian(6).toarray()).max() < 1e-12


def test_a_product_of_directions_has_the_mean_of_the_sphere():
    """⟨u_z⁴⟩ = 1/5, ⟨u_x² u_y²⟩ = 1/15."""
    x, y, z = dense(directions(6))
    assert (z @ z @ z @ z)[0, 0] == pytest.approx(1 / 5) and (x @ x @ y @ y)[0, 0] == pytest.approx(1 / 15)


# --- what stays


@pytest.mark.parametrize("rotation", [OBLIQUE, NeelRotation((1.0, 2.0, -1.0), damping=0.01), WATER], ids=repr)
def test_in_a_steady_field_the_moment_is_in_equilibrium_and_stays(rotation):
    field, times = (3e-3, -5e-3, 8e-3), torch.tensor([0.0, 1e-6, 1e-5], dtype=torch.float64)
    particle = PARTICLE if isinstance(rotation, NeelRotation) else FREE
    expected = mean_moment(torch.tensor(field, dtype=torch.float64), particle, torch.tensor((1.0, 2.0, -1.0)))
    got = simulate_rotation(lambda t: field, times, PARTICLE, rotation)
    torch.testing.assert_close(got, expected.expand(3, 3), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "particle, rotation", [(FREE, NeelRotation()), (PARTICLE, OBLIQUE), (FREE, BrownRotation(25e-9))], ids=repr
)
def test_a_slow_field_is_followed_in_equilibrium_and_the_lag_is_proportional_to_its_frequency(particle, rotation):
    """12 mT along z for half a period; Néel at 25 kHz is within 1 % of equilibrium, as published for 20 nm."""
    lags = []
    slow = 25e3 if isinstance(rotation, NeelRotation) else 100.0
    for frequency in (slow, slow / 4):
        times = torch.linspace(0, 0.5 / frequency, 21, dtype=torch.float64)

        def field(t, frequency=frequency):
            return 0.0, 0.0, 12e-3 * math.cos(2 * math.pi * frequency * t)

        fields = torch.tensor([field(t) for t in times.tolist()], dtype=torch.float64)
        expected = mean_moment(fields, particle, torch.tensor((1.0, 2.0, -1.0)))
        got = simulate_rotation(field, times, particle, rotation, degree=14, tolerance=1e-5)
        lags.append(((got - expected)[5:].norm() / expected[5:].norm()).item())
    assert lags[0] < 0.01 and lags[0] / lags[1] == pytest.approx(4, rel=0.1)


# --- how fast


@pytest.mark.parametrize("rotation", [NeelRotation(), NeelRotation(damping=1.0), WATER], ids=repr)
@pytest.mark.parametrize("share", [0.2, 1.0, 5.0])
def test_a_weak_field_gives_the_response_of_debye(rotation, share):
    """One free particle at 2πfτ = `share`: after ten times τ, (βA/3) Re[exp(i2πft)/(1 + i2πfτ)]."""
    tau = rotation.time(FREE)
    frequency, strength = share / (2 * math.pi * tau), 0.05 / FREE.beta
    times = torch.cat([torch.zeros(1), 10 * tau + torch.linspace(0, 1 / frequency, 9)]).double()
    omega = 2 * math.pi * frequency
    got = simulate_rotation(
        lambda t: (strength * math.cos(omega * t), 0.0, 0.0), times, FREE, rotation, degree=3, tolerance=1e-7
    )
    gain = debye_response(torch.tensor(frequency, dtype=torch.float64), tau)
    expected = 0.05 / 3 * (gain * torch.exp(1j * omega * times)).real
    torch.testing.assert_close(got[1:, 0], expected[1:], rtol=0, atol=1e-3 * 0.05 / 3)
    assert got[:, 1:].abs().max() < 1e-12


@pytest.mark.parametrize("rotation", [NeelRotation(), WATER], ids=repr)
def test_without_a_field_a_free_moment_decays_with_its_time_from_any_strength(rotation):
    tau = rotation.time(FREE)
    times = torch.linspace(0, 3 * tau, 7, dtype=torch.float64)
    got = simulate_rotation(lambda t: (0.0, 0.0, 0.0), times, FREE, rotation, before=(4e-3, 0.0, 9e-3))
    torch.testing.assert_close(got, got[0] * torch.exp(-times / tau)[:, None], rtol=0, atol=1e-5)


def test_a_high_barrier_is_left_with_browns_time():
    """τ = τ_N √π exp(α)/(2 α^(3/2)) (1 + 1/α + 7/(4α²) + …), nearer with every kT."""
    errors = []
    for alpha in (8, 12, 16):
        particle = Particle(20e-9, anisotropy=alpha / Particle(20e-9, anisotropy=1.0).alpha)
        still, _ = rotation_operators(particle, NeelRotation(), 24)
        slowest = np.sort(-np.linalg.eigvals(still.toarray()).real)[1]
        brown = neel_time(particle) * math.sqrt(math.pi) * math.exp(alpha) / (2 * alpha**1.5)
        errors.append(1 / slowest / (brown * (1 + 1 / alpha + 7 / (4 * alpha**2))) - 1)
    assert errors[2] < errors[1] / 2 < errors[0] / 4 and errors[2] < 2e-3


def test_a_moment_behind_a_barrier_decays_with_the_slowest_rate():
    particle = Particle(20e-9, anisotropy=6 / Particle(20e-9, anisotropy=1.0).alpha)
    still, _ = rotation_operators(particle, NeelRotation(), 16)
    slowest = np.sort(-np.linalg.eigvals(still.toarray()).real)[1]
    times = torch.linspace(0, 2 / slowest, 5, dtype=torch.float64)
    got = simulate_rotation(lambda t: (0.0, 0.0, 0.0), times, particle, NeelRotation(), before=(0, 0, 5e-3), degree=16)
    torch.testing.assert_close(got[1:, 2] / got[1, 2], torch.exp(-slowest * (times - times[1]))[1:], rtol=1e-4, atol=0)
    assert slowest < 0.05 / neel_time(particle)


def test_a_moment_precesses_about_the_field_and_leans_towards_it():
    """d⟨u⟩/dt of a density along x in a field along z: γ/(1 + a²) (B × ⟨u⟩ + a (u × B) × u) and diffusion."""
    rotation, b = NeelRotation(damping=0.3), 4e-3
    still, driven = rotation_operators(FREE, rotation, 12)
    x, _, z = (u.toarray() for u in directions(12))
    along_x = np.zeros(len(x))
    along_x[0] = 1.0
    along_x = (np.eye(len(x)) + 3 * 0.2 * x) @ along_x  # ⟨u⟩ = (0.2, 0, 0), the rest as of the sphere
    change = driven[2].toarray() @ along_x * b
    rates = [(u.toarray()[0] @ change) for u in directions(12)]
    precession = 1.75e11 / (1 + 0.3**2) * b
    assert rates[1] == pytest.approx(0.2 * precession)
    assert (
        rates[2] == pytest.approx(0.3 * precession * (1 - (z @ z @ along_x)[0])) and abs(rates[0]) < 1e-6 * precession
    )
    assert (x @ still.toarray() @ along_x)[0] == pytest.approx(-0.2 / rotation.time(FREE))


def test_times_by_hand():
    """3ηV/(k_B T) in water, and m(1 + a²)/(2aγ k_B T)."""
    assert WATER.time(FREE) == brownian_time(40e-9) == pytest.approx(3e-3 * math.pi / 6 * 64e-24 / (1.380649e-23 * 293))
    moment = 474e3 * math.pi / 6 * 8e-24
    assert neel_time(FREE) == pytest.approx(moment * 1.01 / (0.2 * 1.75e11 * 1.380649e-23 * 293))
    assert NeelRotation(damping=0.3).time(FREE) == neel_time(FREE, damping=0.3)


# --- wrong input

TIMES = torch.tensor([0.0, 1e-7], dtype=torch.float64)


def still(t):
    return 0.0, 0.0, 0.0


@pytest.mark.parametrize(
    "name, call",
    [
        ("times", lambda: simulate_rotation(still, torch.tensor([0.0]), FREE, WATER)),
        ("times", lambda: simulate_rotation(still, torch.tensor([1.0, 0.0]), FREE, WATER)),
        ("times", lambda: simulate_rotation(still, 1e-6, FREE, WATER)),
        ("field", lambda: simulate_rotation(lambda t: 5e-3, TIMES, FREE, WATER)),
        ("field", lambda: simulate_rotation(lambda t: (0.0, math.nan, 0.0), TIMES, FREE, WATER)),
        ("before", lambda: simulate_rotation(still, TIMES, FREE, WATER, before=(1e-3, 0.0))),
        ("rotation", lambda: simulate_rotation(still, TIMES, FREE, "brown")),
        ("degree", lambda: simulate_rotation(still, TIMES, FREE, WATER, degree=0)),
        ("tolerance", lambda: simulate_rotation(still, TIMES, FREE, WATER, tolerance=0.0)),
        ("easy_axis", lambda: NeelRotation((0.0, 0.0, 0.0))),
        ("easy_axis", lambda: NeelRotation(1.0)),
        ("damping", lambda: NeelRotation(damping=0.0)),
        ("gyromagnetic_ratio", lambda: NeelRotation(gyromagnetic_ratio=-1.0)),
        ("hydrodynamic_diameter", lambda: BrownRotation(40.0)),
        ("viscosity", lambda: BrownRotation(40e-9, viscosity=0.0)),
        ("damping", lambda: neel_time(FREE, damping=-0.1)),
        ("gyromagnetic_ratio", lambda: neel_time(FREE, gyromagnetic_ratio=math.nan)),
    ],
)
def test_wrong_input_is_refused_by_name(name, call):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        call()


SHORT = torch.tensor([0.0, 1e-12], dtype=torch.float64)


def simulate_shortly(field=lambda t: (0, 0, 1e-3), particle=Particle(20e-9), rotation=BrownRotation(40e-9), **options):  # noqa: B008
    return simulate_rotation(field, SHORT, particle, rotation, **{"degree": 4, **options})


HARD = Particle(20e-9, anisotropy=2e4)  # a barrier of 21 kT
STRONG = (0.0, 0.0, 5 / HARD.beta)


@pytest.mark.parametrize(
    ("particle", "rotation", "field", "degree"),
    [
        (HARD, NeelRotation(), STRONG, 12),  # gave 3.7 times saturation
        (HARD, NeelRotation(), STRONG, 16),  # and this the opposite direction
        (PARTICLE, BrownRotation(40e-9), (0.0, 0.0, 1.0), 20),  # as where millitesla are given: 0.44 for 0.998
        (PARTICLE, NeelRotation(), (0.6, 0.8, 0.0), 20),
    ],
)
def test_a_degree_too_low_for_field_or_barrier_is_refused(particle, rotation, field, degree):
    for call in (
        lambda: simulate_shortly(lambda t: field, particle, rotation, degree=degree),
        lambda: simulate_shortly(particle=particle, rotation=rotation, degree=degree, before=field),
        lambda: periodic_rotation(field, 25e3, particle, rotation, degree=degree, harmonics=1),
        lambda: periodic_rotation((0, 0, 1e-9), 25e3, particle, rotation, offset=field, degree=degree, harmonics=1),
    ):
        with pytest.raises(ValueError, match=f"^degree: got {degree}, by which the mean moment at rest in"):
            call()


def test_enough_degrees_give_the_equilibrium():
    exact = mean_moment(torch.tensor(STRONG, dtype=torch.float64), HARD, torch.tensor([0.0, 0.0, 1.0]))
    torch.testing.assert_close(simulate_shortly(lambda t: STRONG, HARD, NeelRotation(), degree=40)[0], exact)


@pytest.mark.parametrize("wrong", [(0, 0, 1e-3), None, "B"])
def test_a_field_is_a_function_of_time(wrong):
    with pytest.raises(ValueError, match="^field: got .*, accepted is a function of time"):
        simulate_shortly(wrong)


WANTS = torch.tensor([0.0, 0.0, 1e-3], requires_grad=True)


@pytest.mark.parametrize("values", [None, 1e-3, "abc", (0, 0, "a"), (1j, 0, 0), ((1, 2), 0, 0), WANTS, (0, 0)])
def test_what_is_no_field_is_refused_by_name(values):
    with pytest.raises(ValueError, match="^field: got .*, accepted are three finite values"):
        simulate_shortly(lambda t: values)
    if values is not None:
        with pytest.raises(ValueError, match="^before: got .*, accepted are three finite values"):
            simulate_shortly(before=values)
    with pytest.raises(ValueError, match="^amplitude: got .*, accepted are three finite values"):
        periodic_rotation(values, 25e3, Particle(20e-9), BrownRotation(40e-9), degree=4, harmonics=2)


@pytest.mark.parametrize(
    ("particle", "came"),
    [
        (25e-9, "float, accepted is a Particle"),
        (None, "NoneType, accepted is a Particle"),
        (Mixture((Particle(20e-9),), (1.0,)), "Mixture, accepted is a Particle"),
        (Particle(torch.tensor(20e-9, requires_grad=True)), "numbers that want a gradient"),
    ],
)
def test_another_particle_than_one_of_numbers_is_refused(particle, came):
    with pytest.raises(ValueError, match=f"^particle: got {came}"):
        simulate_shortly(particle=particle)
    with pytest.raises(ValueError, match=f"^particle: got {came}"):
        periodic_rotation((0, 0, 1e-3), 25e3, particle, BrownRotation(40e-9), degree=4, harmonics=2)
