import math

import pytest
import torch

from mpinotes.evaluation import coverage


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("level", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("k", [9, 16])
def test_samples_from_the_truths_own_distribution_hold_what_they_promise(k, level):
    assert coverage(normal(k, 40000), normal(40000, seed=1), level).item() == pytest.approx(level, abs=0.01)


def test_too_narrow_samples_hold_less_and_too_wide_ones_more():
    truth = normal(20000, seed=1)
    assert coverage(0.5 * normal(16, 20000), truth, 0.8) < 0.7 < 0.9 < coverage(2 * normal(16, 20000), truth, 0.8)


def test_ties_are_shared():
    assert coverage(torch.zeros(7, 5), torch.zeros(5), 0.6).item() == pytest.approx(0.6)


def test_at_the_ends():
    samples, truth = normal(16, 100), normal(100, seed=1)
    assert coverage(samples, truth, 0.0) == 0 and coverage(samples, truth, 1.0) == 1


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="samples: got shape"):
        coverage(torch.zeros(3, 4), torch.zeros(5), 0.5)
    with pytest.raises(ValueError, match="level"):
        coverage(torch.zeros(3, 4), torch.zeros(4), 1.5)


def test_nan_has_no_rank_and_infinity_has_one():
    samples, truth = normal(9, 20), normal(20, seed=1)
    for name, broken in (("samples", (samples * math.nan, truth)), ("truth", (samples, truth * math.nan))):
        with pytest.raises(ValueError, match=f"^{name}: got NaN"):
            coverage(*broken, 0.9)
    assert coverage(samples, truth * math.inf, 1.0) == 1
