import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import ConditionDecay, Schedule, progressive_path, sample_path, to_epsilon

positive = st.floats(0.1, 5)
share = st.floats(0, 1)
STEADY = ConditionDecay(eta_max=0.0, w_max=1.0, w_min=1.0)
FADING = ConditionDecay(eta_max=0.4, gamma=2.0, w_max=1.5, w_min=0.25, sigma=0.5)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def start(count=3, seed=7):
    generator = seeded(seed)
    return [torch.randn(count, 2, generator=generator, dtype=torch.float64) for _ in range(2)]


def predict_noise(x, t, condition, levels):
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
    assert FADING.levels(progress, 0.3) == pytest.approx((weight, weight * eta))


def test_the_network_is_told_the_levels_of_every_step():
    told, (x, condition) = [], start()

    def listening(x, t, condition, levels):
        told.append((t.tolist(), levels))
        return x

    list(progressive_path(listening, x, condition, Schedule(steps=10), FADING, steps=3, generator=seeded()))
    assert told == [([t] * 3, FADING.levels(t / 10, 0.5)) for t in (10, 6, 1)]


@pytest.mark.parametrize("variant", ["printed", "derived", "ddim"])
def test_a_path_of_three_steps_is_the_one_computed_by_hand(variant):
    schedule, (x, condition) = Schedule("linear", 1000), start()
    path = list(
        progressive_path(predict_noise, x, condition, schedule, FADING, steps=3, variant=variant, generator=seeded())
    )
    draws = seeded()
    noise_y, z = (torch.randn(x.shape, generator=draws, dtype=x.dtype) for _ in "yz")
    signal = schedule.alpha_bar.tolist()
    for (t, previous), state in zip([(1000, 500), (500, 1), (1, 0)], path, strict=True):
        eta, weight = 0.4 * (1 - t / 1000) ** 2, 0.25 + 1.25 * (t / 1000) ** 0.5
        noise = predict_noise(x, torch.full((3,), t), weight * (condition + eta * noise_y), (weight, weight * eta))
        estimate = (x - math.sqrt(1 - signal[t]) * noise) / math.sqrt(signal[t])
        alpha = signal[t] / signal[previous]
        spread = math.sqrt((1 - signal[previous]) / (1 - signal[t]) * (1 - alpha))
        if variant == "printed":
            x = estimate + spread * z
        elif variant == "ddim":
            x = math.sqrt(signal[previous]) * estimate + math.sqrt(1 - signal[previous]) * noise
        else:
            z = torch.randn(x.shape, generator=draws, dtype=x.dtype)
            x = (x - (1 - alpha) / math.sqrt(1 - signal[t]) * noise) / math.sqrt(alpha) + spread * z
        assert state.t == previous
        torch.testing.assert_close(state.x0, estimate, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(state.x, x, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_with_a_steady_condition_the_derived_path_is_ancestral_sampling(steps):
    """The mean of Ho et al., eq. (11), is that of Song et al., eq. (12), at eta 1; only the order of draws differs."""
    schedule, (x, condition) = Schedule("linear", 100), start()
    derived = progressive_path(predict_noise, x, condition, schedule, STEADY, steps=steps, generator=seeded())
    generator = seeded()
    for _ in "yz":  # the two draws before the loop
        torch.randn(x.shape, generator=generator, dtype=x.dtype)

    def denoise(x, t):
        a = schedule.at(t, x)
        return (x - (1 - a).sqrt() * predict_noise(x, t, condition, (1.0, 0.0))) / a.sqrt()

    ancestral = sample_path(denoise, x, schedule, steps=steps, eta=1.0, generator=generator)
    for ours, theirs in zip(derived, ancestral, strict=True):
        assert ours.t == theirs.t
        torch.testing.assert_close(ours.x, theirs.x, rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(ours.x0, theirs.x0, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_with_a_steady_condition_the_ddim_path_is_the_samplers(steps):
    schedule, (x, condition) = Schedule("linear", 100), start()
    path = progressive_path(predict_noise, x, condition, schedule, STEADY, steps=steps, variant="ddim")

    def denoise(x, t):
        a = schedule.at(t, x)
        return (x - (1 - a).sqrt() * predict_noise(x, t, condition, (1.0, 0.0))) / a.sqrt()

    for ours, theirs in zip(path, sample_path(denoise, x, schedule, steps=steps), strict=True):
        assert ours.t == theirs.t
        torch.testing.assert_close(ours.x, theirs.x, rtol=1e-9, atol=1e-9)


def test_the_derived_path_draws_from_gaussian_data():
    """Five standard errors; 200 steps with the posterior variance narrow the spread by 4 %, never widen it."""
    mean, spread, count, schedule = 2.0, 0.5, 10_000, Schedule("linear", 1000)

    def exact(x, t, condition, levels):
        a = schedule.at(t, x)
        x0 = mean + a.sqrt() * spread**2 / (a * spread**2 + 1 - a) * (x - a.sqrt() * mean)
        return to_epsilon(x0, x, t, schedule)

    x = torch.randn(count, 1, generator=seeded(1), dtype=torch.float64)
    *_, last = progressive_path(exact, x, torch.zeros_like(x), schedule, STEADY, steps=200, generator=seeded())
    tolerance = 5 * spread / math.sqrt(count)
    assert last.x.mean().item() == pytest.approx(mean, abs=tolerance)
    assert 0.96 * spread - tolerance < last.x.std().item() < spread + tolerance


@pytest.mark.parametrize("variant", ["printed", "derived", "ddim"])
def test_the_same_generator_gives_the_same_bits_and_another_does_not(variant):
    schedule, (x, condition) = Schedule("linear", 10), start()
    ends = [
        list(
            progressive_path(
                predict_noise, x, condition, schedule, FADING, steps=4, variant=variant, generator=seeded(s)
            )
        )
        for s in (0, 0, 1)
    ]
    assert torch.equal(ends[0][-1].x, ends[1][-1].x)
    assert not torch.equal(ends[0][-1].x, ends[2][-1].x)


@pytest.mark.parametrize("variant", ["printed", "derived", "ddim"])
def test_the_last_step_adds_no_noise(variant):
    schedule, (x, condition) = Schedule("linear", 10), start()
    path = progressive_path(predict_noise, x, condition, schedule, FADING, steps=3, variant=variant, generator=seeded())
    *_, last = path
    torch.testing.assert_close(last.x, last.x0)


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


@pytest.mark.parametrize("method", ["eta", "weight"])
@pytest.mark.parametrize("progress", [-0.1, 1.1, math.nan])
def test_progress_outside_the_path_is_refused_by_name(method, progress):
    with pytest.raises(ValueError, match="^progress: got"):
        getattr(FADING, method)(progress)


def test_an_unknown_variant_is_refused_by_name():
    x, condition = start()
    with pytest.raises(ValueError, match="^variant: got 'fixed'"):
        next(progressive_path(predict_noise, x, condition, Schedule(steps=10), FADING, steps=2, variant="fixed"))


def test_a_condition_of_another_shape_is_refused_by_name():
    x, condition = start()
    with pytest.raises(ValueError, match="^condition: got"):
        next(progressive_path(predict_noise, x, condition[:1], Schedule(steps=10), FADING, steps=2))
