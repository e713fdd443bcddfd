import math
from dataclasses import replace

import pytest
import torch

from mpinotes.data import MATRIX_SPLITS, MatrixSetting, MatrixSplit, add_calibration_noise
from mpinotes.evaluation import component_psnr
from mpinotes.methods import METHODS, recipes
from mpinotes.methods.recipes import (
    CALIBRATION_NOISE,
    MATRIX_CONFIGS,
    MATRIX_SUFFIXES,
    TRAIN_SEED,
    matrix_test_pairs,
    matrix_train_pairs,
)
from mpinotes.studies import get_profile

PROFILE = replace(get_profile("smoke"), matrix_settings=1, matrix_components=2)
MATRIX_METHODS = [*MATRIX_CONFIGS, "sm_unet", "sm_unet_ordered"]
SETTING, TEST_SETTING = MatrixSetting(22e-9, 25e3, 49), MatrixSetting(24e-9, 25e3, 59)


@pytest.fixture
def splits_asked_for(monkeypatch):
    """Every split becomes one small core to train on and another to test on; keeps the names."""
    names = []
    split = MatrixSplit((SETTING,), (TEST_SETTING,))
    monkeypatch.setattr(recipes, "matrix_split", lambda name: names.append(name) or split)
    return names


def low_in_volts(pairs):
    return pairs.low * pairs.low_scale[..., None, None]


def test_every_matrix_method_is_there_for_every_split():
    expected = {name + suffix for name in MATRIX_METHODS for suffix in MATRIX_SUFFIXES.values()}
    assert {name for name in METHODS if name.startswith("sm_")} == expected
    assert len(expected) == 8 * 3
    assert set(MATRIX_SUFFIXES) < set(MATRIX_SPLITS)


@pytest.mark.parametrize("split, suffix", MATRIX_SUFFIXES.items())
def test_a_method_trains_and_is_judged_on_the_split_of_its_suffix(splits_asked_for, split, suffix):
    recipe = METHODS["sm_unet" + suffix](PROFILE, 0)
    assert f"split {split!r}, 4 pairs" in recipe.data
    assert recipe.evaluate(recipe.model)["test data"] == f"split {split!r}"
    assert set(splits_asked_for) == {split}


@pytest.mark.parametrize("name", MATRIX_CONFIGS)
def test_a_diffusion_method_has_the_configuration_of_its_name(splits_asked_for, name):
    recipe = METHODS[name](PROFILE, 0)
    assert recipe.config == MATRIX_CONFIGS[name]
    loss = recipe.loss(recipe.model, recipe.tensors, torch.Generator().manual_seed(0))["total"]
    assert 0 < loss.item() < math.inf


def noisy_training(noise):
    return add_calibration_noise(matrix_train_pairs(PROFILE, "paper"), noise, seed=TRAIN_SEED)


def test_training_pairs_are_half_clean_and_half_noisy(splits_asked_for):
    """The high components, the truth, are the same twice; noise is as large as stated, to 5 standard errors."""
    recipe = METHODS["sm_algorithm1"](PROFILE, 0)
    (clean, noisy), (high, same), (orders, again) = (x.chunk(2) for x in recipe.tensors)
    assert len(clean) == len(noisy) == 2
    assert torch.equal(high, same) and torch.equal(orders, again)
    pairs = [noisy_training(noise) for noise in (0.0, CALIBRATION_NOISE)]
    assert torch.equal(clean, pairs[0].low) and torch.equal(noisy, pairs[1].low)
    added = torch.view_as_real(low_in_volts(pairs[1]) - low_in_volts(pairs[0]))
    expected = CALIBRATION_NOISE * pairs[0].high_scale.max().item()
    assert added.std().item() == pytest.approx(expected, rel=5 / math.sqrt(2 * added.numel()))


def test_test_components_have_phases_and_noise_of_their_own(splits_asked_for):
    """Even for the settings of the training."""
    train, test = zip(
        *[(noisy_training(noise), matrix_test_pairs(PROFILE, [SETTING], noise)) for noise in (0.0, CALIBRATION_NOISE)],
        strict=True,
    )
    torch.testing.assert_close(train[0].high.abs(), test[0].high.abs(), rtol=0, atol=1e-6)
    turns = (train[0].high * test[0].high.conj()).sum((-2, -1)).angle()
    assert (turns.abs() > 0.01).all()
    first, second = (low_in_volts(noisy) - low_in_volts(clean) for clean, noisy in (train, test))
    correlation = (first.conj() * second).sum().abs() / first.norm() / second.norm()
    assert correlation < 4 / math.sqrt(first.numel())


def test_relaxed_test_matrices_are_weaker_and_of_the_same_shape():
    equilibrium, debye = (matrix_test_pairs(PROFILE, [SETTING], 0.0, kind) for kind in ("equilibrium", "debye"))
    torch.testing.assert_close(equilibrium.high.abs(), debye.high.abs(), rtol=0, atol=1e-6)
    assert (debye.high_scale < equilibrium.high_scale).all()


@pytest.mark.parametrize("name, calls", [("sm_unet", 1), ("sm_aware", PROFILE.matrix_calls)])
def test_a_network_is_judged_on_clean_and_noisy_matrices(splits_asked_for, name, calls):
    """An untrained network answers zero, whatever the noise: PSNR is that of the truth's own power."""
    recipe = METHODS[name](PROFILE, 0)
    metrics = recipe.evaluate(recipe.release(recipe.model))
    assert metrics["sampling_steps"] == calls
    clean, noisy = metrics["clean"], metrics["noisy"]
    assert clean.keys() == noisy.keys() == {"low", "synthesised"}
    assert clean["low"]["ssim"]["lower"] > noisy["low"]["ssim"]["lower"]
    assert clean["synthesised"]["psnr"] == pytest.approx(noisy["synthesised"]["psnr"])
    truth = matrix_test_pairs(PROFILE, [TEST_SETTING], 0.0).high
    of_zero = component_psnr(torch.zeros_like(truth), truth).sort().values
    assert clean["synthesised"]["psnr"]["lower"] == pytest.approx(of_zero[1].item())
