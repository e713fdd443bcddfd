import pytest
import torch

from mpinotes.data import HELD_OUT_TESTS, matrix_pairs
from mpinotes.diffusion import ANCESTRAL, DDIM, ConditionDecay, PrintedStep, Schedule, posterior_deviation, sample_path
from mpinotes.display.portable import portable_normal
from mpinotes.display.sampling import NOISES, make_example
from mpinotes.display.synthesis import Comparison, ConditionedEstimate, gaussian_path, kept_steps, walk
from mpinotes.evaluation import component_psnr
from mpinotes.methods import load, sm_synthesis
from mpinotes.networks import UNetConfig, seeded_network

SCHEDULE = Schedule()


@pytest.mark.parametrize("calls", [1, 5])
@pytest.mark.parametrize("sampler", ["ddim", "derived", "printed"])
def test_the_weights_of_a_step_are_those_of_the_package(sampler, calls):
    x, x0, z = (torch.randn(5, dtype=torch.float64) for _ in range(3))
    steps = kept_steps(sampler, SCHEDULE, calls)
    for step, after in zip(steps, [*(step.t for step in steps[1:]), 0], strict=True):
        signal, later = (SCHEDULE.alpha_bar[t].item() for t in (step.t, after))
        a, b, c = step.weights
        if sampler == "printed":
            expected = PrintedStep(z)(x, x0, signal, later, None)
        else:  # DDIM has no noise; that of the ancestral step is known
            generator = torch.Generator().manual_seed(1)
            expected = (DDIM if sampler == "ddim" else ANCESTRAL)(x, x0, signal, later, generator)
            drawn = torch.randn(5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
            expected = expected + c * (z - drawn)
            assert c == pytest.approx(posterior_deviation(signal, later) if sampler == "derived" else 0.0)
        torch.testing.assert_close(a * x + b * x0 + c * z, expected)


@pytest.mark.parametrize("sampler", ["ddim", "printed"])
def test_a_walk_is_a_path_of_the_package(sampler):
    config = sm_synthesis.SynthesisConfig(
        network=UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16)), condition_on_level=True
    )
    network, decay = seeded_network(config.network, seed=0), ConditionDecay(eta_max=0.3, w_min=0.2)
    torch.nn.init.normal_(network.head.weight, std=0.1)
    y, orders = torch.randn(1, 4, 8, 8), torch.tensor([[3, 2]])
    start, noise, z = (portable_normal((1, 4, 8, 8), 7, stream) for stream in range(3))

    def denoise(x, t):
        levels = decay.at(t, SCHEDULE).float()
        entered = levels[:, :1, None, None] * y + levels[:, 1:, None, None] * noise
        seen = sm_synthesis.to_input(x, entered, levels, orders, config)
        return network(seen, t).clamp(-1, 1)

    with torch.no_grad():
        step = DDIM if sampler == "ddim" else PrintedStep(z)
        expected = list(sample_path(denoise, start, SCHEDULE, steps=4, step=step))
    steps = kept_steps(sampler, SCHEDULE, 4)
    levels = [(decay.weight(step.t / 1000), decay.eta(step.t / 1000)) for step in steps]
    estimate = ConditionedEstimate(network, config)
    found = list(walk(estimate, y, orders, steps, levels, one_noise=sampler == "printed", seed=7))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.x, other.x, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(one.x0, other.x0, rtol=1e-4, atol=1e-5)


def test_an_ancestral_walk_takes_new_noise_at_every_step_and_a_printed_one_does_not():
    config = sm_synthesis.SynthesisConfig()
    estimate = ConditionedEstimate(seeded_network(config.network, seed=0), config)  # it answers zeros
    y, orders = torch.zeros(1, 4, 8, 8), torch.tensor([[3, 2]])
    for sampler, streams in (("derived", (3, 4)), ("printed", (2, 2))):
        steps = kept_steps(sampler, SCHEDULE, 3)
        found = list(walk(estimate, y, orders, steps, [(1.0, 0.0)] * 3, one_noise=sampler == "printed", seed=1))
        x = portable_normal((1, 4, 8, 8), 1, 0)
        for state, step, stream in zip(found, steps, streams, strict=False):
            x = step.weights[0] * x + step.weights[2] * portable_normal((1, 4, 8, 8), 1, stream)
            torch.testing.assert_close(state.x, x)


def test_the_comparison_is_that_of_the_package():
    truth, sample = (torch.randn(1, 2, 8, 8, dtype=torch.complex64) for _ in range(2))
    turn = torch.polar(torch.ones(1, 2), torch.tensor([[0.4, -2.0]]))
    real, cut, error, psnr = Comparison()(
        sm_synthesis.to_channels(sample), torch.view_as_real(turn), sm_synthesis.to_channels(truth)
    )
    turned = sample * turn[:, :, None, None]
    kept = turned / turned.abs().clamp_min(1)
    torch.testing.assert_close(real, turned.real)
    torch.testing.assert_close(cut, kept.real)
    torch.testing.assert_close(error, (kept - truth).abs())
    torch.testing.assert_close(psnr.flatten().double(), component_psnr(kept, truth), rtol=1e-5, atol=1e-5)


def test_the_released_network_sharpens_a_component_in_the_explorers_way():
    pairs = matrix_pairs([HELD_OUT_TESTS[1]], torch.tensor([[8, 3]]), phase_seed=3)
    example = make_example(pairs, 0, NOISES)
    trained = load("sm_algorithm1")
    steps = kept_steps("ddim", SCHEDULE, 4)
    estimate = ConditionedEstimate(trained.model, trained.config)
    for noise in NOISES:
        condition, turn = example.conditions[noise], example.turns[noise]
        *_, last = walk(estimate, condition, example.orders, steps, [(1.0, 0.0)] * 4, one_noise=False, seed=0)
        before, after = (Comparison()(x, turn, example.truth)[3].mean() for x in (condition, last.x))
        assert after > before + 5


def test_an_exact_gaussian_ends_where_it_should():
    x = torch.linspace(-3, 3, 601, dtype=torch.float64)
    states = gaussian_path(0.5, 0.2, SCHEDULE, 4, x)
    for state, mean, deviation in ((states[0], 0.0, 1.0), (states[-1], 0.5, 0.2)):
        density = torch.tensor(state["density"], dtype=torch.float64)
        found = torch.trapezoid(density * x, x)
        assert found == pytest.approx(mean, abs=5e-3)
        assert torch.trapezoid(density * (x - found) ** 2, x).sqrt() == pytest.approx(deviation, rel=0.02)
    assert states[-1]["gain"] == pytest.approx(1.0) and states[0]["gain"] < 1e-2
    assert states[0]["offset"] == pytest.approx(0.5, abs=1e-2)
