import math

import numpy as np
import pytest
import torch

from mpinotes.checks import (
    check_choice,
    check_count,
    check_each_kind,
    check_images,
    check_kind,
    check_plausible,
    check_positive,
    check_range,
    check_same_shape,
    check_several,
    check_shape,
    check_tensor,
    check_unit_volumes,
)
from mpinotes.data import PAPER_TEST, MatrixSetting, matrix_pairs
from mpinotes.diffusion import Objective
from mpinotes.networks import UNetConfig
from mpinotes.operators import spherical_masks
from mpinotes.physics import CartesianScan, LissajousScan, Receiver, order_patterns
from tests.no_values import NoValues


def test_good_values_pass_silently():
    check_choice("name", "a", ("a", "b"))
    check_range("name", 0.0, 0.0, 1.0)
    check_range("name", 1.0, 0.0, 1.0, open_low=True)
    check_positive("name", 1e-30)
    check_count("name", 1)
    check_count("name", 5, 0, 5)
    check_tensor("name", torch.zeros(2, 3), 2, "(rows, columns)")
    check_same_shape("name", torch.zeros(2, 3), "other", torch.ones(2, 3))


@pytest.mark.parametrize("values", [0.5, 3, None, (), (1.0,), (1.0, 2.0, 3.0), np.float64(2.0), torch.tensor(2.0)])
def test_other_than_several_values_are_refused_with_a_sentence(values):
    with pytest.raises(ValueError, match=r"^band: got .*, accepted are two numbers \(low, high\)$"):
        check_several("band", values, (2,), "two numbers (low, high)")


@pytest.mark.parametrize("values", [(1.0, 2.0), [1.0, 2.0], np.ones(2), torch.ones(2)])
def test_several_values_may_come_in_any_sequence(values):
    check_several("band", values, (2,), "two numbers (low, high)")


SINGLE_NUMBERS = {
    "gradient": (lambda: LissajousScan(gradient=1.0), lambda: CartesianScan(gradient=2.0)),
    "amplitude": (lambda: LissajousScan(amplitude=20e-3),),
    "field_of_view": (lambda: LissajousScan(field_of_view=0.04),),
    "drive_frequency": (lambda: CartesianScan(drive_frequency=25e3),),
    "band": (lambda: Receiver(band=50e3),),
    "weight_range": (lambda: Objective(weight_range=1.0),),
    "widths": (lambda: UNetConfig(widths=32),),
    "shape": (
        lambda: LissajousScan(shape=32),
        lambda: order_patterns(torch.tensor([[1, 0]]), 8),
        lambda: spherical_masks(8),
        lambda: matrix_pairs([PAPER_TEST], torch.tensor([[1, 0]]), shape=8),
    ),
}


@pytest.mark.parametrize("name, call", [(name, call) for name, calls in SINGLE_NUMBERS.items() for call in calls])
def test_a_single_number_where_several_are_meant_gets_a_sentence_and_no_type_error(name, call):
    with pytest.raises(ValueError, match=f"^{name}: got [0-9.]+, accepted are "):
        call()


def test_an_unknown_choice_is_refused_with_its_name_value_and_the_accepted_ones():
    with pytest.raises(ValueError, match=r"^colour: got 'red', accepted are 'green', 'blue'$"):
        check_choice("colour", "red", iter(["green", "blue"]))


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, math.inf, -math.inf])
def test_a_number_outside_the_range_is_refused(value):
    with pytest.raises(ValueError, match=r"^share: got .*accepted is \[0.0, 1.0\]"):
        check_range("share", value, 0.0, 1.0)


def test_an_open_lower_bound_excludes_the_bound_itself():
    with pytest.raises(ValueError, match=r"^share: got 0.0, accepted is \(0.0, 1.0\]"):
        check_range("share", 0.0, 0.0, 1.0, open_low=True)


@pytest.mark.parametrize(
    "open_low, accepted", [(False, "a finite number of at least 0$"), (True, "a finite number above 0$")]
)
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf])
def test_a_bound_that_is_infinite_is_not_said_to_be_accepted(value, open_low, accepted):
    with pytest.raises(ValueError, match=f"^noise: got {value}, accepted is {accepted}"):
        check_range("noise", value, 0.0, open_low=open_low)


@pytest.mark.parametrize(
    "value", [1, np.float32(0.5), np.int64(1), torch.tensor(0.5), torch.tensor([1]), torch.tensor(0.5).requires_grad_()]
)
def test_a_number_may_be_of_numpy_or_torch(value):
    check_range("share", value, 0.0, 1.0)
    check_positive("share", value)
    check_plausible("share", value, 1.0, "m", "millimetres")


@pytest.mark.parametrize(
    "value, shown",
    [
        (True, "True"),
        ("1", "'1'"),
        (None, "None"),
        (1 + 0j, r"\(1\+0j\)"),
        (torch.ones(2), r"a tensor of shape \(2,\)"),
        (torch.tensor(True), "True"),
    ],
)
def test_what_is_no_number_is_refused_like_one_outside_the_range(value, shown):
    with pytest.raises(ValueError, match=rf"^share: got {shown}, accepted is \[0.0, 1.0\]"):
        check_range("share", value, 0.0, 1.0)
    with pytest.raises(ValueError, match=f"^share: got {shown}, accepted is a finite number above 0"):
        check_positive("share", value)


def test_a_number_that_was_probably_given_in_another_unit_is_refused_with_both_units():
    with pytest.raises(ValueError, match=r"^size: got 30 m, accepted is at most 0.1 m \(is it in millimetres\?\)"):
        check_plausible("size", 30, 0.1, "m", "millimetres")


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_number_that_is_not_finite_and_above_zero_is_refused(value):
    with pytest.raises(ValueError, match="^size: got"):
        check_positive("size", value)


