from dataclasses import asdict, replace

import pytest
import torch

from mpinotes.data import PAPER_TEST, MatrixPairs, believed_setting, in_corner, particle_pairs, particle_split
from mpinotes.data.particle_splits import CORNER, NOMINAL, RANGES
from mpinotes.evaluation import largest_correlation
from mpinotes.physics import FixedAxis, FluidAxis, LissajousScan, Particle, simulate_system_matrix

ORDERS = torch.tensor([[2, 1], [4, 3], [0, 6]])
every_split = pytest.mark.parametrize("name", ["fluid", "immobilised", "mixed"])


@every_split
def test_every_parameter_is_drawn_from_all_of_its_range(name):
    train = [asdict(setting) for setting in particle_split(name).train]
    assert len(RANGES) >= 6
    for parameter, (low, high) in RANGES.items():
        places = sorted((setting[parameter] - low) / (high - low) for setting in train)
        assert len(set(places)) == 90 and 0 <= places[0] < 0.1 and 0.9 < places[-1] <= 1


@every_split
def test_no_training_setting_lies_in_a_corner_and_half_of_the_tests_do(name):
    split = particle_split(name)
    assert not any(map(in_corner, split.train))
    assert [in_corner(setting) for setting in split.test] == [False] * 8 + [True] * 8
    assert not set(split.train) & set(split.test)


def test_a_corner_is_the_outermost_fifth_of_three_ranges():
    setting = particle_split("fluid").train[0]
    for share, corner in ((0.1, True), (0.19, True), (0.21, False), (0.5, False), (0.79, False), (0.81, True)):
        values = {name: RANGES[name][0] + share * (RANGES[name][1] - RANGES[name][0]) for name in CORNER}
        assert in_corner(replace(setting, **values)) == corner


def test_splits_are_the_same_each_time_and_differ_from_one_another():
    first, again = particle_split("fluid"), particle_split("fluid")
    assert first == again and first.train[0] != particle_split("mixed").train[0]
    assert [setting.kind for setting in particle_split("mixed").train[:4]] == ["fluid", "immobilised"] * 2


SETTING = particle_split("fluid").test[0]


@pytest.mark.parametrize("kind", ["fluid", "immobilised"])
def test_components_are_the_mean_of_the_settings_particles(kind):
    setting = replace(particle_split(kind).test[0], diameter_spread=0.0, anisotropy_spread=0.0, free_share=0.25)
    pairs = particle_pairs([setting], ORDERS, shape=(3, 4), phase_seed=None)
    axis = FluidAxis(setting.exponent) if kind == "fluid" else setting.easy_axis
    for ratio, voltage in ((0.1, pairs.low_voltage), (1.0, pairs.high_voltage)):
        gradient = (ratio * setting.gradient_x, ratio * setting.gradient_y)
        amplitude = (20e-3 * ratio * setting.drive_x, 20e-3 * ratio * setting.drive_y)
        scan = LissajousScan(gradient, amplitude, shape=(3, 4))
        bound, free = (
            simulate_system_matrix(
                scan, Particle(setting.core_diameter, anisotropy=k), ORDERS, easy_axis=axis
            ).components
            for k in (setting.anisotropy, 0.0)
        )
        expected = (0.75 * bound + 0.25 * free).transpose(0, 1)
        assert (voltage - expected).abs().max() < 1e-4 * expected.abs().max()


def test_beliefs_lie_between_the_truth_and_what_is_nominal():
    setting = particle_split("fluid").test[0]
    half = believed_setting(setting, 0.5)
    for name, value in asdict(half).items():
        truth = getattr(setting, name)
        assert value == (pytest.approx((truth + NOMINAL[name]) / 2) if name in NOMINAL else truth)
    nominal = believed_setting(setting, 1.0)
    assert {name: getattr(nominal, name) for name in NOMINAL} == pytest.approx(NOMINAL)
    assert len(nominal.tracer.particles) == 2  # of one size, and the free ones, of which there are none
    with pytest.raises(ValueError, match="^error: got 2"):
        believed_setting(setting, 2.0)


def test_the_axis_of_an_immobilised_tracer_lies_in_the_plane():
    axis = replace(particle_split("immobilised").test[0], angle=0.0).easy_axis
    assert isinstance(axis, FixedAxis) and axis.direction == (1.0, 0.0, 0.0)


def test_noise_and_phases_are_those_of_other_pairs():
    settings = particle_split("mixed").test[:2]
    clean, noisy = (particle_pairs(settings, ORDERS, shape=(6, 6), noise=noise) for noise in (0.0, 1e-3))
    assert isinstance(clean, MatrixPairs) and clean.low.shape == (6, 2, 6, 6)
    assert torch.equal(clean.high, noisy.high) and not torch.equal(clean.low, noisy.low)
    turned = particle_pairs(settings, ORDERS, shape=(6, 6), phase_seed=5)
    assert largest_correlation(turned.high, clean.high).min() > 0.9999
    assert not torch.allclose(turned.high, clean.high, atol=1e-2)
    assert clean.setting.tolist() == [0, 0, 0, 1, 1, 1]


def test_wrong_input_is_refused_by_name():
    setting = particle_split("fluid").test[0]
    for name, call in (
        ("name", lambda: particle_split("powder")),
        ("settings", lambda: particle_pairs([])),
        ("noise", lambda: particle_pairs([setting], noise=-1.0)),
        ("kind", lambda: replace(setting, kind="solid")),
        ("free_share", lambda: replace(setting, free_share=1.5)),
        ("core_diameter", lambda: replace(setting, core_diameter=20.0)),
        ("anisotropy", lambda: replace(setting, anisotropy=-1.0)),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got"):
            call()


@pytest.mark.parametrize("settings", [SETTING, [PAPER_TEST], "fluid", None])
def test_settings_are_a_list_or_tuple_of_settings(settings):
    with pytest.raises(ValueError, match="^settings: got .*, accepted is a list or tuple .* ParticleSetting$"):
        particle_pairs(settings, torch.tensor([[2, 0]]), shape=(2, 2))


@pytest.mark.parametrize("function", [in_corner, lambda setting: believed_setting(setting, 0.5)])
def test_a_setting_of_ideal_particles_is_refused(function):
    with pytest.raises(ValueError, match="^setting: got MatrixSetting, accepted is a ParticleSetting$"):
        function(PAPER_TEST)


@pytest.mark.parametrize("name", ["angle", "exponent", "gradient_x", "gradient_y", "drive_x", "drive_y"])
@pytest.mark.parametrize("value", [None, float("nan"), "a"])
def test_a_setting_names_what_it_refuses(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got {value!r}"):
        replace(SETTING, **{name: value})
