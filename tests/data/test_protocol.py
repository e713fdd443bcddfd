import math
from dataclasses import replace

import pytest
import torch

from mpinotes.data import (
    CALIBRATION_NOISE,
    PAPER_TEST,
    SCAN_SEEDS,
    TEST_SEED,
    TRAIN_SEED,
    Amounts,
    Imaging,
    MatrixSetting,
    MatrixSplit,
    add_calibration_noise,
    available_vessels,
    image_pairs,
    image_split,
    matrix_split,
    matrix_test_pairs,
    matrix_test_settings,
    matrix_train_pairs,
    mixing_subset,
    particle_pairs,
    particle_split,
    protocol,
    reconstruct_images,
    scan_split,
    spread_out,
)

FEW = Amounts(train_volumes=2, test_volumes=1, matrix_settings=1, matrix_components=2)
SETTING, TEST_SETTING = MatrixSetting(22e-9, 25e3, 49), MatrixSetting(24e-9, 25e3, 59)


@pytest.fixture
def small_split(monkeypatch):
    """Every split becomes one small core to train on and another to test on."""
    monkeypatch.setattr(protocol, "matrix_split", lambda name: MatrixSplit((SETTING,), (TEST_SETTING,)))


def low_in_volts(pairs):
    return pairs.low * pairs.low_scale[..., None, None]


def noisy_training(noise):
    return add_calibration_noise(matrix_train_pairs(FEW, "paper"), noise, seed=TRAIN_SEED)


@pytest.mark.parametrize("split", SCAN_SEEDS)
def test_an_image_split_is_its_vessels_scanned_with_its_own_seed(split):
    pairs, vessels = image_split(split, 1), available_vessels(split, 1)
    expected = image_pairs(vessels.volumes, seed=SCAN_SEEDS[split])
    assert torch.equal(pairs.x_lr, expected.x_lr) and torch.equal(pairs.x_hr, vessels.volumes)
    assert pairs.source == vessels.source and pairs.real == vessels.real


def test_no_two_splits_share_their_noise():
    assert len(set(SCAN_SEEDS.values())) == len(SCAN_SEEDS)


def test_test_components_have_phases_and_noise_of_their_own(small_split):
    """Even for the settings of the training."""
    train, test = zip(
        *[(noisy_training(noise), matrix_test_pairs(FEW, [SETTING], noise)) for noise in (0.0, CALIBRATION_NOISE)],
        strict=True,
    )
    torch.testing.assert_close(train[0].high.abs(), test[0].high.abs(), rtol=0, atol=1e-6)
    turns = (train[0].high * test[0].high.conj()).sum((-2, -1)).angle()
    assert (turns.abs() > 0.01).all()
    first, second = (low_in_volts(noisy) - low_in_volts(clean) for clean, noisy in (train, test))
    correlation = (first.conj() * second).sum().abs() / first.norm() / second.norm()
    assert correlation < 4 / math.sqrt(first.numel())


def test_relaxed_test_matrices_are_weaker_and_of_the_same_shape():
    equilibrium, debye = (matrix_test_pairs(FEW, [SETTING], 0.0, kind) for kind in ("equilibrium", "debye"))
    torch.testing.assert_close(equilibrium.high.abs(), debye.high.abs(), rtol=0, atol=1e-6)
    assert (debye.high_scale < equilibrium.high_scale).all()


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_scans_of_a_split_are_those_behind_its_images(split):
    images = reconstruct_images(scan_split(split, 2), Imaging(), 32)
    assert torch.equal(images, image_split(split, 2).x_lr)


def test_particles_with_an_easy_axis_have_pairs_as_ideal_ones_have():
    few = Amounts(train_volumes=1, test_volumes=1, matrix_settings=1, matrix_components=2)
    settings = matrix_test_settings("fluid")
    assert settings == particle_split("fluid").test and matrix_test_settings("paper") == matrix_split("paper").test
    small = [replace(settings[0], core_diameter=20e-9)]
    expected = particle_pairs(small, mixing_subset(2), noise=1e-3, phase_seed=TEST_SEED, seed=TEST_SEED)
    assert torch.equal(matrix_test_pairs(few, small, 1e-3).low, expected.low)
    with pytest.raises(ValueError, match="^relaxation: got 'debye', accepted are 'equilibrium'"):
        matrix_test_pairs(few, small, 0.0, "debye")
    with pytest.raises(ValueError, match="^settings: got both kinds"):
        matrix_test_pairs(few, [*small, SETTING], 0.0)
    train = matrix_train_pairs(few, "fluid")
    (setting,) = spread_out(particle_split("fluid").train, 1)
    assert torch.equal(train.high, particle_pairs([setting], mixing_subset(2), phase_seed=TRAIN_SEED).high)


@pytest.mark.parametrize("settings", [PAPER_TEST, "paper", [PAPER_TEST, 3], []])
def test_test_settings_are_a_list_or_tuple_of_settings_and_none_is_left_out(settings):
    accepted = "accepted is a list or tuple of at least one MatrixSetting or ParticleSetting"
    with pytest.raises(ValueError, match=f"^settings: got .*, {accepted}$"):
        matrix_test_pairs(FEW, settings, 0.0)


@pytest.mark.parametrize("name", ["train_volumes", "test_volumes", "matrix_settings", "matrix_components"])
@pytest.mark.parametrize("value", [0, -1, 1.0, None, True])
def test_amounts_are_counts(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got {value}, accepted is a whole number"):
        replace(FEW, **{name: value})
