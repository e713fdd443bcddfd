import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import (
    AnnealedCondition,
    ConditionDecay,
    ConstantCondition,
    NoisedCondition,
    ReversedDecay,
    Schedule,
    conditioned,
    sample_path,
)

share = st.floats(0, 1)
FADING = ConditionDecay(eta_max=0.4, gamma=2.0, w_max=1.5, w_min=0.25, sigma=0.5)


def levels(schedule, progress, alpha_bar):
    """Weight and level of one step as numbers."""
    values = schedule.levels(*torch.tensor([progress, alpha_bar], dtype=torch.float64))
    return tuple(value.item() for value in values)


def noises_seen(decay):
    """The noise in the condition at each of four steps, from a path whose condition is zero."""
    seen = []

    def listening(x, t, condition, levels):
        level = levels[0, 1]
        seen.append(condition / level if level else condition)
        return x

    zero, generator = torch.zeros(3, 2, dtype=torch.float64), torch.Generator()
    noise = torch.randn(3, 2, dtype=torch.float64, generator=generator)
    denoise = conditioned(listening, zero, decay, Schedule(steps=10), noise, generator)
    list(sample_path(denoise, zero, Schedule(steps=10), steps=4))
    return seen


@given(progress=share, alpha_bar=share)
def test_a_constant_condition_is_clean_and_at_full_weight(progress, alpha_bar):
    assert levels(ConstantCondition(), progress, alpha_bar) == (1.0, 0.0)


@given(progress=share, alpha_bar=share)
def test_the_reversed_decay_is_the_decay_run_backwards(progress, alpha_bar):
    assert levels(ReversedDecay(FADING), progress, alpha_bar) == pytest.approx(levels(FADING, 1 - progress, alpha_bar))


def test_the_reversed_decay_is_noisy_and_weak_at_first_and_clean_and_strong_at_last():
    schedule = ReversedDecay(FADING)
    assert levels(schedule, 1.0, 0.0) == pytest.approx((0.25, 0.25 * 0.4))
    assert levels(schedule, 0.0, 1.0) == pytest.approx((1.5, 0.0))
    weights = [levels(schedule, t / 10, 0.5)[0] for t in range(11)]
    assert weights == sorted(weights, reverse=True)


@pytest.mark.parametrize("progress, gamma", [(0.0, 1), (0.2, 1), (0.3, 0.75), (0.4, 0.5), (0.6, 0), (0.7, 0), (1.0, 0)])
def test_annealing_has_the_values_of_its_source(progress, gamma):
    """γ = (0.6 − t/T) / 0.4 between 0.2 and 0.6."""
    found = levels(AnnealedCondition(tau1=0.2, tau2=0.6, scale=0.5), progress, 0.3)
    assert found == pytest.approx((math.sqrt(gamma), 0.5 * math.sqrt(1 - gamma)), abs=1e-7)


@given(tau=st.tuples(share, st.floats(0.01, 1)), scale=st.floats(0, 3), a=share, b=share)
def test_annealing_goes_from_noise_alone_to_the_clean_condition(tau, scale, a, b):
    schedule, early, late = AnnealedCondition(min(tau), max(tau), scale), max(a, b), min(a, b)
    assert levels(schedule, 0.0, 1.0) == (1.0, 0.0)
    if min(tau) < 1:
        assert levels(schedule, 1.0, 0.0) == (0.0, scale)
    assert levels(schedule, early, 0.5)[0] <= levels(schedule, late, 0.5)[0]
    assert levels(schedule, early, 0.5)[1] >= levels(schedule, late, 0.5)[1]


def test_annealing_without_a_ramp_is_a_switch():
    schedule = AnnealedCondition(0.5, 0.5, 0.25)
    assert levels(schedule, 0.5, 0.5) == (1.0, 0.0) and levels(schedule, 0.51, 0.5) == (0.0, 0.25)


@given(progress=share, alpha_bar=share)
def test_a_noised_condition_is_as_noisy_as_the_sample_and_keeps_its_variance(progress, alpha_bar):
    weight, level = levels(NoisedCondition(), progress, alpha_bar)
    assert weight**2 == pytest.approx(alpha_bar) and weight**2 + level**2 == pytest.approx(1)


def test_a_noised_condition_is_noise_at_first_and_clean_at_last():
    signal = Schedule().alpha_bar.tolist()
    weights, noises = zip(*[levels(NoisedCondition(), t / 1000, signal[t]) for t in range(1001)], strict=True)
    assert (weights[0], noises[0]) == (1, 0)
    assert weights[-1] < 0.01 and noises[-1] > 0.99
    assert list(weights) == sorted(weights, reverse=True) and list(noises) == sorted(noises)


@pytest.mark.parametrize("schedule, fresh", [(NoisedCondition(), True), (ConditionDecay(), False)])
def test_noise_is_drawn_at_every_step_or_once(schedule, fresh):
    first, *others = [noise for noise in noises_seen(schedule) if noise.any()]
    assert len(others) >= 2
    assert not any(torch.allclose(first, other) == fresh for other in others)


def test_annealing_draws_noise_at_every_step():
    first, second, *_ = noises_seen(AnnealedCondition(0.1, 0.2))
    assert first.any() and not torch.allclose(first, second)


def test_a_constant_condition_is_never_noisy():
    assert not any(noise.any() for noise in noises_seen(ConstantCondition()))


@pytest.mark.parametrize(
    "name, values",
    [
        *[("tau2", {"tau2": value}) for value in (0.0, 1.1, math.nan)],
        *[("tau1", {"tau1": value}) for value in (-0.1, 0.95, math.nan)],
        *[("scale", {"scale": value}) for value in (-0.1, math.nan, math.inf)],
    ],
    ids=str,
)
def test_an_impossible_annealing_is_refused_by_name(name, values):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        AnnealedCondition(**values)
