"""Conformal intervals against the theory of ranks, exactly and by simulation."""

import math
from fractions import Fraction
from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.evaluation import ConformalIntervals, calibrate_intervals, conformal_quantile, volume_means


@given(st.integers(1, 60), st.integers(0, 100))
def test_one_score_per_volume_gives_the_rank_of_split_conformal(n, percent):
    """The bound is the score of rank ⌈(n + 1) level⌉, infinite beyond n, the smallest for level 0."""
    rank = max(math.ceil(Fraction(percent, 100) * (n + 1)), 1)
    scores = torch.randperm(n, generator=torch.Generator().manual_seed(n)) + 1.0
    expected = rank if rank <= n else math.inf
    assert conformal_quantile(scores, torch.arange(n), percent / 100) == expected


@pytest.mark.parametrize("level", [0.3, 0.5, 0.6, 0.8])
def test_coverage_of_exchangeable_scores_is_that_of_a_uniform_rank(level):
    """Over all orders of five scores the fifth is held in exactly ⌈5 level⌉ of 5."""
    held = [
        order[4] <= conformal_quantile(torch.tensor(order[:4]), torch.arange(4), level)
        for order in permutations((1.0, 2.0, 3.0, 4.0, 5.0))
    ]
    assert Fraction(sum(held), len(held)) == Fraction(math.ceil(round(5 * level, 9)), 5)


