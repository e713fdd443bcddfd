"""Samplers against the exact denoiser of Gaussian data, whose posterior mean is known."""

import math

import pytest
import torch

from mpinotes.diffusion import ANCESTRAL, ReverseStep, Schedule, sample, sample_path

MEAN, SPREAD, COUNT = 2.0, 0.5, 20_000
MONTE_CARLO = 5 * SPREAD / math.sqrt(COUNT)  # five standard errors of the mean; those of the spread are smaller
every_schedule = pytest.mark.parametrize("name", ["linear", "cosine"])


def gaussian_denoiser(schedule):
    """E[x_0 | x_t] for x_0 ~ N(MEAN, SPREAD²)."""

    def denoise(x, t):
        a = schedule.at(t, x)
        return MEAN + a.sqrt() * SPREAD**2 / (a * SPREAD**2 + 1 - a) * (x - a.sqrt() * MEAN)

    return denoise


def ddim_statistics(schedule, steps):
    """Exact mean and standard deviation: DDIM with an affine denoiser is an affine map of x_T ~ N(0, 1)."""
    start = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    at_zero, at_one = sample(gaussian_denoiser(schedule), start, schedule, steps=steps).flatten().tolist()
    return at_zero, at_one - at_zero


def ddpm_samples(schedule, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(COUNT, 1, generator=generator, dtype=torch.float64)
    return sample(gaussian_denoiser(schedule), start, schedule, steps=steps, step=ANCESTRAL, generator=generator)


@every_schedule
def test_ddim_over_all_steps_draws_from_the_data(name):
    """The mean lacks what x_T still holds of the signal, √α̅_T < 0.7 %; 1000 steps cost the spread 0.5 %."""
    mean, spread = ddim_statistics(Schedule(name, 1000), 1000)
    assert mean == pytest.approx(MEAN, rel=0.005)
    assert spread == pytest.approx(SPREAD, rel=0.005)


@every_schedule
def test_respaced_ddim_keeps_the_mean_and_loses_little_of_the_spread(name):
    """An error of first order in the step: 20 times larger than with all steps, always too narrow."""
    mean, spread = ddim_statistics(Schedule(name, 1000), 50)
    assert mean == pytest.approx(MEAN, rel=0.005)
    assert 0.92 * SPREAD < spread < SPREAD


@every_schedule
def test_halving_the_step_halves_the_error_of_ddim(name):
    errors = [SPREAD - ddim_statistics(Schedule(name, 1000), steps)[1] for steps in (50, 100, 200)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.25)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.25)


@every_schedule
def test_ddpm_over_all_steps_draws_from_the_data(name):
    """1000 steps with the posterior variance narrow the spread by 1 % at most."""
    x = ddpm_samples(Schedule(name, 1000), 1000)
    assert x.mean().item() == pytest.approx(MEAN, abs=MONTE_CARLO)
    assert x.std().item() == pytest.approx(SPREAD, abs=MONTE_CARLO + 0.01 * SPREAD)


@every_schedule
def test_respaced_ddpm_keeps_the_mean_and_loses_little_of_the_spread(name):
    """The posterior variance of point-like data is too small for wide data: first order in the step."""
    x = ddpm_samples(Schedule(name, 1000), 50)
    assert x.mean().item() == pytest.approx(MEAN, abs=MONTE_CARLO)
    assert 0.85 * SPREAD < x.std().item() < SPREAD


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_a_denoiser_that_knows_the_answer_is_obeyed_exactly(eta):
    schedule, answer = Schedule("linear", 100), torch.rand(3, 1, 2, 2)
    result = sample(lambda x, t: answer, torch.randn(3, 1, 2, 2), schedule, steps=7, step=ReverseStep(eta))
    assert torch.equal(result, answer)


