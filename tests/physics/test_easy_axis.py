"""System matrices of particles with an easy axis."""

import dataclasses
import math
import re

import pytest
import torch

from mpinotes.physics import (
    CartesianScan,
    DriveIntegrals,
    FixedAxis,
    FluidAxis,
    LissajousScan,
    Mixture,
    NeelRotation,
    Particle,
    Powder,
    mean_moment,
    mixing_orders,
    point_response,
    simulate_scan,
    simulate_system_matrix,
)
from mpinotes.physics.anisotropy import gauss_legendre
from mpinotes.physics.easy_axis import voxel_places
from mpinotes.physics.local_expansion import LocalExpansion

UNEVEN = {"gradient": (1.0, -0.7), "amplitude": (15e-3, 12e-3), "field_of_view": (30e-3, 40e-3)}
PARTICLE = Particle(22e-9, anisotropy=3500.0)
OBLIQUE, TILTED, FLUID = FixedAxis((-1.0, 2.0, 0.0)), FixedAxis((2.0, 1.0, -1.5)), FluidAxis(1.5)
every_axis = pytest.mark.parametrize("axis", [OBLIQUE, TILTED, FLUID, Powder()], ids=repr)


def axes_by_hand(scan, particle, axis):
    """Of every voxel the easy axis and the particle, written down again."""
    corner = math.hypot(*(view / 2 for view in scan.field_of_view))
    for place in voxel_places(scan):
        if isinstance(axis, FixedAxis):
            yield torch.tensor(axis.direction, dtype=torch.float64), particle
        else:
            field = torch.zeros(3, dtype=torch.float64)
            field[: scan.dims] = place * torch.tensor(scan.gradient, dtype=torch.float64)
            field[0] += 1e-30  # the very centre has no anisotropy, and any axis will do
            share = (place.norm().item() / corner) ** axis.exponent
            yield field, dataclasses.replace(particle, anisotropy=share * particle.anisotropy)


def moment_at(field, particle, axis):
    if not isinstance(axis, Powder):
        return mean_moment(field, particle, axis)
    nodes, weights = (torch.from_numpy(x) for x in gauss_legendre(24))
    length = field.norm(dim=-1)
    cos = (nodes + 1) / 2
    axes = torch.stack([(1 - cos**2).sqrt(), torch.zeros_like(cos), cos], dim=1)
    along = mean_moment(length[:, None, None] * axes.new_tensor([0.0, 0.0, 1.0]), particle, axes)[..., 2] @ weights / 2
    return (along / length)[:, None] * field


def in_time(scan, particle, axis, orders, samples):
    """Components from one period in time, endpoint excluded, its derivative as i2πf: (channel, component, …, y, x)."""
    phase = 2 * math.pi * torch.arange(samples, dtype=torch.float64) / samples
    drive = torch.stack([a * torch.cos(n * phase) for a, n in zip(scan.amplitude, scan.cycles, strict=True)], dim=1)
    at_voxels = axes_by_hand(scan, particle, axis) if not isinstance(axis, Powder) else None
    bins = scan.bins(orders)
    columns = []
    for place in voxel_places(scan):
        field = torch.zeros(samples, 3, dtype=torch.float64)
        field[:, : scan.dims] = place * torch.tensor(scan.gradient, dtype=torch.float64) + drive
        if at_voxels is None:
            moment = moment_at(field, particle, axis)
        else:
            n, own = next(at_voxels)
            moment = moment_at(field, own, n)
        columns.append(torch.fft.fft(moment[:, : scan.dims], dim=0)[bins].T / samples)
    rate = 2j * math.pi * bins.double() * scan.repetition_frequency
    voltage = -scan.coil_sensitivity * particle.moment * rate[:, None] * torch.stack(columns, dim=-1)
    return voltage.unflatten(-1, scan.shape)


def close(got, expected, tolerance):
    assert (got - expected).abs().max() < tolerance * expected.abs().max()


@every_axis
@pytest.mark.parametrize("density", [1, 3, 6])
def test_components_are_the_spectrum_of_a_simulation_in_time(axis, density):
    scan = LissajousScan(density=density, shape=(2, 3), **UNEVEN | {"amplitude": (8e-3, 6e-3)})
    orders = mixing_orders(2, 9)
    samples = 1024
    matrix = simulate_system_matrix(scan, PARTICLE, orders, easy_axis=axis, integrate_pixels=False, tolerance=1e-11)
    close(matrix.components, in_time(scan, PARTICLE, axis, orders, samples), 1e-9)


