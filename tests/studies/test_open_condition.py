import math

import pytest
import torch

from mpinotes import draw
from mpinotes.data import MatrixSetting, matrix_pairs, mixing_subset
from mpinotes.diffusion import ConstantCondition
from mpinotes.studies.open_condition import COMPONENTS, SAMPLES, draw_samples, every_few

SETTINGS = [MatrixSetting(25e-9, 25e3, 9), MatrixSetting(30e-9, 25e3, 9)]


@pytest.fixture(scope="module")
def pairs():
    return matrix_pairs(SETTINGS, mixing_subset(60), shape=(16, 16))


def test_samples_around_the_truth_spread_as_much_as_they_err(pairs):
    """Independent noise of standard deviation 0.1: the mean of k samples errs by 0.1/√k, which is 10 lg k decibels."""

    def sampler(low, orders, *, seed, steps, condition, sampler):
        noise = draw.normal(low.shape, torch.zeros((), dtype=torch.complex64), torch.Generator().manual_seed(seed))
        return pairs.high + 0.1 * noise / math.sqrt(2)

    samples = draw_samples(sampler, pairs, len(SETTINGS), 20, ConstantCondition())
    assert samples.psnr.shape == (2, 120)
    scale = samples.spread.square().mean().sqrt().item()
    assert samples.error.square().mean().sqrt().item() == pytest.approx(scale / math.sqrt(SAMPLES), rel=0.02)
    gain = (samples.psnr_of_mean - samples.psnr).mean().item()
    assert gain == pytest.approx(10 * math.log10(SAMPLES), abs=0.1)


def test_of_every_setting_the_same_components_are_taken(pairs):
    few = every_few(pairs, SETTINGS)
    assert len(few.orders) == 2 * COMPONENTS and few.setting.tolist() == [0] * COMPONENTS + [1] * COMPONENTS
    assert torch.equal(few.orders[:COMPONENTS], few.orders[COMPONENTS:])
    assert len(few.orders[:COMPONENTS].unique(dim=0)) == COMPONENTS
    assert torch.equal(few.high[0], pairs.high[0]) and torch.equal(few.high[COMPONENTS], pairs.high[60])
