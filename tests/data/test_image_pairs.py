import math
from dataclasses import replace

import pytest
import torch

from mpinotes.data import Imaging, image_pairs, reconstruct_images, scan_images, scan_volumes
from mpinotes.physics import CartesianScan, LissajousScan, Particle

NOISELESS = Imaging(scan=CartesianScan(noise=0.0))


def vessels(count=2, side=8):
    """Straight vessels of random places and directions."""
    generator = torch.Generator().manual_seed(0)
    volumes = torch.zeros(count, 1, side, side, side)
    for volume in volumes:
        y, x = torch.randint(1, side - 1, (2,), generator=generator)
        volume[0, :, y, x] = 1
    return volumes


def test_pairs_keep_the_truth_and_give_images_in_range():
    volumes = vessels()
    pairs = image_pairs(volumes)
    assert torch.equal(pairs.x_hr, volumes)
    assert pairs.x_lr.shape == volumes.shape and pairs.x_lr.dtype == volumes.dtype
    assert pairs.x_lr.min() >= 0 and pairs.x_lr.max() <= 1


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (image_pairs(vessels(), seed=seed).x_lr for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    image_pairs(vessels())
    assert torch.equal(torch.rand(3), expected)


def test_an_image_resembles_its_own_truth_most():
    """Correlation of each image with each truth: the diagonal wins."""
    pairs = image_pairs(vessels(count=4))
    lr, hr = (torch.nn.functional.normalize(v.flatten(1) - v.mean(), dim=1) for v in (pairs.x_lr, pairs.x_hr))
    assert torch.equal((lr @ hr.T).argmax(1), torch.arange(4))


def test_without_noise_the_image_does_not_depend_on_the_concentration():
    """The chain is linear and normalised: float32 rounding remains."""
    thin, dense = (image_pairs(vessels(), replace(NOISELESS, concentration=c)).x_lr for c in (1e15, 1e18))
    torch.testing.assert_close(thin, dense, rtol=0, atol=1e-4)


def test_less_regularization_and_a_larger_core_make_a_sharper_image():
    volumes = vessels()
    blurry, sharp = (
        image_pairs(volumes, replace(NOISELESS, particle=Particle(core), regularization=strength)).x_lr
        for core, strength in ((20e-9, 5.0), (27e-9, 0.01))
    )
    assert (sharp - volumes).norm() < (blurry - volumes).norm()


def test_an_empty_scanner_gives_an_empty_image():
    x_lr = image_pairs(torch.zeros(1, 1, 4, 4, 4), NOISELESS).x_lr
    assert torch.equal(x_lr, torch.zeros_like(x_lr))


@pytest.mark.parametrize("name", ["concentration", "regularization"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_an_impossible_imaging_chain_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Imaging(**{name: value})


@pytest.mark.parametrize(
    "volumes",
    [
        torch.full((1, 1, 4, 4, 4), 1.5),
        torch.full((1, 1, 4, 4, 4), -0.5),
        torch.full((1, 1, 4, 4, 4), math.nan),
        torch.ones(4, 4, 4),
        torch.ones(1, 2, 4, 4, 4),
        torch.empty(0, 1, 4, 4, 4),
    ],
    ids=["above 1", "below 0", "NaN", "wrong rank", "two channels", "empty"],
)
def test_bad_volumes_are_refused_by_name(volumes):
    with pytest.raises(ValueError, match="^volumes: got"):
        image_pairs(volumes)


def test_the_first_pairs_keep_their_images():
    """Pairs of fewer volumes would have other noise."""
    pairs = image_pairs(vessels(3))
    first = pairs.first(2)
    assert torch.equal(first.x_lr, pairs.x_lr[:2]) and torch.equal(first.x_hr, pairs.x_hr[:2])
    assert first.source == pairs.source


@pytest.mark.parametrize("count", [0, -1, 1.0, None, True])
def test_the_first_pairs_are_a_count(count):
    """As a slice, −1 were all pairs but the last, and None all."""
    with pytest.raises(ValueError, match=f"^count: got {count}, accepted is a whole number of at least 1"):
        image_pairs(vessels(1)).first(count)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_volumes_in_half_precision_are_refused_by_their_own_name(dtype):
    with pytest.raises(ValueError, match=f"^volumes.dtype: got {dtype}, accepted are torch.float32, torch.float64"):
        image_pairs(vessels(1).to(dtype))


@pytest.mark.parametrize("imaging", [Particle(25e-9), Imaging, 0])
def test_another_thing_than_an_imaging_chain_is_refused(imaging):
    signal = scan_volumes(vessels(1), Imaging())
    for call in (
        lambda: image_pairs(vessels(1), imaging),
        lambda: reconstruct_images(signal, imaging, 16),
        lambda: scan_images(signal, imaging, 16),
    ):
        with pytest.raises(ValueError, match="^imaging: got .*, accepted is an Imaging$"):
            call()


def test_an_imaging_chain_names_what_is_no_part_of_it():
    with pytest.raises(ValueError, match="^particle: got float, accepted is a Particle"):
        Imaging(particle=25e-9)
    with pytest.raises(ValueError, match="^scan: got LissajousScan, accepted is a CartesianScan"):
        Imaging(scan=LissajousScan())


def test_a_disturbance_returns_a_signal():
    with pytest.raises(ValueError, match="^disturb, what it returns: got Tensor, accepted is a ScanSignal"):
        image_pairs(vessels(1), disturb=lambda signal, generator: signal.voltage)
