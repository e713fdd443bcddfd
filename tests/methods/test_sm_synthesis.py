import pytest
import torch

from mpinotes.diffusion import ConditionDecay
from mpinotes.methods import sm_synthesis
from mpinotes.networks import UNetConfig, seeded_network

CONFIG = sm_synthesis.SynthesisConfig(UNetConfig(dims=2, in_channels=4, out_channels=2, widths=(8, 16), blocks=1))
LOW = torch.rand(3, 2, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
HIGH = -LOW


class Negative(torch.nn.Module):
    """The exact map of these pairs: x_0 = −y, whatever x_t."""

    def __init__(self):
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(()))
        self.conditions = []

    def forward(self, x, t):
        self.conditions.append(x[:, 2:])
        return -x[:, 2:]


def test_conditions_are_dropped_at_the_stated_rate():
    model = Negative()
    low = torch.ones(4000, 2, 1, 1)
    sm_synthesis.loss(model, (low, low), torch.Generator().manual_seed(0), CONFIG)
    dropped = (model.conditions[0].flatten(1) == 0).all(1).float().mean().item()
    assert dropped == pytest.approx(0.1, abs=4 * (0.09 / 4000) ** 0.5)


def test_the_loss_of_the_exact_map_is_that_of_the_dropped_conditions():
    config = sm_synthesis.SynthesisConfig(CONFIG.network, drop_probability=0.0)
    assert sm_synthesis.loss(Negative(), (LOW, HIGH), torch.Generator().manual_seed(0), config)["total"] < 1e-4


@pytest.mark.parametrize("options", [{}, {"decay": ConditionDecay(0.0, 1.0, 1.0, 1.0, 1.0)}])
def test_synthesis_with_the_exact_map_is_exact(options):
    result = sm_synthesis.synthesise(Negative(), LOW, CONFIG, steps=5, **options)
    torch.testing.assert_close(result, HIGH, atol=0.02, rtol=0)


def test_the_network_sees_the_decayed_condition():
    model = Negative()
    decay = ConditionDecay(eta_max=0.0, w_max=1.0, w_min=0.25, sigma=1.0)
    sm_synthesis.synthesise(model, LOW, CONFIG, steps=2, decay=decay)
    first, last = model.conditions
    torch.testing.assert_close(first, LOW)
    torch.testing.assert_close(last, LOW * decay.weight(1 / 1000))


def test_wrong_input_is_refused():
    model = seeded_network(CONFIG.network, 0)
    with pytest.raises(ValueError, match="low"):
        sm_synthesis.synthesise(model, LOW[0], CONFIG, steps=2)
    with pytest.raises(ValueError, match="variant"):
        sm_synthesis.synthesise(model, LOW, CONFIG, steps=2, decay=ConditionDecay(), variant="other")
    with pytest.raises(ValueError, match="probability"):
        sm_synthesis.SynthesisConfig(drop_probability=1.5)
