import math

import pytest

from mpinotes.physics import Mixture, Particle, log_normal

PARTICLE = Particle(20e-9, anisotropy=2e3)


def test_shares_are_the_weights_over_their_sum():
    assert Mixture((PARTICLE, Particle(20e-9)), (3.0, 1.0)).shares == (0.75, 0.25)


@pytest.mark.parametrize("spreads", [(0.1, 0.0), (0.0, 0.3), (0.2, 0.4)])
def test_log_normal_particles_have_the_moments_of_their_distribution(spreads):
    """E[xᵏ] = mᵏ exp(k²σ²/2) for diameter and anisotropy, and nothing in common."""
    mixture = log_normal(PARTICLE, *spreads, nodes=(12, 12))

    def mean(of):
        return sum(share * of(p) for p, share in zip(mixture.particles, mixture.shares, strict=True))

    for k in (1, 2, 3):
        diameter, anisotropy = (math.exp((k * spread) ** 2 / 2) for spread in spreads)
        assert mean(lambda p: (p.core_diameter / 20e-9) ** k) == pytest.approx(diameter)  # noqa: B023
        assert mean(lambda p: (p.anisotropy / 2e3) ** k) == pytest.approx(anisotropy)  # noqa: B023
        both = mean(lambda p: (p.core_diameter / 20e-9 * p.anisotropy / 2e3) ** k)  # noqa: B023
        assert both == pytest.approx(diameter * anisotropy)


def test_what_does_not_spread_takes_one_particle():
    assert log_normal(PARTICLE, 0.0) == Mixture((PARTICLE,), (1.0,))
    assert len(log_normal(PARTICLE, 0.1).particles) == 5 and len(log_normal(PARTICLE, 0.1, 0.1).particles) == 15


@pytest.mark.parametrize(
    "name, make",
    [
        ("particles", lambda: Mixture((), ())),
        ("particles", lambda: Mixture(PARTICLE, 1.0)),
        ("particles", lambda: Mixture((20e-9,), (1.0,))),
        ("weights", lambda: Mixture((PARTICLE,), 1.0)),
        ("weights", lambda: Mixture((PARTICLE,), (0.5, 0.5))),
        ("weights", lambda: Mixture((PARTICLE, PARTICLE), (1.5, -0.5))),
        ("weights", lambda: Mixture((PARTICLE,), (0.0,))),
        ("weights", lambda: Mixture((PARTICLE,), (math.nan,))),
        ("diameter_spread", lambda: log_normal(PARTICLE, -0.1)),
        ("anisotropy_spread", lambda: log_normal(PARTICLE, 0.1, 2.0)),
        ("nodes", lambda: log_normal(PARTICLE, 0.1, nodes=5)),
        ("nodes", lambda: log_normal(PARTICLE, 0.1, nodes=(5, 0))),
    ],
)
def test_wrong_input_is_refused_by_name(name, make):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        make()


def test_weights_whose_sum_is_infinite_are_refused():
    """Their shares were zero."""
    with pytest.raises(ValueError, match="^weights: got .* a finite sum"):
        Mixture((Particle(20e-9), Particle(25e-9)), (1e308, 1e308))


def test_a_distribution_is_around_a_particle():
    with pytest.raises(ValueError, match="^particle: got float, accepted is a Particle"):
        log_normal(20e-9, 0.1)
