import math

import pytest
import torch

from mpinotes.physics import NeelRotation, Particle, mean_moment, neel_time
from mpinotes.physics.fokker_planck import rotation_operators
from mpinotes.studies import load_record
from mpinotes.studies.dynamics import AMPLITUDE, Sizes, correlations, equilibrium_velocity, slowest_time

RECORD = load_record("dynamics")


def errors(method, beginning):
    return {
        row.condition: row.mean
        for row in RECORD.select(method, metric="error")
        if row.condition.startswith(f"{beginning}/")
    }


def test_the_velocity_of_equilibrium_is_the_derivative_of_the_moment():
    particle, axis, harmonics = Particle(18e-9, anisotropy=2e3), (1.0, 1.0, 0.0), 60
    velocity = equilibrium_velocity(particle, axis, harmonics)
    phase = torch.tensor([0.3, 1.2, 2.5], dtype=torch.float64)

    def moment(at):
        field = torch.zeros(len(at), 3, dtype=torch.float64)
        field[:, 0] = AMPLITUDE * torch.cos(at)
        return mean_moment(field, particle, torch.tensor(axis))[:, 0]

    expected = (moment(phase + 1e-4) - moment(phase - 1e-4)) / 2e-4
    k = torch.arange(harmonics + 1)
    got = 2 * (1j * velocity * torch.exp(1j * k * phase[:, None])).sum(1).real
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-6)


def test_the_slowest_time_goes_over_into_brown_s_series():
    particle = Particle(20e-9, anisotropy=14.9 / Particle(20e-9, anisotropy=1.0).alpha)
    beyond = Particle(20e-9, anisotropy=15.1 / Particle(20e-9, anisotropy=1.0).alpha)
    rise = math.exp(0.2) * (14.9 / 15.1) ** 1.5  # of Brown's leading term
    assert slowest_time(beyond) / slowest_time(particle) == pytest.approx(rise, rel=5e-3)
    assert slowest_time(Particle(20e-9)) == pytest.approx(neel_time(Particle(20e-9)))
    still, _ = rotation_operators(particle, NeelRotation(), 24)
    assert Sizes.of(particle).degree >= 24 and still.shape == (625, 625)


def test_components_correlate_up_to_a_complex_factor():
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(2, 3, 4, 4, dtype=torch.complex128, generator=generator)
    factors = torch.randn(2, 3, 1, 1, dtype=torch.complex128, generator=generator)
    torch.testing.assert_close(correlations(factors * matrix, matrix), torch.ones(6, dtype=torch.float64))
    assert correlations(matrix.flip(-1), matrix).max() < 0.9


def test_debye_is_recorded_as_closer_than_equilibrium_and_fitted_closer_still():
    for beginning in ("neel/along", "neel/frequency", "brown"):
        still, debye, fitted = (errors(method, beginning) for method in ("equilibrium", "debye", "debye_fitted"))
        assert len(still) > 100 - 50 * (beginning == "brown")
        assert all(fitted[c] <= debye[c] <= still[c] for c in still)


def test_without_a_barrier_the_axis_does_not_matter():
    along = RECORD.value("equilibrium", "error", "neel/along/diameter/20/anisotropy/0")
    for axis in ("across", "oblique"):
        assert RECORD.value("equilibrium", "error", f"neel/{axis}/diameter/20/anisotropy/0") == pytest.approx(
            along, rel=1e-3
        )


def test_the_axis_maps_are_resolved_where_the_barrier_is_below_twelve_kt():
    changes = {
        row.condition: row.mean
        for row in RECORD.select("rotation", metric="change")
        if Particle(1e-9 * row.level("diameter"), anisotropy=row.level("anisotropy")).alpha < 12
    }
    assert len(changes) > 30 and max(changes.values()) < 2e-3


def test_debye_s_gain_changes_no_pattern():
    for row in RECORD.select("debye", metric="correlation_median"):
        assert row.mean == RECORD.value("equilibrium", "correlation_median", row.condition)
