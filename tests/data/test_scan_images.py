import pytest
import torch

from mpinotes.data import (
    ORIENTATIONS,
    REGULARIZATIONS,
    Imaging,
    image_split,
    scan_image_split,
    scan_images,
    scan_volumes,
)
from tests.data.test_image_pairs import vessels


def test_the_first_channel_is_the_image_and_the_second_λ_is_it_unclipped():
    pairs, several = image_split("test", 2), scan_image_split("test", 2)
    torch.testing.assert_close(several.x_lr[:, :1].float(), pairs.x_lr, atol=1e-3, rtol=0)  # half precision
    same = 1 + REGULARIZATIONS.index(Imaging().regularization)
    assert several.x_lr[:, same].min() < 0
    assert torch.equal(several.x_lr[:, same].clamp(0, 1), several.x_lr[:, 0])
    assert (several.source, several.real) == (pairs.source, pairs.real)


def test_a_larger_λ_keeps_less_noise():
    images = scan_images(scan_volumes(torch.zeros(2, 1, 8, 8, 8), Imaging()), Imaging(), 8)
    spread = images[:, 1:].std((0, 2, 3, 4))
    assert (spread.diff() < 0).all()


def test_turned_volumes_stand_behind_the_others_and_their_scans_are_new():
    alone, all_six = scan_image_split("test", 1), scan_image_split("test", 1, orientations=6)
    assert len(all_six.x_hr) == 6 and torch.equal(all_six.x_lr[:1], alone.x_lr)
    for number, axes in enumerate(ORIENTATIONS):
        assert torch.equal(all_six.x_hr[number : number + 1], alone.x_hr.permute(0, 1, *axes))
    back = all_six.x_lr[1:2].permute(0, 1, *ORIENTATIONS[1])  # two axes changed places: so it undoes itself
    assert (back - alone.x_lr).abs().max() > 0.05


def test_a_scan_with_another_λ_of_x_lr_keeps_it_in_the_first_channel():
    imaging = Imaging(regularization=30.0)
    signal = scan_volumes(vessels(), imaging)
    first = scan_images(signal, imaging, 8)[:, 0]
    others = scan_images(signal, Imaging(), 8)
    assert first.min() >= 0 and not torch.equal(first, others[:, 0])
    assert torch.equal(scan_images(signal, imaging, 8)[:, 1:], others[:, 1:])


def test_more_orientations_than_a_cube_has_are_refused():
    with pytest.raises(ValueError, match="orientations: got 7, accepted is a whole number from 1 to 6"):
        scan_image_split("test", 1, orientations=7)
