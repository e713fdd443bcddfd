import pytest
import torch

from mpinotes.evaluation import clear_background, psnr, ssim


def test_only_faint_values_go():
    volume = torch.rand(2, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    cleared = clear_background(volume, 0.3)
    assert torch.equal(cleared == 0, volume <= 0.3) and torch.equal(cleared[volume > 0.3], volume[volume > 0.3])
    assert torch.equal(clear_background(cleared, 0.3), cleared) and torch.equal(clear_background(volume, 0.0), volume)


@pytest.mark.parametrize("haze", [0.005, 0.01, 0.03])
def test_a_faint_haze_costs_ssim_what_its_formula_says_and_clearing_takes_it_away(haze):
    empty = torch.zeros(1, 1, 16, 16, 16)
    hazy = empty + haze
    # Of SSIM only the term of the means is left: C₁ / (h² + C₁) with C₁ = 0.01².
    assert ssim(hazy, empty).item() == pytest.approx(1e-4 / (haze**2 + 1e-4), rel=1e-5)
    assert psnr(hazy, empty).item() > 30
    assert torch.equal(clear_background(hazy), empty)


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan")])
def test_a_threshold_outside_the_range_of_volumes_is_refused(threshold):
    with pytest.raises(ValueError, match="^threshold: got"):
        clear_background(torch.zeros(1), threshold)


def test_nan_is_no_background():
    assert clear_background(torch.tensor([float("nan"), 0.01, 0.5])).isnan().tolist() == [True, False, False]


@pytest.mark.parametrize("volume", [[0.1], None, torch.ones(3, dtype=torch.int64)])
def test_what_is_no_tensor_of_floats_is_refused(volume):
    with pytest.raises(ValueError, match="^volume: got"):
        clear_background(volume)
