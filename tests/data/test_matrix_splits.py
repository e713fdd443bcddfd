from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.data import (
    GRID_SETTINGS,
    HELD_OUT_TESTS,
    MATRIX_SPLITS,
    PAPER_SETTINGS,
    PAPER_TEST,
    MatrixSetting,
    matrix_pairs,
    matrix_split,
    shares_core,
    spread_out,
)
from mpinotes.evaluation import largest_correlation
from mpinotes.physics import mixing_orders


def same_shape(first, second):
    """Whether the larger diameter is the smaller one or equivalent to it, 10^(1/3) = 2.154 times as large, to 0.5 %."""
    small, large = sorted([first.core_diameter, second.core_diameter])
    return large < 1.005 * small or 0.995 < large / small / 10 ** (1 / 3) < 1.005


def test_the_paper_counts_54_settings_and_its_ranges_90():
    for settings, count, diameters in ((PAPER_SETTINGS, 54, 3), (GRID_SETTINGS, 90, 5)):
        assert len(set(settings)) == len(settings) == count
        assert len({s.core_diameter for s in settings}) == diameters
        assert {s.base_frequency for s in settings} == {10e3, 20e3, 30e3}
        assert {s.density for s in settings} == {49, 59, 69, 79, 89, 99}
    assert set(PAPER_SETTINGS) < set(GRID_SETTINGS)


def test_the_papers_settings_make_its_9072_samples():
    assert len(mixing_orders(2, 17)) == 168
    assert len(PAPER_SETTINGS) * len(mixing_orders(2, 17)) == 9072


@pytest.mark.parametrize("name", MATRIX_SPLITS)
def test_no_test_setting_is_a_training_setting(name):
    split = matrix_split(name)
    assert split.test and len(set(split.train)) == len(split.train)
    assert not set(split.train) & set(split.test)


@pytest.mark.parametrize("name", ["held-out diameters", "continuous"])
def test_a_split_that_holds_out_diameters_shares_no_core_nor_an_equivalent_one(name):
    split = matrix_split(name)
    assert len(split.train) == 90 and split.test == HELD_OUT_TESTS
    for train in split.train:
        assert not any(same_shape(train, test) or shares_core(train, test) for test in split.test)


def test_held_out_tests_do_not_share_cores_among_themselves():
    assert len({test.core_diameter for test in HELD_OUT_TESTS}) == 3
    assert not shares_core(*HELD_OUT_TESTS[:2]) and not shares_core(*HELD_OUT_TESTS[1:])


def test_continuous_diameters_are_all_different_and_fill_the_papers_range():
    diameters = sorted(setting.core_diameter for setting in matrix_split("continuous").train)
    assert len(set(diameters)) == 90
    assert 30e-9 <= diameters[0] < 33e-9 and 67e-9 < diameters[-1] <= 70e-9


@pytest.mark.parametrize("name", ["paper", "grid"])
def test_the_papers_test_matrix_shares_its_core_with_18_of_the_training_settings(name):
    split = matrix_split(name)
    assert split.test == (PAPER_TEST,)
    assert sum(same_shape(train, PAPER_TEST) for train in split.train) == 18
    assert sum(shares_core(train, PAPER_TEST) for train in split.train) == 18


def test_frequency_and_density_are_no_protection_a_training_component_is_the_same():
    """Settings of one core, other in f_x, N_d and phases: all that differs is a complex factor."""
    orders = mixing_orders(2, 3)
    test = matrix_pairs([replace(PAPER_TEST, core_diameter=25e-9)], orders, shape=(6, 8), phase_seed=1)
    others = [MatrixSetting(25e-9, 10e3, 49), MatrixSetting(25e-9, 30e3, 59)]
    train = matrix_pairs(others, orders, shape=(6, 8), phase_seed=0)
    stranger = torch.randn(test.high.shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    for side in ("low", "high"):
        assert largest_correlation(getattr(test, side), getattr(train, side)).min() > 0.999
        assert largest_correlation(stranger, getattr(train, side)).max() < 0.9


@pytest.mark.parametrize(
    "first, second, shared",
    [
        (50e-9, 50e-9, True),
        (50e-9, 50.2e-9, True),
        (50e-9, 50.5e-9, False),
        (60e-9, 27.85e-9, True),
        (60e-9, 27.5e-9, False),
        (30e-9, 40e-9, False),
    ],
)
def test_cores_are_shared_if_equal_or_equivalent_whatever_else_differs(first, second, shared):
    settings = MatrixSetting(first, 10e3, 49), MatrixSetting(second, 30e3, 99)
    assert shares_core(*settings) == shares_core(*settings[::-1]) == shared


def test_the_tolerance_of_a_shared_core_is_relative():
    settings = MatrixSetting(50e-9, 25e3, 99), MatrixSetting(52e-9, 25e3, 99)
    assert not shares_core(*settings, tolerance=0.03) and shares_core(*settings, tolerance=0.05)


@given(total=st.integers(1, 100), count=st.integers(1, 120))
def test_settings_are_spread_evenly_over_the_list(total, count):
    """In the middle of each of `count` equal parts, so that the distances differ by one at most."""
    places = spread_out(range(total), count)
    part = total / min(count, total)
    assert len(places) == len(set(places)) == min(count, total)
    assert all(abs(place + 0.5 - (k + 0.5) * part) < 0.5 + 1e-9 for k, place in enumerate(places))
    assert len({b - a for a, b in pairwise(places)}) <= 2
    assert count < total or places == list(range(total))


def test_wrong_input_is_refused_by_name():
    with pytest.raises(ValueError, match="^name: got 'random', accepted are 'paper', 'grid'"):
        matrix_split("random")
    with pytest.raises(ValueError, match="^count: got 0"):
        spread_out(GRID_SETTINGS, 0)