def test_the_same_generator_gives_the_same_bits_and_another_does_not():
    schedule = Schedule("linear", 100)
    first, again, other = (ddpm_samples(schedule, 10, seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_ddim_draws_no_random_numbers():
    schedule, generator = Schedule("linear", 100), torch.Generator().manual_seed(0)
    before = generator.get_state()
    sample(gaussian_denoiser(schedule), torch.zeros(2, 1), schedule, steps=10, generator=generator)
    assert torch.equal(generator.get_state(), before)


def test_the_denoiser_is_called_once_per_kept_step_with_that_step():
    schedule, seen = Schedule("linear", 100), []

    def denoise(x, t):
        seen.append(t.tolist())
        return x

    path = list(sample_path(denoise, torch.zeros(2, 1), schedule, steps=4))
    assert seen == [[t, t] for t in schedule.kept_steps(4)]
    assert [state.t for state in path] == [*schedule.kept_steps(4)[1:], 0]


def test_every_state_holds_the_estimate_it_was_made_from():
    schedule = Schedule("linear", 100)
    denoise = gaussian_denoiser(schedule)
    x = torch.tensor([[0.3]], dtype=torch.float64)
    for t, state in zip(schedule.kept_steps(5), sample_path(denoise, x, schedule, steps=5), strict=True):
        assert torch.equal(state.x0, denoise(x, torch.tensor([t])))
        x = state.x
    assert torch.equal(state.x, state.x0)


def test_sampling_keeps_no_gradients_and_the_dtype():
    weight = torch.ones(1, requires_grad=True)
    result = sample(lambda x, t: weight * x, torch.ones(1, 1), Schedule(steps=10), steps=2)
    assert not result.requires_grad and result.dtype == torch.float32


@pytest.mark.parametrize("eta", [-0.1, 1.1, math.nan])
def test_an_eta_outside_its_range_is_refused_by_name(eta):
    with pytest.raises(ValueError, match="^eta: got"):
        ReverseStep(eta)


@pytest.mark.parametrize("steps", [0, 11, -1])
def test_more_or_fewer_steps_than_the_schedule_has_are_refused(steps):
    with pytest.raises(ValueError, match=f"^steps: got {steps}"):
        sample(lambda x, t: x, torch.zeros(1, 1), Schedule(steps=10), steps=steps)


@pytest.mark.parametrize("alpha_bar_t, alpha_bar_prev", [(0.1, 0.4), (0.4, 0.9), (0.9, 1.0)])
def test_an_ancestral_step_has_the_mean_of_ho_et_al(alpha_bar_t, alpha_bar_prev):
    """Eq. (11), which is written in α_t and ε, without its noise."""
    x, x0 = torch.randn(2, 3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    alpha = alpha_bar_t / alpha_bar_prev
    noise = (x - math.sqrt(alpha_bar_t) * x0) / math.sqrt(1 - alpha_bar_t)
    mean = (x - (1 - alpha) / math.sqrt(1 - alpha_bar_t) * noise) / math.sqrt(alpha)
    spread = math.sqrt((1 - alpha_bar_prev) / (1 - alpha_bar_t) * (1 - alpha))
    z = torch.randn(3, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    result = ANCESTRAL(x, x0, alpha_bar_t, alpha_bar_prev, torch.Generator().manual_seed(1))
    torch.testing.assert_close(result, mean + spread * z, rtol=1e-12, atol=1e-12)


def test_a_misfit_moves_each_item_against_its_own_gradient():
    """With x̂_0 = x_t / 2 and the misfit c ‖x̂_0‖², its gradient is c x_t / 2."""
    schedule, weight = Schedule(steps=10), torch.tensor([1.0, 3.0])
    start = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    options = {"schedule": schedule, "steps": 1}
    plain, pulled = (
        next(sample_path(lambda x, t: x / 2, start, misfit=misfit, **options)).x
        for misfit in (None, lambda x0: weight * x0.square().sum(1))
    )
    torch.testing.assert_close(plain - pulled, weight[:, None] * start / 2)
    assert not pulled.requires_grad and not start.requires_grad
    with torch.no_grad():
        assert torch.equal(
            sample(lambda x, t: x / 2, start, misfit=lambda x0: weight * x0.square().sum(1), **options), pulled
        )