@pytest.mark.parametrize("level", [0.5, 0.8])
def test_the_share_of_a_new_volume_is_held_however_alike_its_voxels_are(level):
    """Each of six volumes once the new one: the mean share held reaches the level, in every draw."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        strength = torch.rand(6, 1, generator=generator) * 3
        scores = strength + 0.1 * torch.rand(6, 8, generator=generator)
        shares = []
        for new in range(6):
            known = [i for i in range(6) if i != new]
            volume = torch.arange(5).repeat_interleave(8)
            bound = conformal_quantile(scores[known].flatten(), volume, level)
            shares.append((scores[new] <= bound).double().mean())
        assert torch.stack(shares).mean() >= level - 1e-9


def test_volumes_weigh_the_same_however_many_scores_they_have():
    scores = torch.cat([torch.zeros(1000), torch.ones(1), 2 * torch.ones(1)])
    volume = torch.cat([torch.zeros(1000), torch.tensor([5.0, 9.0])]).long()
    assert [conformal_quantile(scores, volume, level) for level in (0.25, 0.5, 0.75, 0.8)] == [0, 1, 2, math.inf]


def test_a_factor_per_class_repairs_what_one_factor_hides():
    generator = torch.Generator().manual_seed(0)
    centre = torch.rand(40_000, generator=generator)
    noise = torch.where(centre > 0.5, 1.0, 0.1)
    truth = centre + noise * torch.randn(40_000, generator=generator)
    volume = torch.arange(40_000) // 100
    scale = torch.ones_like(centre)
    known, new = volume < 200, volume >= 200
    for edges, expected in (((), (1.0, 0.8)), ((0.5,), (0.9, 0.9))):
        given_ = (centre[known], scale[known], truth[known], volume[known])
        low, high = calibrate_intervals(*given_, 0.9, edges)(centre[new], scale[new])
        held = ((low <= truth[new]) & (truth[new] <= high)).double()
        for part, share in zip((centre[new] <= 0.5, centre[new] > 0.5), expected, strict=True):
            assert held[part].mean().item() == pytest.approx(share, abs=0.02)


def test_a_class_without_a_volume_promises_everything():
    intervals = calibrate_intervals(torch.zeros(3), torch.ones(3), torch.zeros(3), torch.arange(3), 0.5, edges=(0.5,))
    assert intervals.factors == (0.0, math.inf)
    low, high = intervals(torch.tensor([0.9]), torch.tensor([0.1]))
    assert (low.item(), high.item()) == (-math.inf, math.inf)


def test_means_per_volume():
    values, volume = torch.tensor([1.0, 3.0, 5.0, 7.0]), torch.tensor([4, 4, 0, 4])
    assert volume_means(values, volume).tolist() == [5.0, pytest.approx(11 / 3)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": torch.zeros(2)}, "truth: got shape"),
        ({"scale": torch.zeros(3)}, "scale: got 0, accepted is above zero"),
        ({"volume": torch.zeros(3)}, "volume: got torch.float32, accepted are whole numbers"),
        ({"volume": torch.tensor([0, 1, -1])}, "volume: got -1, accepted are numbers from 0"),
        ({"centre": torch.tensor([0.0, math.nan, 1.0])}, "centre"),
        ({"level": 1.5}, "level: got 1.5"),
        ({"edges": (0.5, 0.2)}, "edges: got"),
    ],
)
def test_wrong_input_is_refused(change, message):
    right = {
        "centre": torch.zeros(3), "scale": torch.ones(3), "truth": torch.zeros(3), "volume": torch.arange(3),
        "level": 0.5,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        calibrate_intervals(**(right | change))


def test_factors_are_one_for_each_class():
    with pytest.raises(ValueError, match=r"factors: got \(1.0,\), accepted are one more than edges, 2"):
        ConformalIntervals((0.5,), (1.0,))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.uint16, torch.int32, torch.int64])
def test_volumes_may_be_numbered_in_any_type_of_whole_numbers(dtype):
    """As a mask, which torch takes uint8 for, the same numbers gave 2."""
    scores, volume = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0, 0, 2]).to(dtype)
    assert conformal_quantile(scores, volume, 0.5) == 3.0
    assert volume_means(scores, volume).tolist() == [1.5, 3.0]


def test_volumes_may_have_numbers_larger_than_any_memory():
    scores, volume = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([7 * 10**17, 3, 3])
    assert volume_means(scores, volume).tolist() == [3.0, 1.0]
    assert conformal_quantile(scores, volume, 0.5) == 2.0


@pytest.mark.parametrize("dtype, scale", [(torch.float16, 1e-6), (torch.float32, 1e-42)])
def test_a_quotient_that_half_or_single_precision_cannot_hold_is_a_factor_all_the_same(dtype, scale):
    truth = torch.tensor([1.0, 2.0, 3.0], dtype=dtype)
    unit = torch.full_like(truth, scale)
    factors = calibrate_intervals(0 * truth, unit, truth, torch.arange(3), 0.5).factors
    assert factors == (2 / unit[0].item(),)


@pytest.mark.parametrize(
    ("edges", "factors", "message"),
    [
        (0.5, (1.0, 2.0), "edges: got 0.5, accepted are ascending numbers"),
        (None, (1.0, 2.0), "edges: got None"),
        ((math.nan,), (1.0, 2.0), "edges: got nan"),
        (("a",), (1.0, 2.0), "edges: got 'a'"),
        ((), 2.0, "factors: got 2.0, accepted are one more than edges, 1"),
        ((), (math.nan,), "factors: got nan"),
        ((), (-1.0,), "factors: got -1.0"),
        ((), ("a",), "factors: got 'a'"),
    ],
)
def test_edges_and_factors_of_other_kinds_are_refused(edges, factors, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        ConformalIntervals(edges, factors)


@pytest.mark.parametrize("edges", [0.5, None, "0.5", (math.nan,)])
def test_edges_of_a_calibration_are_refused_as_those_of_intervals(edges):
    with pytest.raises(ValueError, match="^edges: got"):
        calibrate_intervals(torch.zeros(3), torch.ones(3), torch.zeros(3), torch.arange(3), 0.5, edges)


@pytest.mark.parametrize("volume", [[0, 1, 2], None, torch.arange(3).numpy()])
def test_volumes_that_are_no_tensor_are_refused(volume):
    with pytest.raises(ValueError, match="^volume: got .*, accepted is a torch tensor of the shape of scores"):
        conformal_quantile(torch.zeros(3), volume, 0.5)


INTERVALS = ConformalIntervals((0.5,), (2.5, math.inf))


@pytest.mark.parametrize("wrong", [torch.tensor([0, 1]), torch.tensor([False, True]), [0.0, 1.0]])
def test_centres_that_would_round_the_factors_are_refused(wrong):
    with pytest.raises(ValueError, match="^centre: got"):
        INTERVALS(wrong, torch.ones(2))
    with pytest.raises(ValueError, match="^scale: got"):
        INTERVALS(torch.zeros(2), wrong)


def test_a_scale_of_zero_leaves_an_unknown_class_unknown_and_a_negative_one_is_refused():
    low, high = INTERVALS(torch.tensor([0.0, 0.9]), torch.zeros(2))
    assert low.tolist() == [0.0, -math.inf] and high.tolist() == [0.0, math.inf]
    with pytest.raises(ValueError, match="^scale: got -1, accepted is at least 0"):
        INTERVALS(torch.zeros(2), torch.tensor([1.0, -1.0]))