@pytest.mark.parametrize("axis", [OBLIQUE, FLUID], ids=repr)
def test_three_dimensions_are_the_spectrum_of_a_simulation_in_time(axis):
    scan = LissajousScan(
        (1.0, 0.8, -1.8), (4e-3, 4e-3, 5e-3), shape=(2, 1, 3), field_of_view=(12e-3, 9e-3, 8e-3), density=4
    )
    orders = mixing_orders(1, 4, 3)
    got = simulate_system_matrix(scan, PARTICLE, orders, easy_axis=axis, integrate_pixels=False, tolerance=1e-9)
    close(got.components, in_time(scan, PARTICLE, axis, orders, 2048), 1e-8)


@pytest.mark.parametrize("axis", [FixedAxis((1.0, 0.0, 0.0)), FixedAxis((1.0, 1.0, 0.0)), FLUID], ids=repr)
def test_one_dimension_is_the_spectrum_of_a_simulation_in_time(axis):
    scan, orders = LissajousScan((1.2,), (15e-3,), shape=(5,), field_of_view=(30e-3,)), torch.arange(1, 12)[:, None]
    got = simulate_system_matrix(scan, PARTICLE, orders, easy_axis=axis, integrate_pixels=False, tolerance=1e-11)
    close(got.components, in_time(scan, PARTICLE, axis, orders, 1024), 1e-9)


@pytest.mark.parametrize("axis", [OBLIQUE, FLUID], ids=repr)
@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
@pytest.mark.parametrize("diameter, anisotropy", [(15e-9, 20e3), (20e-9, 500.0), (30e-9, 5e3)])
def test_168_components_err_by_no_more_than_the_tolerance_from_direct_quadrature(axis, tolerance, diameter, anisotropy):
    """d_ab by Gauss–Chebyshev quadrature of `mean_moment` at every voxel; aliases carry nothing here."""
    particle, nodes = Particle(diameter, anisotropy=anisotropy), 200
    scan, orders = LissajousScan(density=99, shape=(1, 2), **UNEVEN), mixing_orders(2, 17)
    u = torch.cos(math.pi * (torch.arange(nodes, dtype=torch.float64) + 0.5) / nodes)
    chebyshev = torch.cos(torch.arange(18, dtype=torch.float64)[:, None] * torch.acos(u)) / nodes
    columns = []
    for place, (n, own) in zip(voxel_places(scan), axes_by_hand(scan, particle, axis), strict=True):
        h = [g * r + a * u for g, r, a in zip(scan.gradient, place.tolist(), scan.amplitude, strict=True)]
        field = torch.stack(
            [*torch.meshgrid(*h, indexing="ij"), torch.zeros(nodes, nodes, dtype=torch.float64)], dim=-1
        )
        d = torch.einsum("ax,xyc,by->cab", chebyshev, mean_moment(field, own, n)[..., :2], chebyshev)
        columns.append(d[:, orders[:, 0], orders[:, 1]])
    expected = torch.stack(columns, dim=-1).unflatten(-1, scan.shape)
    matrix = simulate_system_matrix(scan, particle, orders, easy_axis=axis, integrate_pixels=False, tolerance=tolerance)
    factor = -2j * math.pi * matrix.frequencies * scan.coil_sensitivity * particle.moment
    close((matrix.components / factor[:, None, None]).real, expected, tolerance)


@every_axis
@pytest.mark.parametrize("shape", [(3, 4), (2, 5)])
def test_a_vanishing_anisotropy_gives_todays_matrix(axis, shape):
    scan = LissajousScan(density=9, shape=shape, **UNEVEN)
    free = simulate_system_matrix(scan, Particle(22e-9), tolerance=1e-11).components
    nearly = simulate_system_matrix(scan, Particle(22e-9, anisotropy=1e-7), easy_axis=axis, tolerance=1e-11).components
    close(nearly, free, 1e-9)
    none = simulate_system_matrix(scan, Particle(22e-9, anisotropy=0.0), easy_axis=axis, tolerance=1e-11).components
    assert torch.equal(none, free)


def test_a_fixed_axis_and_its_opposite_are_one():
    scan = LissajousScan(density=9, shape=(3, 2), **UNEVEN)
    first, second = (
        simulate_system_matrix(scan, PARTICLE, easy_axis=FixedAxis(n)).components
        for n in ((-1.0, 2.0, 0.5), (3.0, -6.0, -1.5))
    )
    close(first, second, 1e-13)


