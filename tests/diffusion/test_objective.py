import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import Objective, Schedule, add_noise, to_x0

SCHEDULE = Schedule("linear", 1000)
steps = st.lists(st.integers(1, 1000), min_size=1, max_size=5)


def implied_noise(x0, x_t, t):
    """ε̂ = (x_t − √α̅_t x̂_0) / √(1 − α̅_t)."""
    alpha_bar = SCHEDULE.at(t, x_t)
    return (x_t - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()


def draw(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 2, 3, generator=generator, dtype=torch.float64) for _ in range(2)]


def test_noising_starts_at_the_sample_and_ends_at_the_noise():
    x0, noise = draw(1)
    assert torch.equal(add_noise(x0, noise, torch.tensor([0]), SCHEDULE), x0)
    assert (add_noise(x0, noise, torch.tensor([1000]), SCHEDULE) - noise).abs().max() < 0.01 * x0.abs().max()


def test_noising_mixes_by_the_roots_of_alpha_bar():
    x0, noise = draw(2)
    signal = SCHEDULE.alpha_bar[[3, 700]].tolist()
    expected = torch.stack([a**0.5 * x + (1 - a) ** 0.5 * e for a, x, e in zip(signal, x0, noise, strict=True)])
    torch.testing.assert_close(add_noise(x0, noise, torch.tensor([3, 700]), SCHEDULE), expected)


@pytest.mark.parametrize("kind", ["epsilon", "x0", "v"])
@given(t=steps)
def test_a_perfect_prediction_of_every_kind_leads_back_to_the_sample(kind, t):
    t = torch.tensor(t)
    x0, noise = draw(len(t))
    alpha_bar = SCHEDULE.alpha_bar[t].view(-1, 1, 1)
    perfect = {"epsilon": noise, "x0": x0, "v": alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * x0}[kind]
    x_t = add_noise(x0, noise, t, SCHEDULE)
    torch.testing.assert_close(to_x0(perfect, x_t, t, SCHEDULE, kind), x0, rtol=0, atol=1e-10)


@given(t=steps)
def test_sample_and_noise_determine_each_other(t):
    t = torch.tensor(t)
    x0, noise = draw(len(t))
    x_t = add_noise(x0, noise, t, SCHEDULE)
    torch.testing.assert_close(implied_noise(x0, x_t, t), noise, rtol=0, atol=1e-10)


@given(t=steps)
def test_an_unclipped_weight_turns_the_x0_error_into_the_noise_error(t):
    t = torch.tensor(t)
    x0, noise = draw(len(t))
    estimate = draw(len(t), seed=1)[0]
    x_t = add_noise(x0, noise, t, SCHEDULE)
    weight = Objective(SCHEDULE, weight_range=(0.0, math.inf)).weight(t, x0)
    noise_error = (implied_noise(estimate, x_t, t) - noise).square()
    torch.testing.assert_close(weight * (estimate - x0).square(), noise_error, rtol=1e-8, atol=1e-12)


@given(t=steps, low=st.floats(0, 2), width=st.floats(0, 10))
def test_weights_stay_in_their_range_and_fall_with_the_noise(t, low, width):
    t = torch.tensor(sorted(t))
    weight = Objective(SCHEDULE, weight_range=(low, low + width)).weight(t, torch.zeros(len(t), 1, dtype=torch.float64))
    assert weight.min() >= low and weight.max() <= low + width
    assert (weight.flatten().diff() <= 0).all()


@pytest.mark.parametrize(
    "name, value",
    [
        ("prediction", "score"),
        ("weight_range", (-1.0, 5.0)),
        ("weight_range", (5.0, 0.5)),
        ("weight_range", (0.0, math.nan)),
    ],
    ids=str,
)
def test_an_impossible_objective_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        Objective(**{name: value})


def test_an_unknown_kind_of_prediction_is_refused_by_name():
    x0, x_t = draw(1)
    with pytest.raises(ValueError, match="^kind: got 'score'"):
        to_x0(x0, x_t, torch.tensor([1]), SCHEDULE, "score")


@pytest.mark.parametrize("t", [-1, 1001])
def test_steps_outside_the_schedule_are_refused_by_name(t):
    with pytest.raises(ValueError, match="^t: got"):
        add_noise(*draw(1), torch.tensor([t]), SCHEDULE)
