import json
from dataclasses import asdict

import pytest

from mpinotes.methods.adversarial import AdversarialConfig
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.methods.regression import RegressionConfig
from mpinotes.methods.sm_synthesis import SynthesisConfig
from mpinotes.networks import EDSRConfig, UNetConfig
from mpinotes.operators import Degradation
from mpinotes.pretrained.card import from_dict


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
