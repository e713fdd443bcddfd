import dataclasses

import pytest
import torch

from mpinotes.physics import CartesianScan, Particle, point_response
from mpinotes.physics.cartesian import voxel_centres
from mpinotes.reconstruction import reconstruct_tikhonov, tikhonov

PARTICLE = Particle(25e-9)
SCAN = CartesianScan(gradient=(1.5, 0.7, -2.2))
SHAPES = [(4, 5, 6), (5, 3, 7), (1, 1, 1), (1, 6, 5), (7, 1, 2), (2, 1, 1), (1, 1, 9), (8, 8, 8)]


def random_image(shape, batch=2, seed=0):
    return torch.rand(batch, 1, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def dense_response(shape, particle=PARTICLE, scan=SCAN):
    """R[i, j], pair by pair: the normalised response of voxel j with the FFP on voxel i."""
    z, y, x = torch.meshgrid(*(voxel_centres(n, scan.voxel_size) for n in shape), indexing="ij")
    places = torch.stack([x, y, z], dim=-1).flatten(0, -2)
    return point_response(places[:, None] - places, particle, scan.gradient) * 3 / particle.beta


def dense_solution(native, regularization, **setting):
    """From the singular values, which does not square the condition number."""
    values, vectors = torch.linalg.eigh(dense_response(native.shape[-3:], **setting))
    filtered = values / (values**2 + regularization)
    return (native.flatten(1) @ (vectors * filtered) @ vectors.T).view(native.shape)


def relative_error(result, expected):
    return ((result.double() - expected).flatten(1).norm(dim=1) / expected.flatten(1).norm(dim=1)).max().item()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("regularization", [1e-3, 1e-2, 1.0, 5.0, 100.0])
def test_it_is_the_dense_solution(shape, regularization):
    native = random_image(shape)
    result = reconstruct_tikhonov(native, PARTICLE, SCAN, regularization=regularization)
    assert relative_error(result, dense_solution(native, regularization)) < 2e-10


@pytest.mark.parametrize("diameter", [10e-9, 15e-9, 40e-9])
@pytest.mark.parametrize("gradient", [(1.5, 1.5, -3.0), (-5.0, 2.5, 2.5), (0.1, 3.0, -3.1)])
def test_it_is_the_dense_solution_for_narrow_and_wide_responses(diameter, gradient):
    native, particle, scan = random_image((6, 7, 8)), Particle(diameter), CartesianScan(gradient=gradient)
    result = reconstruct_tikhonov(native, particle, scan, regularization=1e-3)
    assert relative_error(result, dense_solution(native, 1e-3, particle=particle, scan=scan)) < 2e-9


@pytest.mark.parametrize("regularization", [1e-2, 5.0, 100.0])
def test_float32_stays_float32_and_is_right_to_its_rounding(regularization):
    native = random_image((8, 7, 6)).float()
    result = reconstruct_tikhonov(native, PARTICLE, SCAN, regularization=regularization)
    assert result.dtype == torch.float32
    assert relative_error(result, dense_solution(native.double(), regularization)) < 2e-6


def test_concentrations_in_particles_per_cubic_metre_do_not_overflow_float32():
    native = random_image((4, 4, 4)).float()
    scaled = reconstruct_tikhonov(1e18 * native, PARTICLE, SCAN) / 1e18
    torch.testing.assert_close(scaled, reconstruct_tikhonov(native, PARTICLE, SCAN), rtol=1e-5, atol=1e-6)


def test_the_operator_is_symmetric():
    a, b = random_image((5, 6, 4)), random_image((5, 6, 4), seed=1)
    left = (a * reconstruct_tikhonov(b, PARTICLE, SCAN)).sum()
    right = (reconstruct_tikhonov(a, PARTICLE, SCAN) * b).sum()
    torch.testing.assert_close(left, right, rtol=1e-9, atol=0)


def test_the_same_input_gives_the_same_bits_and_a_call_between_changes_nothing():
    native = random_image((6, 5, 4))
    first = reconstruct_tikhonov(native, PARTICLE, SCAN)
    reconstruct_tikhonov(native, PARTICLE, dataclasses.replace(SCAN, voxel_size=2e-3), regularization=0.1)
    assert torch.equal(reconstruct_tikhonov(native, PARTICLE, SCAN), first)


def test_a_volume_does_not_depend_on_its_batch_nor_on_chunks(monkeypatch):
    native = random_image((4, 5, 6), batch=5)
    together = reconstruct_tikhonov(native, PARTICLE, SCAN)
    monkeypatch.setattr(tikhonov, "_CHUNK", 2 * native[0].numel())
    assert relative_error(reconstruct_tikhonov(native, PARTICLE, SCAN), together) < 1e-10
    alone = torch.cat([reconstruct_tikhonov(one, PARTICLE, SCAN) for one in native.split(1)])
    assert relative_error(alone, together) < 1e-10


def test_empty_volumes_and_missing_parities_are_no_trouble():
    native = random_image((4, 5, 6), batch=4)
    native[1] = 0
    native[2] += native[2].flip(-1)
    native[3] = 1
    result = reconstruct_tikhonov(native, PARTICLE, SCAN)
    assert (result[1] == 0).all()
    keep = [0, 2, 3]
    assert relative_error(result[keep], dense_solution(native[keep], 3.0)) < 2e-10


@pytest.mark.parametrize("drive_axis", ["x", "y", "z"])
def test_gradients_are_those_of_the_linear_map(drive_axis):
    scan = CartesianScan(gradient=(1.5, 0.7, -2.2), drive_axis=drive_axis)
    native = random_image((2, 3, 4)).requires_grad_()
    assert torch.autograd.gradcheck(lambda n: reconstruct_tikhonov(n, PARTICLE, scan), native)
    assert torch.autograd.gradgradcheck(lambda n: reconstruct_tikhonov(n, PARTICLE, scan), native)


def test_running_out_of_steps_is_said(monkeypatch):
    monkeypatch.setattr(tikhonov, "_STEPS", 3)
    with pytest.raises(ValueError, match="^regularization: got 0.001, accepted is enough"):
        reconstruct_tikhonov(random_image((8, 8, 8)), PARTICLE, SCAN, regularization=1e-3)


def test_complex_images_are_refused_by_name():
    with pytest.raises(ValueError, match="^native: got dtype torch.complex128"):
        reconstruct_tikhonov(random_image((2, 2, 2)) + 0j, PARTICLE, SCAN)


@pytest.mark.parametrize("regularization", [1e-3, 5.0])
def test_at_32_cubed_the_equation_holds_on_a_padded_grid(regularization):
    """(R² + λ)c = Rn, with R by zero-padded FFT: nothing of the solver's own operator."""
    shape, native = (32, 32, 32), random_image((32, 32, 32), batch=1)
    c = reconstruct_tikhonov(native, PARTICLE, SCAN, regularization=regularization)
    offset = torch.fft.fftfreq(64, 1 / 64, dtype=torch.float64) * SCAN.voxel_size
    z, y, x = torch.meshgrid(offset, offset, offset, indexing="ij")
    kernel = point_response(torch.stack([x, y, z], dim=-1), PARTICLE, SCAN.gradient) * 3 / PARTICLE.beta

    def response(volume):
        spectrum = torch.fft.rfftn(volume, s=(64, 64, 64), dim=(-3, -2, -1)) * torch.fft.rfftn(kernel)
        return torch.fft.irfftn(spectrum, s=(64, 64, 64), dim=(-3, -2, -1))[..., : shape[0], : shape[1], : shape[2]]

    left, right = response(response(c)) + regularization * c, response(native)
    torch.testing.assert_close(left, right, rtol=0, atol=1e-8 * right.abs().max().item())


def test_a_particle_that_wants_a_gradient_is_refused_rather_than_given_none():
    diameter = torch.tensor(25e-9, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match="^particle, scan: got numbers that want a gradient"):
        reconstruct_tikhonov(random_image((3, 3, 3)), Particle(diameter), SCAN)