def test_the_fluid_model_has_the_mirrors_of_the_scan():
    """Turned by 90°, x and y, n and m change places; with an even N_d the mirrors are exact."""
    scan = LissajousScan(density=98, shape=(4, 4))
    matrix = simulate_system_matrix(scan, PARTICLE, mixing_orders(2, 7), easy_axis=FLUID, tolerance=1e-9)
    components, (n, m) = matrix.components, matrix.mixing_orders.T
    sign = torch.where(n % 2 == 1, 1.0, -1.0)[:, None, None]
    close(sign * components[0].flip(-1), components[0], 1e-13)
    close(-sign * components[1].flip(-1), components[1], 1e-13)
    unitless = components / matrix.frequencies[:, None, None]
    swapped = torch.tensor(
        [matrix.mixing_orders.tolist().index([b, a]) for a, b in zip(n.tolist(), m.tolist(), strict=True)]
    )
    close(unitless[1, swapped].transpose(-1, -2), unitless[0], 1e-8)


def test_voxels_do_not_know_of_each_other():
    """The inner voxels of a grid of 3 × 5 are those of one that is cut to them."""
    whole = LissajousScan(
        density=9, shape=(3, 5), gradient=(1.0, 1.3), amplitude=(9e-3, 8e-3), field_of_view=(25e-3, 18e-3)
    )
    part = dataclasses.replace(whole, shape=(1, 3), field_of_view=(15e-3, 6e-3))
    everything, inner = (simulate_system_matrix(s, PARTICLE, easy_axis=OBLIQUE, tolerance=1e-11) for s in (whole, part))
    close(inner.components, everything.components[..., 1:2, 1:4], 1e-9)


@pytest.mark.parametrize("axis", [OBLIQUE, TILTED], ids=repr)
def test_integrated_pixels_are_averages_of_smaller_ones_where_the_axis_is_fixed(axis):
    coarse, fine = (
        simulate_system_matrix(
            LissajousScan(density=9, shape=shape), PARTICLE, easy_axis=axis, tolerance=1e-11
        ).components
        for shape in ((2, 3), (4, 6))
    )
    close(fine.unflatten(-1, (3, 2)).mean(-1).unflatten(-2, (2, 2)).mean(-2), coarse, 1e-9)


def test_integrated_pixels_of_a_powder_are_averages_of_smaller_ones():
    coarse, fine = (
        simulate_system_matrix(
            LissajousScan(density=9, shape=shape), PARTICLE, easy_axis=Powder(), tolerance=1e-11
        ).components
        for shape in ((2, 3), (4, 6))
    )
    close(fine.unflatten(-1, (3, 2)).mean(-1).unflatten(-2, (2, 2)).mean(-2), coarse, 1e-9)


def test_a_mixture_is_the_mean_of_its_particles():
    scan, free = LissajousScan(density=9, shape=(2, 2)), Particle(18e-9)
    mixed = simulate_system_matrix(scan, Mixture((PARTICLE, free), (3.0, 1.0)), easy_axis=FLUID).components
    bound, loose = (simulate_system_matrix(scan, p, easy_axis=FLUID).components for p in (PARTICLE, free))
    close(mixed, 0.75 * bound + 0.25 * loose, 1e-14)


def test_a_response_multiplies_every_line_at_its_frequency():
    scan = LissajousScan(density=9, shape=(2, 2))
    plain, filtered = (
        simulate_system_matrix(scan, PARTICLE, easy_axis=FLUID, response=r)
        for r in (None, lambda f: 1 / (1 + 1e-5j * f))
    )
    close(filtered.components, plain.components / (1 + 1e-5j * plain.frequencies)[:, None, None], 1e-13)


@every_axis
def test_gradients_reach_diameter_and_anisotropy(axis):
    scan = LissajousScan(density=3, shape=(1, 2), amplitude=(8e-3, 6e-3), field_of_view=(12e-3, 9e-3))

    def voltage(nanometres, kilojoules):
        particle = Particle(nanometres * 1e-9, anisotropy=kilojoules * 1e3)
        matrix = simulate_system_matrix(scan, particle, mixing_orders(1, 3), easy_axis=axis, tolerance=1e-10)
        return 1e18 * torch.view_as_real(matrix.components)

    point = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (20.0, 3.0)]
    assert torch.autograd.gradcheck(voltage, point, eps=1e-5)


def test_few_voxels_at_a_time_change_nothing(monkeypatch):
    scan = LissajousScan(density=9, shape=(4, 4))
    at_once = simulate_system_matrix(scan, PARTICLE, easy_axis=OBLIQUE).components
    monkeypatch.setattr("mpinotes.physics.local_expansion._LARGEST", 1)
    close(simulate_system_matrix(scan, PARTICLE, easy_axis=OBLIQUE).components, at_once, 1e-14)


