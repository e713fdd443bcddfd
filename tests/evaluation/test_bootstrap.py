import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.evaluation import Interval, bootstrap_mean


def normal(count, seed=0):
    return torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_intervals_cover_the_true_mean_about_as_often_as_they_say():
    """200 data sets of 40: 95 % nominal, a little less for the percentile method at this size."""
    intervals = [bootstrap_mean(normal(40, seed), resamples=400, seed=seed) for seed in range(200)]
    covered = sum(interval.low <= 0 <= interval.high for interval in intervals) / 200
    assert 0.88 <= covered <= 0.99


def test_the_width_is_that_of_the_normal_approximation():
    """Within the error of a 97.5 % quantile of 2,000 resamples."""
    values = normal(400)
    interval = bootstrap_mean(values)
    expected = 2 * 1.96 * values.std().item() / 20
    assert interval.high - interval.low == pytest.approx(expected, rel=0.1)
    assert interval.mean == pytest.approx(values.mean().item())


@given(values=st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=9), seed=st.integers(0, 9))
def test_the_interval_lies_within_the_data(values, seed):
    interval = bootstrap_mean(torch.tensor(values), resamples=50, seed=seed)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9


def test_the_same_seed_gives_the_same_interval_and_another_does_not():
    assert bootstrap_mean(normal(20), seed=1) == bootstrap_mean(normal(20), seed=1)
    assert bootstrap_mean(normal(20), seed=1) != bootstrap_mean(normal(20), seed=2)


def test_more_confidence_makes_a_wider_interval():
    narrow, wide = (bootstrap_mean(normal(50), confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_one_value_leaves_no_doubt():
    assert bootstrap_mean(torch.tensor([3.0])) == Interval(3.0, 3.0, 3.0)


def test_an_interval_reads_as_its_mean_and_bounds():
    assert str(Interval(1.0, 0.5, 1.25)) == "1.000 [0.500, 1.250]"


@pytest.mark.parametrize(
    "values",
    [torch.tensor([1.0, math.inf]), torch.tensor([1.0, math.nan]), torch.ones(2, 2), torch.empty(0), [1.0, 2.0]],
    ids=["infinite", "NaN", "matrix", "empty", "list"],
)
def test_bad_values_are_refused_by_name(values):
    with pytest.raises(ValueError, match="^values: got"):
        bootstrap_mean(values)


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_an_impossible_confidence_is_refused_by_name(confidence):
    with pytest.raises(ValueError, match="^confidence: got"):
        bootstrap_mean(normal(5), confidence=confidence)


@pytest.mark.parametrize("resamples", [0, -1])
def test_a_bootstrap_without_resamples_is_refused_by_name(resamples):
    with pytest.raises(ValueError, match="^resamples: got"):
        bootstrap_mean(normal(5), resamples=resamples)
