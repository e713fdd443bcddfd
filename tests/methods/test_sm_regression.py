import math
from dataclasses import replace

import pytest
import torch

from mpinotes.methods import METHODS, sm_regression, sm_synthesis
from mpinotes.methods.sm_synthesis import SynthesisConfig
from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.physics import order_patterns
from mpinotes.training import TrainConfig, train

CONFIG = SynthesisConfig(UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16), blocks=1))
ORDERED = SynthesisConfig(CONFIG.network, condition_on_order=True)
ORDERS = torch.tensor([[1, 1], [2, 1], [0, 3], [4, 2]])
LOW = torch.rand(4, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
TURN = torch.polar(torch.ones(8), torch.arange(8.0)).view(4, 2, 1, 1)
LOW = LOW * TURN
HIGH = -0.5 * LOW


DRAWN = sm_synthesis.to_training_channels((LOW, HIGH, ORDERS), torch.Generator().manual_seed(0))


class Halved(torch.nn.Module):
    """The exact map of these pairs; keeps what it has seen."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def forward(self, x, t):
        assert not t.any()
        self.seen.append(x)
        return -0.5 * x[:, 4:8]


def compute_loss(model, config=CONFIG):
    return sm_regression.loss(model, DRAWN, config)["total"].item()


def test_the_exact_map_has_no_loss_and_synthesises_exactly_at_any_phase():
    assert compute_loss(Halved()) < 1e-12
    for low, high in ((LOW, HIGH), (1j * LOW, 1j * HIGH)):
        torch.testing.assert_close(sm_regression.synthesise(Halved(), low, ORDERS, CONFIG), high, atol=1e-5, rtol=0)


@pytest.mark.parametrize("config, patterns", [(CONFIG, 0), (ORDERED, 1)], ids=["plain", "ordered"])
def test_one_call_sees_the_condition_and_the_patterns_and_no_sample(config, patterns):
    model = Halved()
    sm_regression.synthesise(model, LOW, ORDERS, config)
    (seen,) = model.seen
    assert seen.shape == (4, 12, 8, 8)
    torch.testing.assert_close(seen[:, 4:8].square().sum((1, 2, 3)), LOW.abs().square().sum((1, 2, 3)))
    assert not seen[:, :4].any() and not seen[:, 8:10].any()
    torch.testing.assert_close(seen[:, 10:], patterns * order_patterns(ORDERS, (8, 8)))


def test_the_loss_of_an_untrained_network_is_the_power_of_the_target():
    power = HIGH.abs().square().mean().item() / 2  # real and imaginary parts count apart
    assert compute_loss(seeded_network(CONFIG.network, 0)) == pytest.approx(power, rel=1e-5)


def test_a_short_training_comes_closer():
    model = seeded_network(CONFIG.network, 0)
    training = TrainConfig(16, learning_rate=1e-2, warmup=2)
    method = replace(METHODS["sm_unet"], config=CONFIG)
    *_, state = train(model, method, (LOW, HIGH, ORDERS), training, device=torch.device("cpu"))
    assert sum(state.history[-4:]) < 0.8 * sum(state.history[:4])


@pytest.mark.parametrize(
    "name, low",
    [
        ("low: got 2 channels of torch.float32", LOW.real),
        ("low: got shape", LOW[0]),
        ("low: got moduli", 2 * LOW),
        ("low: got NaN", LOW * math.nan),
        ("orders: got shape", LOW[:2]),
    ],
)
def test_low_components_that_are_none_are_refused_by_name(name, low):
    with pytest.raises(ValueError, match=f"^{name}"):
        sm_regression.synthesise(Halved(), low, ORDERS, CONFIG)
