from dataclasses import replace

import pytest

from mpinotes.data import HELD_OUT_TESTS, MATRIX_SPLITS, matrix_pairs, matrix_test_pairs
from mpinotes.evaluation import component_psnr
from mpinotes.methods import MATRIX_METHODS
from mpinotes.studies import get_profile
from mpinotes.studies.synthesisers import networks, synthesisers

TITLES = {method.variant: method.title for method in MATRIX_METHODS}
PROFILE = replace(get_profile("smoke"), matrix_components=4)
SETTINGS = HELD_OUT_TESTS[:2]


@pytest.fixture(scope="module")
def test():
    return matrix_test_pairs(PROFILE, SETTINGS, 0.0)


@pytest.fixture(scope="module")
def train(test):
    return matrix_pairs(MATRIX_SPLITS["grid"].train[:2], test.orders[:4])


def test_every_method_answers_and_networks_beat_the_low_gradient_matrix(train, test, tmp_path, capsys):
    methods = synthesisers(PROFILE, "held-out diameters", train, tmp_path)
    assert "train it with `python -m mpinotes train sm_noised" in capsys.readouterr().out
    found = networks("held-out diameters", tmp_path)
    without = ["low", "pattern", "wiener", "nearest_neighbour", "refit"]
    assert list(methods) == [*without, *found] and set(found) <= set(TITLES)
    floor = component_psnr(test.low, test.high).median()
    assert all(methods[key].title == TITLES[key] for key in found)
    for key, method in methods.items():
        images = method.synthesise(test, SETTINGS)
        assert images.shape == test.high.shape and images.abs().max() <= 1 + 1e-5, key
        if key in found:
            assert component_psnr(images, test.high).median() > floor + 6, key
            assert method.calls == (1 if key.startswith("sm_unet") else PROFILE.most_calls)
        else:
            assert method.calls == 0


def test_a_split_with_the_same_training_settings_uses_the_same_networks(tmp_path):
    assert networks("grid", tmp_path).keys() == networks("held-out diameters", tmp_path).keys() != set()
    assert networks("paper", tmp_path) == {}  # released are those of the held-out diameters
