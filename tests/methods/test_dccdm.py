from dataclasses import replace

import pytest
import torch

from mpinotes.diffusion import Objective
from mpinotes.methods import baselines, dccdm
from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.operators import Degradation, frequency_alignment_loss
from tests.no_values import NoValues

NETWORK = UNetConfig(widths=(8, 16), blocks=1)
CONFIG = dccdm.DCCDMConfig(Degradation(0.5), network=NETWORK, residual=False)
X_HR = torch.rand(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
X_LR = CONFIG.degradation(X_HR)


class Oracle(torch.nn.Module):
    """A network that returns a fixed answer."""

    def __init__(self, answer):
        super().__init__()
        self.answer = torch.nn.Parameter(answer)

    def forward(self, x, t):
        return self.answer


def terms(model, config):
    return dccdm.loss(model, dccdm.draw((X_LR, X_HR), torch.Generator().manual_seed(3), config), config)


def test_ddpm_is_dccdm_without_its_two_terms():
    config = baselines.ddpm(dccdm.DCCDMConfig(CONFIG.degradation))
    assert config == replace(dccdm.DCCDMConfig(CONFIG.degradation), lambda_dc=0.0, lambda_f=0.0)
    model = seeded_network(NETWORK, 0)
    plain, full = (terms(model, replace(c, network=NETWORK, residual=False)) for c in (config, CONFIG))
    assert set(plain) == {"total", "diffusion"} and set(full) == {"total", "diffusion", "consistency", "alignment"}
    assert plain["diffusion"] == plain["total"]


def test_the_total_is_the_sum_of_its_terms():
    values = terms(seeded_network(NETWORK, 0), CONFIG)
    assert values["total"].item() == pytest.approx(sum(v.item() for k, v in values.items() if k != "total"))


def test_the_truth_leaves_only_what_the_pairs_themselves_disagree_on(monkeypatch):
    monkeypatch.setattr(dccdm, "flip_together", lambda batch, generator: batch)
    values = terms(Oracle(2 * X_HR - 1), CONFIG)
    assert values["diffusion"] == 0 and values["consistency"] < 1e-10
    alpha_bar = values["alignment"] / CONFIG.lambda_f / frequency_alignment_loss(X_HR, X_LR, X_HR).mean()
    assert 0 < alpha_bar < 1


@pytest.mark.parametrize("prediction", ["epsilon", "v", "x0"])
def test_the_objective_stays_bounded_at_the_highest_noise(monkeypatch, prediction):
    config = replace(CONFIG, objective=Objective(prediction=prediction), residual=False)
    monkeypatch.setattr(dccdm, "integers", lambda low, high, shape, generator: torch.full(shape, high - 1))
    auxiliary = terms(Oracle(torch.zeros(2, 1, 8, 8, 8)), config)
    assert auxiliary["consistency"] < 1 and auxiliary["alignment"] < 1


def test_a_residual_network_of_zeros_returns_x_lr():
    config = replace(CONFIG, residual=True)
    result = dccdm.enhance(seeded_network(NETWORK, 0), X_LR, config, steps=2)
    torch.testing.assert_close(result, X_LR)
    with pytest.raises(ValueError, match="prediction with residual"):
        replace(config, objective=Objective(prediction="v"))


def test_enhance_depends_on_the_seed_alone():
    model = seeded_network(NETWORK, 0)
    torch.nn.init.normal_(model.head.weight, std=0.1)
    a, b = (dccdm.enhance(model, X_LR, CONFIG, steps=3, batch=batch) for batch in (1, 2))
    torch.testing.assert_close(a, b, atol=0.02, rtol=0)  # bfloat16 rounds differently in other batches
    assert a.min() >= 0 and a.max() <= 1 and a.shape == X_LR.shape
    assert not torch.equal(a, dccdm.enhance(model, X_LR, CONFIG, steps=3, seed=1))


@pytest.mark.parametrize("field", ["lambda_dc", "lambda_f", "gamma"])
def test_negative_weights_are_refused(field):
    with pytest.raises(ValueError, match=field):
        replace(CONFIG, **{field: -1.0})


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="x_lr"):
        dccdm.enhance(seeded_network(NETWORK, 0), X_LR[0], CONFIG, steps=2)
    with pytest.raises(ValueError, match="x_lr"):
        dccdm.draw((X_LR[:1], X_HR), torch.Generator(), CONFIG)


def test_the_low_band_can_be_pulled_to_the_truth_instead(monkeypatch):
    monkeypatch.setattr(dccdm, "flip_together", lambda batch, generator: batch)
    towards_truth = terms(Oracle(2 * X_HR - 1), replace(CONFIG, low_target="x_hr"))
    assert towards_truth["alignment"] < 1e-9 < terms(Oracle(2 * X_HR - 1), CONFIG)["alignment"]


def test_a_constant_weight_over_t_does_not_spare_the_noisy_steps(monkeypatch):
    monkeypatch.setattr(dccdm, "integers", lambda low, high, shape, generator: torch.full(shape, high - 1))
    spared, constant = (
        terms(Oracle(0 * X_HR), replace(CONFIG, time_weight=weight)) for weight in ("alpha_bar", "constant")
    )
    last = CONFIG.objective.schedule.alpha_bar[-1].item()
    for name in ("consistency", "alignment"):
        assert spared[name].item() == pytest.approx(last * constant[name].item(), rel=1e-4)


def test_a_training_step_looks_at_no_value():
    """On a GPU it would wait for all work in flight."""
    drawn = dccdm.draw((X_LR, X_HR), torch.Generator().manual_seed(0), CONFIG)
    with NoValues():
        dccdm.loss(seeded_network(NETWORK, 0), drawn, CONFIG)["total"].backward()


@pytest.mark.parametrize("field", ["low_target", "time_weight"])
def test_unknown_choices_are_refused(field):
    with pytest.raises(ValueError, match=f"{field}: got 'x'"):
        replace(CONFIG, **{field: "x"})


def test_further_images_are_a_condition_and_enter_no_term_of_the_loss():
    generator = torch.Generator().manual_seed(0)
    x_lr, x_hr = torch.rand(2, 2, 1, 8, 8, 8, generator=generator)
    images = torch.cat([x_lr, 3 * x_lr - 1], dim=1)
    narrow = dccdm.DCCDMConfig(network=UNetConfig(widths=(8, 16)))
    wide = replace(narrow, network=UNetConfig(in_channels=3, widths=(8, 16)))
    first, second = (seeded_network(config.network, seed=0) for config in (narrow, wide))
    t, noise = torch.tensor([10, 500]), torch.randn(x_hr.shape, generator=generator)
    expected = dccdm.loss(first, (x_lr, x_hr, t, noise), narrow)  # untrained networks add nothing to x_LR
    found = dccdm.loss(second, (images, x_hr, t, noise), wide)
    assert {name: value.item() for name, value in found.items()} == {k: v.item() for k, v in expected.items()}
    enhanced = dccdm.enhance(second, images, wide, steps=2)
    torch.testing.assert_close(enhanced, dccdm.enhance(first, x_lr, narrow, steps=2))
    with pytest.raises(ValueError, match="x_lr: got 2 channels, .* accepted are 1"):
        dccdm.enhance(first, images, narrow, steps=2)
