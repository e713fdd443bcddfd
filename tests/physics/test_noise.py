import math
from functools import partial

import pytest
import torch

from mpinotes.physics import (
    ScanSignal,
    add_coloured_noise,
    add_drifting_background,
    add_impulsive_noise,
    add_white_noise,
)

SILENCE = ScanSignal(torch.zeros(8, 1, 16, 16, 64, dtype=torch.float64), torch.full((8,), 25e3))
EVERY = [add_white_noise, add_coloured_noise, partial(add_impulsive_noise, probability=0.05), add_drifting_background]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("add", EVERY)
def test_the_level_is_the_standard_deviation_and_the_seed_decides(add):
    voltage = add(SILENCE, 3e-6, generator=generator()).voltage
    assert voltage.std().item() == pytest.approx(3e-6, rel=0.1)
    assert torch.equal(voltage, add(SILENCE, 3e-6, generator=generator()).voltage)
    assert not torch.equal(voltage, add(SILENCE, 3e-6, generator=generator(1)).voltage)


@pytest.mark.parametrize("add", EVERY)
def test_it_is_added_and_the_signal_is_not_touched(add):
    signal = ScanSignal(torch.ones_like(SILENCE.voltage), SILENCE.drive_frequency)
    difference = add(signal, 1.0, generator=generator()).voltage - add(SILENCE, 1.0, generator=generator()).voltage
    torch.testing.assert_close(difference, torch.ones_like(difference))
    assert (signal.voltage == 1).all()


def test_white_noise_has_equal_power_at_all_frequencies():
    power = torch.fft.rfft(add_white_noise(SILENCE, 1.0, generator=generator()).voltage).abs().square()
    mean = power.mean((0, 1, 2, 3))
    # 2048 lines: five standard errors of an exponential (χ² of one degree at both ends) variable's mean.
    torch.testing.assert_close(mean, torch.full_like(mean, 64.0), rtol=5 * math.sqrt(2 / 2048), atol=0)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_the_power_of_coloured_noise_falls_as_asked(exponent):
    voltage = add_coloured_noise(SILENCE, 1.0, exponent=exponent, generator=generator()).voltage
    power = torch.fft.rfft(voltage).abs().square().mean((0, 1, 2, 3))
    frequency = torch.arange(len(power), dtype=torch.float64)
    assert power[0] < 1e-20
    slope = (power[16] / power[2]).log() / (frequency[16] / frequency[2]).log()
    assert slope.item() == pytest.approx(-exponent, abs=0.15)


def test_impulses_are_rare_and_strong():
    voltage = add_impulsive_noise(SILENCE, 1.0, probability=0.01, generator=generator()).voltage
    assert (voltage != 0).double().mean().item() == pytest.approx(0.01, rel=0.2)
    assert voltage[voltage != 0].std().item() == pytest.approx(10, rel=0.2)


def test_the_background_walks_from_line_to_line_and_stays_at_low_harmonics():
    voltage = add_drifting_background(SILENCE, 1.0, harmonics=3, generator=generator()).voltage
    spectrum = torch.fft.rfft(voltage).abs()
    assert spectrum[..., 4:].max() < 1e-9 * spectrum.max() and spectrum[..., 1:4].min() > 0
    lines = voltage.flatten(1, 3)
    near, far = ((lines[:, k:] - lines[:, :-k]).square().mean() for k in (1, 16))
    assert 8 < (far / near).item() < 32, "a random walk's variance grows with the distance"


@pytest.mark.parametrize("add", EVERY)
@pytest.mark.parametrize("level", [0.0, -1.0, math.nan])
def test_wrong_levels_are_refused(add, level):
    with pytest.raises(ValueError, match="level"):
        add(SILENCE, level)


def test_a_probability_of_nothing_is_refused():
    with pytest.raises(ValueError, match="probability"):
        add_impulsive_noise(SILENCE, 1.0, probability=0.0)


@pytest.mark.parametrize("harmonics", [0, -1, 2.5])
def test_a_background_without_harmonics_is_refused(harmonics):
    with pytest.raises(ValueError, match="^harmonics: got"):
        add_drifting_background(SILENCE, 1.0, harmonics=harmonics)
