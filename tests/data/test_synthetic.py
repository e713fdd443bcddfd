import math

import pytest
import torch
from scipy.ndimage import label

from mpinotes.data import synthetic_vessels


@pytest.fixture(scope="module")
def vessels():
    return synthetic_vessels(20, 24)


def test_vessels_are_volumes_in_range(vessels):
    assert vessels.shape == (20, 1, 24, 24, 24)
    assert vessels.min() == 0
    assert vessels.max() == 1


def test_every_volume_holds_a_vessel_and_is_mostly_empty(vessels):
    occupied = vessels.flatten(1).mean(1)
    assert occupied.min() > 0.002
    assert occupied.max() < 0.3


def test_branches_leave_the_trunk_and_do_not_float(vessels):
    """A branch may leave the volume and come back: the largest piece holds nearly all."""
    for volume in vessels[:, 0].numpy():
        pieces, count = label(volume > 0)
        largest = max((volume[pieces == piece].sum() for piece in range(1, count + 1)), default=0)
        assert largest > 0.9 * volume.sum()


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (synthetic_vessels(2, 12, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_volumes_of_one_call_differ(vessels):
    assert len(vessels.flatten(1).unique(dim=0)) == 20


def test_the_side_only_changes_the_resolution():
    coarse, fine = (synthetic_vessels(4, side, seed=3) for side in (16, 32))
    pooled = torch.nn.functional.avg_pool3d(fine, 2)
    assert (pooled - coarse).abs().mean() < 0.02
    assert torch.corrcoef(torch.stack([pooled.flatten(), coarse.flatten()]))[0, 1] > 0.9


def test_an_aneurysm_only_adds_to_a_vessel():
    without, with_sac = (synthetic_vessels(6, 16, aneurysm_probability=p) for p in (0.0, 1.0))
    assert (with_sac >= without).all()
    assert (with_sac.flatten(1).sum(1) > without.flatten(1).sum(1)).all()


@pytest.mark.parametrize(
    "name, value",
    [("count", 0), ("side", 0), ("side", -1), ("aneurysm_probability", 1.1), ("aneurysm_probability", math.nan)],
)
def test_impossible_vessels_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        synthetic_vessels(**{"count": 1, "side": 4, name: value})
