import json
import math
from dataclasses import replace

import pytest
import torch

from mpinotes.data import (
    CALIBRATION_NOISE,
    MATRIX_SPLITS,
    PARTICLE_SPLITS,
    TRAIN_SEED,
    Amounts,
    MatrixSetting,
    MatrixSplit,
    add_calibration_noise,
    image_split,
    matrix_test_pairs,
    matrix_train_pairs,
    protocol,
)
from mpinotes.evaluation import component_psnr
from mpinotes.methods import IMAGE_METHODS, MATRIX_METHODS, METHODS, NETWORK_SPLITS
from mpinotes.operators import fit_degradation
from mpinotes.training.identity import differences

FEW = Amounts(train_volumes=2, test_volumes=1, matrix_settings=1, matrix_components=2)
SETTING, TEST_SETTING = MatrixSetting(22e-9, 25e3, 49), MatrixSetting(24e-9, 25e3, 59)


@pytest.fixture
def splits_asked_for(monkeypatch):
    """Every split becomes one small core to train on and another to test on; keeps the names."""
    names = []
    split = MatrixSplit((SETTING,), (TEST_SETTING,))
    monkeypatch.setattr(protocol, "PARTICLE_SPLITS", ())
    monkeypatch.setattr(protocol, "matrix_split", lambda name: names.append(name) or split)
    return names


def low_in_volts(pairs):
    return pairs.low * pairs.low_scale[..., None, None]


def test_names_and_titles_tell_methods_apart():
    assert list(METHODS) == [one.name for one in (*IMAGE_METHODS, *MATRIX_METHODS)]
    assert len({one.title for one in IMAGE_METHODS}) == len(IMAGE_METHODS) == 5
    variants = {one.variant: one.title for one in MATRIX_METHODS}
    assert len(set(variants.values())) == len(variants) == 8


def test_every_matrix_method_is_there_for_every_split():
    found = {(one.variant, one.split) for one in MATRIX_METHODS}
    assert len(found) == len(MATRIX_METHODS) == 8 * len(NETWORK_SPLITS)
    assert set(NETWORK_SPLITS) < {*MATRIX_SPLITS, *PARTICLE_SPLITS}


def test_image_methods_get_one_training_time():
    """Steps times their cost, in steps of the U-Net."""
    cost = {"edsr": 4, "esrgan": 5}
    assert {one.training.steps * cost.get(one.name, 1) for one in IMAGE_METHODS} == {11_000}


@pytest.mark.parametrize("name", [one.name for one in IMAGE_METHODS])
def test_an_image_method_draws_a_batch_and_has_a_loss_on_it(name):
    one, x_hr = METHODS[name], torch.rand(2, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    drawn = one.draw((x_hr / 2, x_hr), torch.Generator().manual_seed(0))
    assert all(len(tensor) == 2 for tensor in drawn)
    assert 0 < one.loss(one.build(0), drawn, progress=0.9)["total"].item() < math.inf


def test_d_is_fitted_to_the_training_pairs_where_a_method_has_one():
    data = METHODS["dccdm"].training_data(FEW)
    pairs = image_split("train", 2)
    assert torch.equal(data.tensors[0], pairs.x_lr) and torch.equal(data.tensors[1], pairs.x_hr)
    expected, _ = fit_degradation(pairs.x_hr, pairs.x_lr)
    for name in ("ddpm", "dccdm"):
        fitted = METHODS[name].fitted(data)
        assert fitted == replace(METHODS[name], config=replace(METHODS[name].config, degradation=expected))
    assert METHODS["unet"].fitted(data) is METHODS["unet"]


@pytest.mark.parametrize("split, suffix", NETWORK_SPLITS.items())
def test_a_matrix_method_trains_and_is_evaluated_on_its_split(splits_asked_for, split, suffix):
    one = METHODS["sm_unet" + suffix]
    assert one.split == split
    assert f"split {split!r}, 4 pairs" in one.training_data(FEW).source
    assert one.evaluate(one.build(0), FEW)["test data"] == f"split {split!r}"
    assert set(splits_asked_for) == {split}


@pytest.mark.parametrize("name", [one.name for one in MATRIX_METHODS if one.split == "held-out diameters"])
def test_a_matrix_method_has_a_loss_on_its_data(splits_asked_for, name):
    one = METHODS[name]
    drawn = one.draw(one.training_data(FEW).tensors, torch.Generator().manual_seed(0))
    assert 0 < one.loss(one.build(0), drawn, progress=0.0)["total"].item() < math.inf


def test_training_pairs_are_half_clean_and_half_noisy(splits_asked_for):
    """The high components, the truth, are the same twice; noise is as large as stated, to 5 standard errors."""
    data = METHODS["sm_algorithm1"].training_data(FEW)
    (clean, noisy), (high, same), (orders, again) = (x.chunk(2) for x in data.tensors)
    assert len(clean) == len(noisy) == 2
    assert torch.equal(high, same) and torch.equal(orders, again)
    train = matrix_train_pairs(FEW, "held-out diameters")
    pairs = [add_calibration_noise(train, noise, seed=TRAIN_SEED) for noise in (0.0, CALIBRATION_NOISE)]
    assert torch.equal(clean, pairs[0].low) and torch.equal(noisy, pairs[1].low)
    added = torch.view_as_real(low_in_volts(pairs[1]) - low_in_volts(pairs[0]))
    expected = CALIBRATION_NOISE * pairs[0].high_scale.max().item()
    assert added.std().item() == pytest.approx(expected, rel=5 / math.sqrt(2 * added.numel()))


@pytest.mark.parametrize("name, calls", [("sm_unet", 1), ("sm_aware", 20)])
def test_a_network_is_evaluated_on_clean_and_noisy_matrices(splits_asked_for, name, calls):
    """An untrained network answers zero, whatever the noise: PSNR is that of the truth's own power."""
    one = METHODS[name]
    metrics = one.evaluate(one.network(one.build(0)), FEW)
    assert metrics["sampling_steps"] == one.calls == calls
    clean, noisy = metrics["clean"], metrics["noisy"]
    assert clean.keys() == noisy.keys() == {"low", "synthesised"}
    assert clean["low"]["ssim"]["lower"] > noisy["low"]["ssim"]["lower"]
    assert clean["synthesised"]["psnr"] == pytest.approx(noisy["synthesised"]["psnr"])
    truth = matrix_test_pairs(FEW, [TEST_SETTING], 0.0).high
    of_zero = component_psnr(torch.zeros_like(truth), truth).sort().values
    assert clean["synthesised"]["psnr"]["lower"] == pytest.approx(of_zero[1].item())


def test_trainings_are_told_apart_by_method_and_configuration():
    """In a checkpoint: DDPM and DCCDM have one network, and so have most methods on matrices."""
    assert len({json.dumps(one.identity) for one in METHODS.values()}) == len(METHODS)
    dccdm = METHODS["dccdm"]
    changed = replace(dccdm, config=replace(dccdm.config, gamma=0.5))
    assert differences(dccdm.identity, changed.identity) == ["gamma 0.3 instead of 0.5"]
    assert not differences(dccdm.identity, replace(dccdm, title="another", calls=7).identity)


@pytest.mark.parametrize("batch", [0, -1, 2.0, True])
@pytest.mark.parametrize("name", ["ddpm", "unet", "esrgan"])
def test_a_number_of_volumes_at_a_time_that_is_none_is_refused_by_name(name, batch):
    with pytest.raises(ValueError, match="^batch: got .*whole number"):
        METHODS[name].apply(torch.nn.Linear(1, 1), torch.zeros(2, 1, 8, 8, 8), batch=batch)
