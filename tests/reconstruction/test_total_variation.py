import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import denoise_tv_chambolle

from mpinotes.reconstruction import denoise_total_variation, total_variation
from mpinotes.reconstruction.total_variation import descend, gradient, gradient_adjoint

SHAPES = [(4, 5, 6), (1, 6, 5), (1, 1, 7), (1, 1, 1), (8, 1, 3)]


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_divergence_is_the_adjoint_of_the_gradient(shape):
    volumes, field = random(2, 1, *shape), random(2, 3, *shape, seed=1)
    left, right = (gradient(volumes) * field).sum(), (volumes * gradient_adjoint(field)).sum()
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-12)


def test_the_norm_of_the_gradient_is_below_that_of_the_step():
    units = torch.eye(5**3, dtype=torch.float64).view(-1, 1, 5, 5, 5)
    assert torch.linalg.matrix_norm(gradient(units).flatten(1), 2) ** 2 < 12


def test_a_block_has_the_area_of_its_faces():
    """But for the one corner of three faces, the one edge's ends: lengths of √2 and √3 there."""
    block = torch.zeros(1, 1, 10, 10, 10, dtype=torch.float64)
    block[..., 3:7, 3:7, 3:7] = 2.0
    side = 4
    # At the far faces differences of several axes fall on one voxel: (side−1)² · 3 single, 3 (side−1) double, 1 triple.
    far = 3 * (side - 1) ** 2 + 3 * (side - 1) * math.sqrt(2) + math.sqrt(3)
    near = 3 * side**2
    assert total_variation(block).item() == pytest.approx(2 * (near + far))


@settings(max_examples=5)
@given(seed=st.integers(0, 50), weight=st.floats(0.01, 2.0))
def test_the_proximal_map_meets_its_optimality_conditions(seed, weight):
    """c ≥ 0, |p| ≤ 1, c = (v − λDᵀp)₊ and a vanishing duality gap λ(TV(c) − ⟨p, Dc⟩) prove the minimum."""
    volumes = random(2, 1, 3, 4, 5, seed=seed)
    weights = volumes.new_tensor([weight, weight / 2]).view(-1, 1, 1, 1, 1)
    image, dual = descend(volumes, weights, 400)
    assert image.min() >= 0
    assert dual.square().sum(1).max() <= 1 + 1e-12
    torch.testing.assert_close(image, (volumes - weights * gradient_adjoint(dual)).clamp_min(0))
    gap = weights.flatten() * (total_variation(image) - (dual * gradient(image)).flatten(1).sum(1))
    assert gap.min() >= -1e-12
    assert gap.max() < 1e-3 * volumes.square().sum() / 2


def test_what_is_positive_anyway_is_denoised_as_scikit_image_does():
    """Its weight multiplies the same isotropic sum; Chambolle's own algorithm, without a bound."""
    volume = 5 + random(1, 1, 4, 5, 6)
    ours = denoise_total_variation(volume, 0.7, steps=500)
    theirs = torch.from_numpy(denoise_tv_chambolle(volume[0, 0].numpy(), weight=0.7, eps=1e-9, max_num_iter=3000))
    moved = (theirs - volume[0, 0]).norm()
    assert (ours[0, 0] - theirs).norm() < 0.01 * moved  # both stop somewhere


def test_two_levels_move_together_by_the_weight_over_their_length():
    """1D: levels of length n lose λ/n at their jump, as long as they stay apart."""
    line = torch.tensor([2.0] * 4 + [5.0] * 2, dtype=torch.float64).view(1, 1, 1, 1, 6)
    expected = torch.tensor([2 + 0.6 / 4] * 4 + [5 - 0.6 / 2] * 2, dtype=torch.float64)
    torch.testing.assert_close(denoise_total_variation(line, 0.6, steps=1000).flatten(), expected, atol=1e-3, rtol=0)


def test_no_weight_only_clips_and_much_weight_leaves_the_mean():
    volume = random(1, 1, 3, 3, 3) + 2
    torch.testing.assert_close(denoise_total_variation(volume, 0.0), volume.clamp_min(0))
    flat = denoise_total_variation(volume, 100.0, steps=1000)
    torch.testing.assert_close(flat, volume.mean().expand_as(flat), atol=1e-2, rtol=0)


def test_inputs_stay_as_they_are_and_volumes_keep_apart():
    volumes = random(3, 1, 4, 4, 4).float()
    before = volumes.clone()
    together = denoise_total_variation(volumes, 0.3)
    assert torch.equal(volumes, before) and together.dtype == torch.float32
    alone = torch.cat([denoise_total_variation(one, 0.3) for one in volumes.split(1)])
    torch.testing.assert_close(together, alone)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: total_variation(random(4, 4, 4)), "volumes"),
        (lambda: total_variation(random(1, 2, 4, 4, 4)), "volumes"),
        (lambda: total_variation(random(1, 1, 4, 4, 4) + 0j), "volumes"),
        (lambda: denoise_total_variation(random(1, 1, 4, 4, 4) * math.nan, 1.0), "volumes"),
        (lambda: denoise_total_variation(random(1, 1, 4, 4, 4), -1.0), "weight"),
        (lambda: denoise_total_variation(random(1, 1, 4, 4, 4), 1.0, steps=0), "steps"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        call()


@pytest.mark.parametrize("scale", [1e-36, 1e-25, 1e10, 1e20, 1e36])
@pytest.mark.parametrize("weight", [0.0, 0.1])
def test_the_unit_of_the_numbers_does_not_matter_in_single_precision_either(scale, weight):
    """Particles per cubic metre, whose squares are no numbers of float32; beside a volume near 1."""
    volume = random(1, 1, 3, 4, 5).float().abs()
    scaled = torch.cat([scale * volume, volume])
    torch.testing.assert_close(total_variation(scaled)[0] / scale, total_variation(volume)[0])
    denoised = denoise_total_variation(scale * volume, scale * weight, steps=20)
    torch.testing.assert_close(denoised / scale, denoise_total_variation(volume, weight, steps=20))
