import pytest
import torch

from mpinotes.networks import Discriminator, ESRGANConfig, seeded_network
from tests.no_values import NoValues

SMALL = ESRGANConfig(width=8, growth=4, blocks=2, critic_width=4)


def test_an_untrained_generator_says_nothing_and_keeps_the_shape():
    x = torch.randn(2, 1, 4, 6, 8)
    output = seeded_network(SMALL, 0)(x)
    assert output.shape == x.shape and not output.any()


def test_every_weight_of_the_generator_acts():
    model = seeded_network(SMALL, 0)
    torch.nn.init.normal_(model.tail.weight)
    model(torch.randn(1, 1, 8, 8, 8)).square().sum().backward()
    assert all(parameter.grad.any() for parameter in model.parameters())


def test_the_discriminator_scores_each_volume_alone():
    x = torch.randn(3, 1, 8, 8, 8)
    critic = Discriminator(SMALL)
    scores, features = critic(x)
    assert scores.shape == (3,) and [f.shape[1] for f in features] == [4, 8, 16, 16]
    torch.testing.assert_close(critic(x[1:2])[0], scores[1:2])


@pytest.mark.parametrize("build", [lambda: seeded_network(SMALL, 0), lambda: Discriminator(SMALL)])
def test_wrong_shapes_are_refused(build):
    with pytest.raises(ValueError, match="x: got shape"):
        build()(torch.zeros(1, 1, 4, 4, 5))


def test_a_training_step_looks_at_no_value():
    generator, critic = seeded_network(SMALL, 0), Discriminator(SMALL)
    with NoValues():
        critic(generator(torch.randn(1, 1, 8, 8, 8)))[0].sum().backward()
