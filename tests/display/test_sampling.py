import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from mpinotes.data import HELD_OUT_TESTS, matrix_pairs
from mpinotes.diffusion import ConditionDecay, Objective, Schedule
from mpinotes.display import explore_sampling, network_file
from mpinotes.display.sampling import decay_curves
from mpinotes.methods import load


@pytest.fixture(scope="module")
def networks():
    return {"Algorithm 1": load("sm_algorithm1"), "noise-aware": load("sm_aware")}


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs([HELD_OUT_TESTS[1]], torch.tensor([[3, 2], [8, 3]]), phase_seed=1)


@pytest.fixture(scope="module")
def explorer(networks, pairs):
    return explore_sampling(networks, pairs, alt="A component, sampled")


def test_the_live_figure_follows_every_control(explorer):
    *controls, picture = explorer.live.children
    for control in controls:
        before = picture.value
        options = getattr(control, "options", None)
        if options is None:
            control.value = control.min if control.value == control.max else control.max
        else:
            control.value = options[0] if control.value == options[-1] else options[-1]
        assert picture.value != before, control.description


def test_the_callers_network_stays_as_it_was(networks, pairs):
    model = networks["Algorithm 1"].model
    model.train()
    explore_sampling({"Algorithm 1": networks["Algorithm 1"]}, pairs, decay=False, alt="A component")
    assert model.training
    model.eval()


def test_other_networks_and_none_are_refused(networks, pairs):
    with pytest.raises(ValueError, match="^networks: got 'a regression', a U-Net regression"):
        explore_sampling({"a regression": load("sm_unet")}, pairs, alt="A component")
    with pytest.raises(ValueError, match="^networks: got 0"):
        explore_sampling({}, pairs, alt="A component")
    schedule = Schedule("cosine")
    config = replace(networks["noise-aware"].config, objective=Objective(schedule=schedule))
    other = replace(networks["noise-aware"], method=replace(networks["noise-aware"].method, config=config))
    with pytest.raises(ValueError, match="^networks: got 2"):
        explore_sampling({**networks, "noise-aware": other}, pairs, alt="A component")


def test_without_a_decay_there_is_neither_slider_nor_curve_nor_noise_for_it(networks, pairs):
    plain = explore_sampling({"Algorithm 1": networks["Algorithm 1"]}, pairs, decay=False, alt="A component")
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', plain.static)
    assert names == ["component", "sampler", "calls", "seed"]


def test_the_curves_stand_at_every_kept_step(explorer):
    data = json.loads(re.search(r"\nattach\((.*)\);\n}\)\(\);", explorer.static).group(1))
    progress = np.array(data["curves"]["x"])
    for sampler in data["sampling"]["samplers"].values():
        for steps in sampler["steps"]:
            for step in steps:
                assert progress[step["at"]] == pytest.approx(step["t"] / 1000, abs=1e-9)


def test_the_curves_are_those_of_the_package():
    progress = np.array([0.0, 0.3, 1.0])
    numbers = {"eta_max": 0.3, "gamma": 1.75, "w_max": 1.4, "w_min": 0.2, "sigma": 2.5}
    level, weight = decay_curves(progress, **numbers).values()
    decay = ConditionDecay(**numbers)
    np.testing.assert_allclose(level, [decay.eta(float(p)) for p in progress])
    np.testing.assert_allclose(weight, [decay.weight(float(p)) for p in progress])


def test_a_file_holds_all_weights_in_half_precision_and_their_sum(networks):
    text = network_file("other", networks["noise-aware"])
    content = json.loads(re.search(r"\|\| \{\}, (\{.*\})\);\n$", text).group(1))["other"]
    parameters = sum(parameter.numel() for parameter in networks["noise-aware"].model.parameters())
    assert sum(int(np.prod(shape)) for _, shape in content["index"].values()) == parameters
    assert content["sum"] == zlib.adler32(content["halves"].encode())
    assert len(text) < 1.05 * parameters * 2 * 4 / 3
