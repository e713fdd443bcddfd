import pytest
import torch
from scipy.ndimage import gaussian_filter, label

from mpinotes.data import BAR_WIDTHS, bar_modulation, points, resolution_bars


@pytest.mark.parametrize("phantom", [resolution_bars, points])
@pytest.mark.parametrize("size", [32, 33, 48])
def test_phantoms_are_images_of_zeros_and_ones(phantom, size):
    image = phantom(size)
    assert image.shape == (1, size, size)
    assert image.unique().tolist() == [0, 1]


def test_there_are_three_bars_of_every_width():
    pieces, count = label(resolution_bars()[0].numpy())
    widths = [(pieces == piece).any(0).sum() for piece in range(1, count + 1)]
    heights = {int((pieces == piece).any(1).sum()) for piece in range(1, count + 1)}
    assert sorted(widths) == sorted([*BAR_WIDTHS] * 3)
    assert heights == {5}


def test_gaps_are_as_wide_as_the_bars():
    for place, width in enumerate(BAR_WIDTHS):
        row = resolution_bars()[0, 5 + 7 * place]
        edges = row.diff().nonzero().flatten()
        assert len(edges) == 6 and (edges.diff() == width).all()


@pytest.mark.parametrize("size", [4, 5, 16, 32])
def test_points_are_nine_single_pixels_on_a_grid(size):
    image = points(size)[0]
    assert image.sum() == 9
    assert image.any(0).sum() == image.any(1).sum() == 3
    assert torch.equal(image, image.T)


def test_no_two_points_touch():
    assert label(points()[0].numpy(), torch.ones(3, 3).numpy())[1] == 9


@pytest.mark.parametrize("size", [32, 40])
def test_the_modulation_of_the_bars_themselves_is_one_at_any_brightness(size):
    assert bar_modulation(resolution_bars(size)[0]) == [1.0] * 4
    assert bar_modulation(0.3 * resolution_bars(size)[0]) == pytest.approx([1.0] * 4)


def test_a_constant_image_has_no_modulation_and_an_inverted_one_a_negative():
    assert bar_modulation(torch.full((32, 32), 0.7)) == pytest.approx([0.0] * 4, abs=1e-6)
    assert bar_modulation(1 - resolution_bars()[0]) == pytest.approx([-1.0] * 4)
    assert bar_modulation(torch.zeros(32, 32)) == [0.0] * 4


def test_a_haze_lowers_the_modulation_of_every_width_alike():
    """(1 + h − h) / (1 + 2h)."""
    assert bar_modulation(resolution_bars()[0] + 0.25) == pytest.approx([1 / 1.5] * 4)


def test_blur_lowers_the_modulation_the_more_the_narrower_the_bars():
    weak, strong = (bar_modulation(torch.from_numpy(gaussian_filter(resolution_bars()[0], s))) for s in (0.5, 0.8))
    for depths in (weak, strong):
        assert depths == sorted(depths)
        assert len(set(depths)) == 4 and depths[0] > 0 and depths[-1] < 1
    assert all(a > b for a, b in zip(weak, strong, strict=True))


@pytest.mark.parametrize("phantom, size", [(resolution_bars, 31), (resolution_bars, 32.5), (points, 3), (points, 0)])
def test_a_size_that_holds_no_phantom_is_refused_by_name(phantom, size):
    with pytest.raises(ValueError, match="^size: got"):
        phantom(size)


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e30])
def test_the_modulation_does_not_depend_on_the_unit(scale):
    """A floor of 1e-6 for the sum took bars of 1e-9 for flat."""
    hazy = (resolution_bars()[0] + 0.25) * scale
    assert bar_modulation(hazy) == pytest.approx([1 / 1.5] * 4)


@pytest.mark.parametrize("shape", [(16, 16), (31, 32), (32, 31)])
def test_an_image_that_does_not_hold_all_bars_is_refused(shape):
    """Of bars outside the image the mean is NaN, of those cut off another one."""
    with pytest.raises(ValueError, match="^image, sides: got .*, accepted is a whole number of at least 32"):
        bar_modulation(torch.ones(shape))
