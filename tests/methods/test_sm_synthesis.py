import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import AnnealedCondition, ConditionDecay, Objective
from mpinotes.methods import METHODS, sm_synthesis
from mpinotes.methods.sm_synthesis import Sampling, SynthesisConfig, align_phase, to_channels, to_components
from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.physics import order_patterns

CONFIG = SynthesisConfig(UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16), blocks=1))
EVEN = Objective(weight_range=(1.0, 1.0))
ORDERS = torch.tensor([[1, 1], [2, 1], [0, 3]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def real_components(count=3, shape=(8, 8), seed=0):
    """Images in [-1, 1] that reach 1, with no phase."""
    images = torch.rand(count, 2, *shape, generator=seeded(seed)) * 2 - 1
    return images / images.abs().amax((-2, -1), keepdim=True)


def phases(count=3, seed=5):
    angle = 2 * math.pi * torch.rand(count, 2, 1, 1, generator=seeded(seed))
    return torch.polar(torch.ones_like(angle), angle)


TURN = phases()
LOW, HIGH = real_components() * TURN, -0.5 * real_components() * TURN


class Halved(torch.nn.Module):
    """The exact map of these pairs, x_0 = −y/2, whatever x_t; keeps all that it has seen."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))
        self.seen, self.times = [], []

    def forward(self, x, t):
        self.seen.append(x)
        self.times.append(t)
        return -0.5 * x[:, 4:8]

    @property
    def conditions(self):
        return [x[:, 4:8] for x in self.seen]

    @property
    def levels(self):
        """Weight and noise level, (batch, 2), which are constant over each image."""
        assert all((x[:, 8:10] == x[:, 8:10, :1, :1]).all() for x in self.seen)
        return [x[:, 8:10, 0, 0] for x in self.seen]


class Affine(Halved):
    """x_0 = 0.1 + 0.2 y: not zero for a missing condition."""

    def forward(self, x, t):
        super().forward(x, t)
        return 0.1 + 0.2 * x[:, 4:8]


def compute_loss(model, batch, config, seed=0):
    return sm_synthesis.loss(model, sm_synthesis.draw(batch, seeded(seed), config), config)["total"]


def train_once(config, count=4000, shape=(1, 1), low=None):
    """One call of the loss on many small pairs; returns what the module has seen, and the value."""
    model, low = Halved(), real_components(count, shape) * phases(count) if low is None else low
    orders = torch.ones(len(low), 2, dtype=torch.long)
    return model, compute_loss(model, (low, -0.5 * low, orders), config)


@given(shape=st.tuples(*[st.integers(1, 4)] * 4), dtype=st.sampled_from([torch.complex64, torch.complex128]))
def test_real_channels_hold_real_and_imaginary_parts_in_turn_and_come_back(shape, dtype):
    components = torch.randn(shape, dtype=dtype, generator=seeded())
    components = components / components.abs().max()
    channels = to_channels(components)
    assert torch.equal(channels[:, ::2], components.real) and torch.equal(channels[:, 1::2], components.imag)
    torch.testing.assert_close(to_components(channels), components)
    torch.testing.assert_close(to_components(3 * channels).abs(), (3 * components.abs()).clamp_max(1))


@given(seed=st.integers(0, 1000))
def test_components_of_one_phase_are_turned_to_45_degrees_up_to_their_sign(seed):
    images = real_components(seed=seed)
    turn = align_phase(images * phases(seed=seed))
    torch.testing.assert_close(turn.abs(), torch.ones(3, 2, 1, 1))
    aligned = images * phases(seed=seed) * turn
    torch.testing.assert_close(aligned.real, aligned.imag, rtol=0, atol=1e-5)
    torch.testing.assert_close(aligned.abs(), images.abs())


def test_a_silent_component_is_turned_by_something_finite():
    assert align_phase(torch.zeros(1, 2, 3, 3, dtype=torch.complex64)).abs() == pytest.approx(1)


def test_training_pairs_keep_their_relation_and_take_either_sign():
    batch = LOW.repeat(200, 1, 1, 1), HIGH.repeat(200, 1, 1, 1), ORDERS.repeat(200, 1)
    low, high, orders = sm_synthesis.to_training_channels(batch, seeded())
    torch.testing.assert_close(high, -0.5 * low)
    assert torch.equal(orders, batch[2])
    flipped = (low[::3, ::2, 0, 0] * low[0, ::2, 0, 0] < 0).double().mean(0)
    assert ((flipped - 0.5).abs() < 4 * 0.5 / math.sqrt(200)).all()


def test_the_network_sees_sample_condition_levels_and_patterns():
    model = Halved()
    config = replace(CONFIG, condition_on_level=True, condition_on_order=True)
    sm_synthesis.synthesise(model, LOW, ORDERS, config, Sampling(steps=2))
    assert all(x.shape == (3, 12, 8, 8) for x in model.seen)
    torch.testing.assert_close(model.conditions[0], to_channels(LOW * align_phase(LOW)))
    assert all(torch.equal(levels, torch.tensor([[1.0, 0.0]] * 3)) for levels in model.levels)
    assert all(torch.equal(x[:, 10:], order_patterns(ORDERS, (8, 8))) for x in model.seen)


def test_what_a_network_does_not_get_is_zero():
    model = Halved()
    sm_synthesis.synthesise(model, LOW, ORDERS, CONFIG, Sampling(steps=2))
    seen, _ = train_once(replace(CONFIG, condition="random"))
    assert not any(x[:, 8:].any() for x in (*model.seen, *seen.seen))


@pytest.mark.parametrize("probability", [0.0, 0.1, 1.0])
def test_conditions_are_dropped_at_the_stated_rate(probability):
    """Four standard errors; a dropped condition is zero, and so are the levels that the network gets."""
    model, _ = train_once(replace(CONFIG, condition_on_level=True, drop_probability=probability))
    dropped = (model.conditions[0].flatten(1) == 0).all(1)
    tolerance = 4 * math.sqrt(probability * (1 - probability) / 4000)
    assert dropped.double().mean().item() == pytest.approx(probability, abs=tolerance)
    assert torch.equal(model.levels[0], torch.stack([(~dropped).float(), torch.zeros(4000)], dim=1))


def test_a_dropped_condition_holds_no_noise_either():
    model, _ = train_once(replace(CONFIG, condition="noised", drop_probability=1.0))
    assert not model.conditions[0].any()


def test_noise_aware_levels_are_clean_half_the_time_and_else_uniform():
    model, _ = train_once(replace(CONFIG, condition="random", condition_on_level=True, drop_probability=0.0))
    weight, level = model.levels[0].unbind(1)
    tolerance = 4 * 0.5 / math.sqrt(4000)
    for values, clean in ((weight, 1.0), (level, 0.0)):
        assert (values == clean).double().mean().item() == pytest.approx(0.5, abs=tolerance)
        rest = values[values != clean]
        for quantile in (0.25, 0.5, 0.75):
            assert (rest < quantile).double().mean().item() == pytest.approx(quantile, abs=1.5 * tolerance)
    both = ((weight == 1) & (level == 0)).double().mean().item()
    assert both == pytest.approx(0.25, abs=tolerance)  # the two are independent


def test_noise_aware_levels_are_those_of_the_condition():
    """With a silent low component the condition is level times noise; with ones, its mean is the weight's."""
    config = replace(CONFIG, condition="random", condition_on_level=True, drop_probability=0.0)
    model, _ = train_once(config, low=torch.zeros(50, 2, 24, 24, dtype=torch.complex64))
    spread = model.conditions[0].flatten(1).std(1)
    torch.testing.assert_close(spread, model.levels[0][:, 1], rtol=4 / math.sqrt(2 * 2304), atol=0)
    model, _ = train_once(config, low=torch.ones(50, 2, 24, 24, dtype=torch.complex64))
    weight, level = model.levels[0].unbind(1)
    means = model.conditions[0].mean((-2, -1)).abs() * math.sqrt(2)
    assert ((means - weight[:, None]).abs() <= 5 * math.sqrt(2) * level[:, None] / 24 + 1e-5).all()


def test_a_noised_condition_is_as_noisy_as_the_sample():
    model, _ = train_once(replace(CONFIG, condition="noised", condition_on_level=True, drop_probability=0.0))
    signal = CONFIG.objective.schedule.alpha_bar[model.times[0]].float()
    torch.testing.assert_close(model.levels[0], torch.stack([signal.sqrt(), (1 - signal).sqrt()], dim=1))


def test_an_attenuated_condition_has_the_weight_of_algorithm_2_and_no_noise():
    model, _ = train_once(replace(CONFIG, condition="attenuated", condition_on_level=True, drop_probability=0.0))
    weight = 0.5 + 0.5 * model.times[0] / 1000
    torch.testing.assert_close(model.levels[0], torch.stack([weight, torch.zeros(4000)], dim=1))
    torch.testing.assert_close(model.conditions[0].flatten(1).norm(dim=1), weight * math.sqrt(2))


def test_steps_are_drawn_from_1_to_the_last():
    times = train_once(CONFIG)[0].times[0]
    assert times.min() >= 1 and times.min() < 10 and 990 < times.max() <= 1000
    assert times.double().mean().item() == pytest.approx(500.5, abs=4 * 1000 / math.sqrt(12 * 4000))


def test_the_exact_map_has_no_loss_unless_its_condition_is_dropped():
    kept, without = (train_once(replace(CONFIG, drop_probability=p), 20, (4, 4))[1] for p in (0.0, 1.0))
    assert kept < 1e-12 and without > 0.02


def test_the_loss_of_an_untrained_network_is_the_power_of_the_target():
    config = replace(CONFIG, objective=EVEN)
    value = compute_loss(seeded_network(CONFIG.network, 0), (LOW, HIGH, ORDERS), config)
    assert value.item() == pytest.approx(HIGH.abs().square().mean().item() / 2, rel=1e-5)


def test_without_the_clip_the_loss_is_the_error_of_the_noise():
    """Line 10 of Algorithm 1: a network that says ε = 0 has a loss of ⟨ε²⟩ = 1, within 4 standard errors."""
    config = replace(CONFIG, objective=Objective(prediction="epsilon"))
    low = torch.zeros(1000, 2, 4, 4, dtype=torch.complex64)
    value = compute_loss(seeded_network(CONFIG.network, 0), (low, low, torch.ones(1000, 2).long()), config)
    assert value.item() == pytest.approx(1, abs=4 * math.sqrt(2 / 64_000))


def test_a_loss_depends_on_the_generator_alone():
    config = replace(CONFIG, condition="random", condition_on_level=True)
    first, again, other = (compute_loss(Affine(), (LOW, HIGH, ORDERS), config, seed) for seed in (0, 0, 1))
    assert first == again != other


STEADY = ConditionDecay(eta_max=0.0, w_min=1.0)


@pytest.mark.parametrize(
    "options",
    [{}, {"condition": STEADY}, {"guidance": 1.0, "seed": 3}, *({"sampler": v} for v in ("derived", "printed"))],
)
@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_synthesis_with_the_exact_map_is_exact_at_any_phase(options, dtype):
    result = sm_synthesis.synthesise(Halved(), LOW.to(dtype), ORDERS, CONFIG, Sampling(steps=5, **options))
    assert result.dtype == dtype
    torch.testing.assert_close(result, HIGH.to(dtype), atol=1e-4, rtol=0)


@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_the_exact_map_may_be_told_in_any_prediction(prediction):
    config = replace(CONFIG, objective=Objective(prediction=prediction))
    schedule = config.objective.schedule

    class Exact(Halved):
        def forward(self, x, t):
            a, x0, x_t = schedule.at(t, x), -0.5 * x[:, 4:8], x[:, :4]
            noise = (x_t - a.sqrt() * x0) / (1 - a).sqrt()
            return noise if prediction == "epsilon" else a.sqrt() * noise - (1 - a).sqrt() * x0

    result = sm_synthesis.synthesise(Exact(), LOW, ORDERS, config, Sampling(steps=5))
    torch.testing.assert_close(result, HIGH, atol=1e-3, rtol=0)


@pytest.mark.parametrize("factor", [-1, 1j, phases(seed=9)], ids=["sign", "quarter", "phases"])
def test_with_the_exact_map_turning_the_low_components_turns_the_result(factor):
    plain, turned = (
        sm_synthesis.synthesise(Halved(), x, ORDERS, CONFIG, Sampling(steps=3)) for x in (LOW, LOW * factor)
    )
    torch.testing.assert_close(turned, plain * factor, atol=1e-4, rtol=0)


def test_any_network_turns_along_with_a_small_phase():
    model = seeded_network(CONFIG.network, 0)
    torch.nn.init.normal_(model.head.weight, std=0.1, generator=seeded())
    low, turn = real_components().to(torch.complex64), torch.polar(torch.ones(()), torch.tensor(0.7))
    plain, turned = (sm_synthesis.synthesise(model, x, ORDERS, CONFIG, Sampling(steps=3)) for x in (low, low * turn))
    assert plain.abs().max() > 0.05
    torch.testing.assert_close(turned, plain * turn, atol=0.01, rtol=0)  # bfloat16 where the CPU has it


@pytest.mark.parametrize(
    "decay", [ConditionDecay(eta_max=0.0, w_min=0.25), AnnealedCondition(0.2, 0.9, scale=0.0)], ids=["decay", "cads"]
)
def test_the_network_sees_the_decayed_condition_and_its_levels(decay):
    model, signal = Halved(), CONFIG.objective.schedule.alpha_bar.tolist()
    sm_synthesis.synthesise(
        model, LOW, ORDERS, replace(CONFIG, condition_on_level=True), Sampling(steps=3, condition=decay)
    )
    for t, condition, levels in zip([1000, 500, 1], model.conditions, model.levels, strict=True):
        weight, level = (x.float() for x in decay.levels(torch.tensor(t / 1000), torch.tensor(signal[t])))
        torch.testing.assert_close(condition, weight * to_channels(LOW * align_phase(LOW)), rtol=0, atol=1e-6)
        torch.testing.assert_close(levels, torch.stack([weight, level]).expand(3, 2))


@pytest.mark.parametrize("guidance, calls", [(1.0, 3), (2.0, 6), (0.0, 6)])
def test_guidance_takes_a_second_call_without_condition(guidance, calls):
    model = Halved()
    sm_synthesis.synthesise(
        model, LOW, ORDERS, replace(CONFIG, condition_on_level=True), Sampling(steps=3, guidance=guidance)
    )
    assert len(model.seen) == calls
    for x in model.seen[1::2] if calls == 6 else []:
        assert not x[:, 4:10].any()


@pytest.mark.parametrize("guidance", [0.0, 0.5, 1.0, 3.0])
def test_guidance_goes_on_from_the_null_through_the_conditional_estimate(guidance):
    """x̂_0 = 0.1 + g · 0.2 y."""
    turn = align_phase(LOW)
    result = sm_synthesis.synthesise(Affine(), LOW, ORDERS, CONFIG, Sampling(steps=1, guidance=guidance))
    expected = 0.1 + guidance * 0.2 * to_channels(LOW * turn)
    torch.testing.assert_close(to_channels(result * turn), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("sampler", ["ddim", "derived", "printed"])
def test_the_same_seed_gives_the_same_bits_and_another_does_not(sampler):
    class Stirred(Affine):
        def forward(self, x, t):
            return super().forward(x, t) + 0.1 * x[:, :4]

    first, again, other = (
        sm_synthesis.synthesise(Stirred(), LOW, ORDERS, CONFIG, Sampling(steps=3, sampler=sampler, seed=seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again) and not torch.allclose(first, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "name, low",
    [
        ("low: got 2 channels of torch.float32", LOW.real),
        ("low: got 1 channels", LOW[:, :1]),
        ("low: got shape", LOW[0]),
        ("low: got moduli up to 1.1", 1.1 * LOW),
        ("low: got NaN", LOW * math.nan),
        ("orders: got shape", LOW[:2]),
    ],
)
def test_low_components_that_are_none_are_refused_by_name(name, low):
    with pytest.raises(ValueError, match=f"^{name}"):
        sm_synthesis.synthesise(Halved(), low, ORDERS, CONFIG, Sampling(steps=2))


@pytest.mark.parametrize(
    "name, value", [("guidance", -1.0), ("guidance", math.nan), ("sampler", "other"), ("steps", 0)]
)
def test_impossible_options_are_refused_by_name(name, value):
    options = {"steps": 2} | {name: value}
    with pytest.raises(ValueError, match=f"^{name}: got"):
        sm_synthesis.synthesise(Halved(), LOW, ORDERS, CONFIG, Sampling(**options))


@pytest.mark.parametrize(
    "name, value", [("condition", "dirty"), *[("drop_probability", p) for p in (-0.1, 1.5, math.nan)]]
)
def test_an_impossible_configuration_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        SynthesisConfig(**{name: value})


@pytest.mark.parametrize("name", ["clean", "noised", "attenuated", "random"])
@pytest.mark.parametrize("on_level", [False, True])
def test_a_method_samples_with_the_condition_its_network_knows(name, on_level):
    model = Halved()
    config = replace(CONFIG, condition=name, condition_on_level=on_level)
    replace(METHODS["sm_aware"], config=config).apply(model, LOW, ORDERS, steps=3)
    clean = to_channels(LOW * align_phase(LOW))
    met_clean = all(torch.allclose(condition, clean, atol=1e-6) for condition in model.conditions)
    assert met_clean == (on_level or name in ("clean", "random"))
