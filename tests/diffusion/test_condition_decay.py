import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import ConditionDecay, PrintedStep, Schedule, conditioned, sample_path

positive = st.floats(0.1, 5)
share = st.floats(0, 1)
FADING = ConditionDecay(eta_max=0.4, gamma=2.0, w_max=1.5, w_min=0.25, sigma=0.5)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def start(count=3, seed=7):
    generator = seeded(seed)
    return [torch.randn(count, 2, generator=generator, dtype=torch.float64) for _ in range(2)]


def estimate(x, t, condition, levels):
    """Any fixed function of all three will do."""
    return 0.3 * x - 0.2 * condition + 1e-4 * t.view(-1, 1)


@given(eta_max=positive, gamma=positive, w_max=positive, portion=share, sigma=positive)
def test_the_condition_is_strong_and_clean_at_first_and_weak_and_noisy_at_last(eta_max, gamma, w_max, portion, sigma):
    decay = ConditionDecay(eta_max, gamma, w_max, w_max * portion, sigma)
    assert decay.eta(1.0) == 0 and decay.eta(0.0) == eta_max
    assert decay.weight(1.0) == pytest.approx(w_max) and decay.weight(0.0) == w_max * portion


@given(gamma=positive, sigma=positive, a=share, b=share)
def test_noise_grows_and_weight_falls_towards_the_end(gamma, sigma, a, b):
    decay, early, late = ConditionDecay(0.4, gamma, 1.5, 0.25, sigma), max(a, b), min(a, b)
    assert decay.eta(early) <= decay.eta(late)
    assert decay.weight(early) >= decay.weight(late)


def test_the_exponents_are_those_of_the_algorithm():
    assert FADING.eta(0.75) == pytest.approx(0.4 * 0.25**2)
    assert FADING.weight(0.25) == pytest.approx(0.25 + 1.25 * 0.5)


@given(progress=share)
def test_the_weight_counts_for_the_noise_as_well(progress):
    weight, eta = FADING.weight(progress), FADING.eta(progress)
    levels = FADING.levels(torch.tensor(progress, dtype=torch.float64), torch.tensor(0.3))
    assert [level.item() for level in levels] == pytest.approx([weight, weight * eta])


def test_numbers_arrays_and_tensors_are_taken_alike():
    numbers = [0.0, 0.25, 1.0]
    for curve in (FADING.eta, FADING.weight):
        expected = [curve(x) for x in numbers]
        assert curve(np.array(numbers)).tolist() == pytest.approx(expected)
        assert curve(torch.tensor(numbers, dtype=torch.float64)).tolist() == pytest.approx(expected)


def test_algorithm_2_as_printed_is_the_one_computed_by_hand():
    """Lines 1 to 13, with µ = x̂_0 and one z for all steps."""
    schedule, (x, condition) = Schedule("linear", 1000), start()
    draws = seeded()
    noise_y, z = (torch.randn(x.shape, generator=draws, dtype=x.dtype) for _ in "yz")
    denoise = conditioned(estimate, condition, FADING, schedule, noise_y)
    path = list(sample_path(denoise, x, schedule, steps=3, step=PrintedStep(z)))
    signal = schedule.alpha_bar.tolist()
    for (t, previous), state in zip([(1000, 500), (500, 1), (1, 0)], path, strict=True):
        eta, weight = 0.4 * (1 - t / 1000) ** 2, 0.25 + 1.25 * (t / 1000) ** 0.5
        x0 = estimate(x, torch.full((3,), t), weight * (condition + eta * noise_y), None)
        alpha = signal[t] / signal[previous]
        x = x0 + math.sqrt((1 - signal[previous]) / (1 - signal[t]) * (1 - alpha)) * z
        assert state.t == previous
        torch.testing.assert_close(state.x0, x0, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(state.x, x, rtol=1e-10, atol=1e-10)


def test_the_printed_last_step_adds_no_noise():
    schedule, (x, condition) = Schedule("linear", 10), start()
    denoise = conditioned(estimate, condition, FADING, schedule, x)
    *_, last = sample_path(denoise, x, schedule, steps=3, step=PrintedStep(condition))
    assert torch.equal(last.x, last.x0)


@pytest.mark.parametrize(
    "name, values",
    [
        *[(name, {name: value}) for name in ("eta_max", "gamma", "w_max", "sigma") for value in (-0.1, math.nan)],
        ("eta_max", {"eta_max": math.inf}),
        ("w_min", {"w_min": -0.1}),
        ("w_min", {"w_min": 0.6, "w_max": 0.5}),
    ],
    ids=str,
)
def test_an_impossible_decay_is_refused_by_name(name, values):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        ConditionDecay(**values)
