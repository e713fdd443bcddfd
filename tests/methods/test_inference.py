"""A network that is applied stays as it was."""

import pytest
import torch
from torch import nn

from mpinotes.methods import dccdm, dps, regression, sm_regression, sm_synthesis
from mpinotes.methods.inference import evaluating
from mpinotes.networks import EDSRConfig, UNetConfig, seeded_network

X_LR = torch.rand(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
LOW, ORDERS = torch.full((1, 2, 8, 8), 0.5j), torch.tensor([[2, 0]])
IMAGES = dccdm.DCCDMConfig(network=UNetConfig(widths=(8, 16)))
MATRICES = sm_synthesis.SynthesisConfig(UNetConfig(dims=2, in_channels=12, out_channels=4, widths=(8, 16)))
APPLIED = {
    "dccdm": (IMAGES.network, lambda model: dccdm.enhance(model, X_LR, IMAGES, steps=1)),
    "dps": (IMAGES.network, lambda model: dps.enhance(model, X_LR, IMAGES, steps=1)),
    "regression": (EDSRConfig(8, 1), lambda model: regression.enhance(model, X_LR)),
    "sm_regression": (MATRICES.network, lambda model: sm_regression.synthesise(model, LOW, ORDERS, MATRICES)),
    "sm_synthesis": (
        MATRICES.network,
        lambda model: sm_synthesis.synthesise(model, LOW, ORDERS, MATRICES, sm_synthesis.Sampling(steps=1)),
    ),
}


@pytest.mark.parametrize("name", APPLIED)
def test_what_is_trained_and_what_is_frozen_stays_so_in_each_part(name):
    config, apply = APPLIED[name]
    model = seeded_network(config, seed=0)
    frozen, *trained = model.children()
    frozen.eval().requires_grad_(False)
    modes = [module.training for module in model.modules()]
    apply(model)
    assert [module.training for module in model.modules()] == modes and True in modes and False in modes
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    assert all(parameter.requires_grad for part in trained for parameter in part.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_within_all_parts_evaluate_and_after_a_failure_they_do_as_before():
    model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    with pytest.raises(RuntimeError, match="interrupted"), evaluating(model):
        assert not any(module.training for module in model.modules())
        raise RuntimeError("interrupted")
    assert [module.training for module in model.modules()] == [True, True, False]


@pytest.mark.parametrize("setting", [torch.no_grad, torch.inference_mode])
def test_posterior_sampling_needs_no_gradients_of_its_caller(setting):
    model = seeded_network(IMAGES.network, seed=0)
    expected = dps.enhance(model, X_LR, IMAGES, steps=2)
    with setting():
        assert torch.equal(dps.enhance(model, X_LR.clone(), IMAGES, steps=2), expected)