def test_orders_past_the_expansion_carry_nothing():
    far = torch.tensor([[5000, 3], [2, 7000]])
    matrix = simulate_system_matrix(LissajousScan(density=99, shape=(2, 2)), PARTICLE, far, easy_axis=FLUID)
    assert matrix.components.shape == (2, 2, 2, 2) and matrix.components.abs().max() == 0


# --- wrong input


@pytest.mark.parametrize(
    "direction", [(0.0, 0.0, 0.0), (1.0, 0.0), 1.0, (math.nan, 1.0, 0.0), (math.inf, 0.0, 0.0), None, "xyz"]
)
def test_a_fixed_axis_without_length_or_of_another_shape_is_refused_by_name(direction):
    with pytest.raises(ValueError, match="^direction: got"):
        FixedAxis(direction)


@pytest.mark.parametrize("exponent", [0.0, -1.0, math.nan])
def test_an_anisotropy_that_does_not_grow_is_refused_by_name(exponent):
    with pytest.raises(ValueError, match="^exponent: got"):
        FluidAxis(exponent)


@pytest.mark.parametrize("axis", ["fluid", FluidAxis, (1.0, 0.0, 0.0), torch.ones(3)])
def test_another_kind_of_axis_is_refused_by_name(axis):
    with pytest.raises(ValueError, match="^easy_axis: got"):
        simulate_system_matrix(LissajousScan(shape=(1, 1)), PARTICLE, easy_axis=axis)


def test_what_is_no_particle_is_refused_by_name():
    with pytest.raises(ValueError, match="^particle: got"):
        simulate_system_matrix(LissajousScan(shape=(1, 1)), [PARTICLE], easy_axis=FLUID)


def test_an_anisotropy_without_an_axis_is_refused_everywhere():
    with pytest.raises(
        ValueError, match=re.escape("easy_axis: got None for a particle with an anisotropy of 3500 J/m³")
    ):
        simulate_system_matrix(LissajousScan(shape=(1, 1)), PARTICLE)
    with pytest.raises(ValueError, match="^particle: got an anisotropy"):
        point_response(torch.ones(3), PARTICLE, (1.0, 1.0, -2.0))
    with pytest.raises(ValueError, match="^particle: got an anisotropy"):
        simulate_scan(torch.ones(1, 1, 2, 2, 2), PARTICLE, CartesianScan())


def test_a_core_whose_boltzmann_factors_overflow_is_refused_and_just_below_all_is_finite():
    scan, orders = LissajousScan((3.0, 3.0), shape=(1, 2)), torch.tensor([[3, 0]])
    with pytest.raises(ValueError, match="^particle: got a core of 7e-08 m"):
        simulate_system_matrix(scan, Particle(70e-9, anisotropy=1e3), orders, easy_axis=FLUID)
    near = LocalExpansion(scan, Particle(40e-9, anisotropy=1e3), FLUID, 0.1, True)
    assert torch.isfinite(near.lines(orders[None], DriveIntegrals())).all()


@pytest.mark.parametrize("other", [{"phase": math.pi / 2}, {"centre": (1e-3, 0.0)}])
def test_another_phase_or_centre_is_refused_for_axes_of_their_own_and_not_for_powder(other):
    scan, orders = LissajousScan(shape=(2, 2), **other), torch.tensor([[2, 0]])
    for axis in (OBLIQUE, FLUID):
        with pytest.raises(ValueError, match="^scan: got phases"):
            simulate_system_matrix(scan, PARTICLE, orders, easy_axis=axis)
    almost = Particle(PARTICLE.core_diameter, anisotropy=1e-6)
    powder, free = (
        simulate_system_matrix(scan, particle, orders, easy_axis=axis).components
        for particle, axis in ((almost, Powder()), (Particle(PARTICLE.core_diameter), None))
    )
    torch.testing.assert_close(powder, free, rtol=1e-5, atol=1e-8 * free.abs().max().item())


@pytest.mark.parametrize("direction", [(1e-200, 0.0, 0.0), (1e-170, 1e-170, 0.0), (0.0, 0.0, 0.0)])
def test_a_direction_whose_length_is_lost_in_its_square_is_refused(direction):
    """Divided by a length of zero it was infinite."""
    with pytest.raises(ValueError, match="^direction: got .* accepted is a direction of a length above zero"):
        FixedAxis(direction)
    with pytest.raises(ValueError, match="^easy_axis: got .* accepted is a direction of a length above zero"):
        NeelRotation(direction)
    axis, _ = FixedAxis((3e-100, 0.0, 4e-100)).at(LissajousScan(shape=(1, 1)))
    torch.testing.assert_close(axis, torch.tensor([[0.6, 0.0, 0.8]], dtype=torch.float64))
