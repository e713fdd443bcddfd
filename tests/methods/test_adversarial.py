from dataclasses import replace

import pytest
import torch

from mpinotes.methods import METHODS, adversarial
from mpinotes.networks import ESRGANConfig, seeded

CONFIG = adversarial.AdversarialConfig(ESRGANConfig(width=8, growth=4, blocks=1, critic_width=4))
X_HR = torch.rand(4, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
X_LR = X_HR / 2


def players():
    model = seeded(lambda: adversarial.Adversaries(CONFIG.network), 0)
    torch.nn.init.normal_(model.generator.tail.weight, std=0.1)
    return model


def gradients(module):
    return torch.cat([p.grad.flatten() if p.grad is not None else torch.zeros(p.numel()) for p in module.parameters()])


@pytest.mark.parametrize("name", ["l1", "features", "adversarial", "discriminator"])
def test_each_player_gets_the_gradient_of_its_own_terms_alone(name):
    model = players()
    adversarial.loss(model, (X_LR, X_HR), 1.0, CONFIG)[name].backward()
    own, other = model.generator, model.discriminator
    if name == "discriminator":
        own, other = other, own
    assert gradients(own).any() and not gradients(other).any()


def test_in_pretraining_the_generator_learns_by_l1_alone():
    model, config = players(), replace(CONFIG, pretraining=0.5)
    names = [list(adversarial.loss(model, (X_LR, X_HR), progress, config)) for progress in (0.0, 0.49, 0.5)]
    assert names[0] == names[1] == ["total", "l1"] and "discriminator" in names[2]


def test_a_loss_leaves_the_model_as_it_was():
    model = players()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    adversarial.loss(model, (X_LR, X_HR), 1.0, CONFIG)
    assert before.keys() == model.state_dict().keys()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_both_players_are_trained_and_the_generator_is_kept():
    method = METHODS["esrgan"]
    model = method.build(seed=0)
    assert method.network(model) is model.generator
    assert {name.split(".")[0] for name in model.state_dict()} == {"generator", "discriminator"}


def test_one_weight_scales_both_sides_of_the_game():
    # The loop clips the gradient of both players as one: at weight 1 the discriminator's would drown the generator's.
    terms = [
        adversarial.loss(players(), (X_LR, X_HR), 1.0, replace(CONFIG, adversarial=weight)) for weight in (0.01, 0.03)
    ]
    for name in ("adversarial", "discriminator"):
        torch.testing.assert_close(terms[1][name], 3 * terms[0][name])


def test_the_relativistic_loss_of_equal_scores_is_log_2_and_falls_for_the_winner():
    scores = torch.zeros(4)
    assert adversarial.relativistic(scores, scores).item() == pytest.approx(0.6931, abs=1e-4)
    assert adversarial.relativistic(scores + 3, scores) < 0.1 < 2 < adversarial.relativistic(scores - 3, scores)


def test_negative_weights_are_refused():
    for name in ("features", "pretraining"):
        with pytest.raises(ValueError, match=name):
            adversarial.AdversarialConfig(**{name: -1})
