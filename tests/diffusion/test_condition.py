import pytest
import torch

from mpinotes.diffusion import ConditionDecay, ConstantCondition, Schedule, conditioned, guided, perturb, sample_path

FADING = ConditionDecay(eta_max=0.4, gamma=2.0, w_max=1.5, w_min=0.25, sigma=0.5)


def start(count=3, seed=7):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(count, 2, generator=generator, dtype=torch.float64) for _ in range(3)]


def test_the_levels_of_steps_are_those_of_their_progress_and_signal():
    schedule, t = Schedule(steps=10), torch.tensor([10, 6, 1])
    expected = FADING.levels(t.double() / 10, schedule.alpha_bar[t])
    assert torch.equal(FADING.at(t, schedule), torch.stack(expected, dim=1))


@pytest.mark.parametrize("t", [-1, 11])
def test_steps_that_the_schedule_lacks_have_no_levels(t):
    with pytest.raises(ValueError, match="^t: got .* accepted are steps from 0 to 10"):
        FADING.at(torch.tensor([t]), Schedule(steps=10))


def test_a_condition_is_weighed_and_noise_of_its_level_added():
    condition, noise = torch.ones(2, 4, 2, 2), torch.full((2, 4, 2, 2), 10.0)
    result = perturb(condition, noise, torch.tensor([[0.5, 0.2], [1.0, 0.0]], dtype=torch.float64))
    assert result.dtype == torch.float32
    torch.testing.assert_close(result[:, 0, 0, 0], torch.tensor([2.5, 1.0]))


def test_the_denoiser_gets_the_perturbed_condition_and_its_levels_at_every_step():
    schedule, (x, condition, noise) = Schedule(steps=10), start()
    seen = []

    def listening(x, t, condition, levels):
        seen.append((t.tolist(), condition, levels))
        return x

    list(sample_path(conditioned(listening, condition, FADING, schedule, noise), x, schedule, steps=3))
    for (steps, entered, levels), t in zip(seen, (10, 6, 1), strict=True):
        weight, level = FADING.weight(t / 10), FADING.weight(t / 10) * FADING.eta(t / 10)
        assert steps == [t] * 3
        torch.testing.assert_close(levels, torch.tensor([[weight, level]] * 3, dtype=torch.float64))
        torch.testing.assert_close(entered, weight * condition + level * noise)


def test_a_constant_condition_changes_nothing():
    schedule, (x, condition, noise) = Schedule(steps=10), start()
    denoise = conditioned(lambda x, t, y, levels: x + y, condition, ConstantCondition(), schedule, noise)
    assert torch.equal(denoise(x, torch.tensor([7, 7, 7])), x + condition)


@pytest.mark.parametrize("scale", [0.0, 1.0, 2.5])
def test_guidance_extrapolates_from_the_unconditional_estimate(scale):
    denoise = guided(lambda x, t: 3 * x, lambda x, t: x, scale)
    torch.testing.assert_close(denoise(torch.ones(2, 1), torch.tensor([1, 1])), torch.full((2, 1), 1 + 2 * scale))
