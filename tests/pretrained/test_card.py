import json
from dataclasses import asdict, replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from mpinotes.diffusion import Objective, Schedule
from mpinotes.methods import METHODS
from mpinotes.methods.adversarial import AdversarialConfig
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.methods.regression import RegressionConfig
from mpinotes.methods.sm_synthesis import SynthesisConfig
from mpinotes.networks import EDSRConfig, ESRGANConfig, UNetConfig
from mpinotes.operators import Degradation
from mpinotes.pretrained.card import from_dict
from mpinotes.training import TrainConfig


@pytest.mark.parametrize(
    "config",
    [
        DCCDMConfig(Degradation((0.1, 1.2, 0.3), scale=1.1)),
        SynthesisConfig(),
        AdversarialConfig(),
        RegressionConfig(UNetConfig(in_channels=1)),
        RegressionConfig(EDSRConfig(), "l1"),
    ],
)
def test_a_configuration_survives_json(config):
    assert from_dict(type(config), json.loads(json.dumps(asdict(config)))) == config


def test_unknown_fields_are_refused():
    with pytest.raises(TypeError, match="colour"):
        from_dict(SynthesisConfig, {"colour": "red"})


def method(**values):
    return replace(METHODS["dccdm"], **values)


@pytest.mark.parametrize(
    ("made", "given", "plain"),
    [
        (TrainConfig, {"steps": np.int64(3), "seed": torch.tensor(3)}, {"steps": 3, "seed": 3}),
        (TrainConfig, {"steps": 3, "learning_rate": np.float32(0.5)}, {"steps": 3, "learning_rate": 0.5}),
        (UNetConfig, {"dims": np.int64(2), "widths": np.array([8, 16])}, {"dims": 2, "widths": (8, 16)}),
        (EDSRConfig, {"width": np.int64(8), "residual_scale": np.float64(0.5)}, {"width": 8, "residual_scale": 0.5}),
        (ESRGANConfig, {"width": np.uint8(8), "growth": torch.tensor(4)}, {"width": 8, "growth": 4}),
        (Schedule, {"steps": np.int64(100), "name": np.str_("cosine")}, {"steps": 100, "name": "cosine"}),
        (Objective, {"weight_range": [np.float64(0.5), Fraction(5)]}, {"weight_range": (0.5, 5.0)}),
        (Degradation, {"sigma": np.array([0.5, 1.0, 0.5])}, {"sigma": (0.5, 1.0, 0.5)}),
        (Degradation, {"sigma": torch.tensor(0.5), "factor": np.int64(2)}, {"sigma": 0.5, "factor": 2}),
        (DCCDMConfig, {"gamma": np.float64(0.5), "residual": np.bool_(True)}, {"gamma": 0.5, "residual": True}),
        (SynthesisConfig, {"drop_probability": np.float32(0.25)}, {"drop_probability": 0.25}),
        (RegressionConfig, {"network": UNetConfig(), "norm": np.str_("l1")}, {"network": UNetConfig(), "norm": "l1"}),
        (AdversarialConfig, {"l1": torch.tensor(0.5)}, {"l1": 0.5}),
        (method, {"calls": np.int64(2)}, {"calls": 2}),
    ],
)
def test_numbers_of_numpy_and_torch_become_plain_ones(made, given, plain):
    """A card is written after the training: it must not fail then."""
    assert repr(made(**given)) == repr(made(**plain))  # np.float64(0.5) equals 0.5, but does not look like it


@pytest.mark.parametrize(
    ("config", "name"),
    [
        *((UNetConfig(), name) for name in ("dims", "in_channels", "out_channels", "blocks")),
        *((EDSRConfig(), name) for name in ("width", "blocks")),
        *((ESRGANConfig(), name) for name in ("width", "growth", "blocks", "critic_width")),
        (Schedule(), "steps"),
        (Degradation(0.5), "factor"),
        (METHODS["dccdm"], "calls"),
    ],
)
@pytest.mark.parametrize("value", [2.0, np.float64(2), True, "2"])
def test_a_count_that_is_no_whole_number_is_refused_by_its_name(config, name, value):
    with pytest.raises(ValueError, match=f"^{name}: got .*whole number"):
        replace(config, **{name: value})


def test_widths_that_are_no_whole_numbers_are_refused():
    with pytest.raises(ValueError, match="^widths: got .*multiples of 8"):
        UNetConfig(widths=(8.0, 16.0))