@pytest.mark.parametrize("value", [0, -1, 2.5, 4.0, math.nan, math.inf, True, "1", None])
def test_a_number_that_is_no_count_is_refused(value):
    with pytest.raises(ValueError, match="^items: got"):
        check_count("items", value)


@pytest.mark.parametrize("value", [1, 6])
def test_a_count_outside_its_bounds_is_refused(value):
    with pytest.raises(ValueError, match="^items: got .*from 2 to 5"):
        check_count("items", value, 2, 5)


@pytest.mark.parametrize(
    "value, complaint",
    [
        ([[1.0]], "got list"),
        (torch.zeros(3), r"got shape \(3,\)"),
        (torch.zeros(0, 3), r"got shape \(0, 3\)"),
        (torch.tensor([[math.nan]]), "NaN"),
        (torch.tensor([[math.inf]]), "infinite"),
    ],
)
def test_a_tensor_of_wrong_kind_shape_or_values_is_refused(value, complaint):
    with pytest.raises(ValueError, match=f"^image: .*{complaint}"):
        check_tensor("image", value, 2, "(rows, columns)")


def test_there_may_be_more_axes_where_that_is_said():
    check_shape("images", torch.ones(2, 3, 4), 2, "(batch, …)", more=True)
    check_tensor("images", torch.ones(2, 3), 2, "(batch, …)", more=True)
    for value in (torch.ones(3), [[1.0]], torch.ones(2, 0)):
        with pytest.raises(ValueError, match="^images: got"):
            check_tensor("images", value, 2, "(batch, …)", more=True)


def test_an_object_of_another_kind_is_refused_with_both_kinds():
    check_kind("scan", LissajousScan(), CartesianScan, LissajousScan)
    with pytest.raises(ValueError, match="^scan: got LissajousScan, accepted is a CartesianScan$"):
        check_kind("scan", LissajousScan(), CartesianScan)
    with pytest.raises(ValueError, match="^scan: got the class CartesianScan, accepted is a CartesianScan$"):
        check_kind("scan", CartesianScan, CartesianScan)
    with pytest.raises(ValueError, match="^value: got float, accepted is an int or a str$"):
        check_kind("value", 1.0, int, str)


@pytest.mark.parametrize(
    "values, came",
    [
        (PAPER_TEST, "MatrixSetting"),
        ("paper", "str"),
        (None, "NoneType"),
        ((setting for setting in (PAPER_TEST,)), "generator"),
        ([], "none"),
        ([PAPER_TEST, LissajousScan(), 3], "LissajousScan, int"),
    ],
)
def test_several_objects_are_of_one_kind(values, came):
    check_each_kind("settings", [PAPER_TEST], MatrixSetting)
    check_each_kind("settings", (PAPER_TEST,), MatrixSetting)
    accepted = "accepted is a list or tuple of at least one MatrixSetting"
    with pytest.raises(ValueError, match=f"^settings: got {came}, {accepted}$"):
        check_each_kind("settings", values, MatrixSetting)


def test_an_array_of_one_number_is_shown_as_an_array():
    with pytest.raises(ValueError, match=r"^share: got array\(0.5\), accepted is \[0.0, 1.0\]"):
        check_range("share", np.array(0.5), 0.0, 1.0)


def test_a_tensor_of_whole_numbers_is_refused():
    with pytest.raises(ValueError, match="^image: .*int64"):
        check_tensor("image", torch.ones(2, 2, dtype=torch.int64), 2, "(rows, columns)")


def test_a_shape_is_checked_without_a_look_at_the_values():
    with NoValues():
        check_shape("image", torch.full((2, 2), math.nan), 2, "(rows, columns)")
        with pytest.raises(ValueError, match=r"^image: got shape \(3,\), accepted is \(rows, columns\)"):
            check_shape("image", torch.ones(3), 2, "(rows, columns)")
    with pytest.raises(AssertionError), NoValues():
        check_tensor("image", torch.ones(2, 2), 2, "(rows, columns)")


def test_different_shapes_are_refused_and_both_are_named():
    with pytest.raises(ValueError, match=r"^left: got shape \(2,\), accepted is that of right, \(3,\)"):
        check_same_shape("left", torch.zeros(2), "right", torch.zeros(3))


@pytest.mark.parametrize("value", [[1.0], np.ones(1), None])
def test_a_shape_is_compared_of_tensors_alone(value):
    with pytest.raises(ValueError, match=r"^left: got .*, accepted is a torch tensor of the shape of right, \(1,\)$"):
        check_same_shape("left", value, "right", torch.zeros(1))


X = torch.rand(2, 1, 4, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("wrong", [X + 1, X - 1, X.repeat(1, 2, 1, 1, 1), X[0], X / 0])
def test_volumes_outside_0_and_1_are_refused(wrong):
    with pytest.raises(ValueError, match="x_lr: got"):
        check_unit_volumes("x_lr", wrong)


def test_images_may_have_further_channels_of_any_finite_values():
    check_images("x_lr", torch.cat([X, 3 * X - 1], dim=1))
    check_images("x_lr", torch.cat([X, 3 * X - 1], dim=1), channels=2)


@pytest.mark.parametrize(
    "wrong", [X + 1, X - 1, X[0], X / 0, torch.cat([X + 1, X], dim=1), torch.cat([X, X / 0], dim=1)]
)
def test_images_whose_first_channel_is_not_in_0_and_1_are_refused(wrong):
    with pytest.raises(ValueError, match="x_lr: got"):
        check_images("x_lr", wrong)


def test_another_number_of_channels_is_refused_and_both_are_named():
    with pytest.raises(ValueError, match=r"^x_lr: got 1 channels, .* accepted are 4, the first of values in \[0, 1\]"):
        check_images("x_lr", X, channels=4)
