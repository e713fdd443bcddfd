import math

import numpy as np
import pytest
import torch
from skimage import metrics as skimage_metrics

from mpinotes.evaluation import psnr, rmse, ssim, summarise

both_dimensions = pytest.mark.parametrize("shape", [(3, 1, 9, 11), (3, 1, 8, 9, 7)])


def pairs(shape, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return [torch.rand(shape, generator=generator, dtype=dtype) for _ in range(2)]


def each(function, estimate, truth, **options):
    return [function(b[0], a[0], **options) for a, b in zip(estimate.numpy(), truth.numpy(), strict=True)]


@both_dimensions
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_metrics_are_those_of_scikit_image_volume_by_volume(shape, dtype):
    estimate, truth = pairs(shape, dtype)
    a, b = estimate.double(), truth.double()
    mse = each(skimage_metrics.mean_squared_error, a, b)
    np.testing.assert_allclose(rmse(estimate, truth), np.sqrt(mse), rtol=1e-12)
    np.testing.assert_allclose(
        psnr(estimate, truth), each(skimage_metrics.peak_signal_noise_ratio, a, b, data_range=1), rtol=1e-12
    )
    np.testing.assert_allclose(
        ssim(estimate, truth), each(skimage_metrics.structural_similarity, a, b, data_range=1, win_size=7), rtol=1e-12
    )


@both_dimensions
def test_identical_volumes_are_perfect(shape):
    x, _ = pairs(shape)
    assert torch.equal(psnr(x, x), torch.full((3,), math.inf, dtype=torch.float64))
    assert torch.equal(rmse(x, x), torch.zeros(3, dtype=torch.float64))
    torch.testing.assert_close(ssim(x, x), torch.ones(3, dtype=torch.float64))


@both_dimensions
def test_metrics_of_constants_have_closed_forms(shape):
    a, b = torch.full(shape, 0.6, dtype=torch.float64), torch.full(shape, 0.5, dtype=torch.float64)
    luminance = (2 * 0.6 * 0.5 + 1e-4) / (0.6**2 + 0.5**2 + 1e-4)
    assert rmse(a, b).tolist() == pytest.approx([0.1] * 3)
    assert psnr(a, b).tolist() == pytest.approx([20.0] * 3)
    assert ssim(a, b).tolist() == pytest.approx([luminance] * 3)


@both_dimensions
@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_metrics_do_not_care_which_of_the_two_is_the_truth(metric, shape):
    estimate, truth = pairs(shape)
    torch.testing.assert_close(metric(estimate, truth), metric(truth, estimate))


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_different_shapes_are_refused_by_name(metric):
    with pytest.raises(ValueError, match="^estimate: got shape"):
        metric(torch.zeros(2, 1, 8, 8), torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("metric", [psnr, rmse, ssim])
def test_nan_is_refused_by_name(metric):
    with pytest.raises(ValueError, match="^estimate: got NaN"):
        metric(torch.full((1, 1, 8, 8), math.nan), torch.zeros(1, 1, 8, 8))


def test_ssim_refuses_a_second_channel_it_would_not_look_at():
    with pytest.raises(ValueError, match="^estimate: got shape"):
        ssim(torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 8, 8))


def test_ssim_refuses_sides_shorter_than_its_window_by_name():
    with pytest.raises(ValueError, match="^estimate: got shape"):
        ssim(torch.zeros(1, 1, 8, 6), torch.zeros(1, 1, 8, 6))


@both_dimensions
def test_estimates_with_a_graph_are_measured(shape):
    estimate, truth = pairs(shape)
    graph = estimate.clone().requires_grad_() * 1
    for metric in (psnr, rmse, ssim):
        assert torch.equal(metric(graph, truth).detach(), metric(estimate, truth))
    assert summarise(graph, truth) == summarise(estimate, truth)


@pytest.mark.parametrize("metric", [psnr, rmse, ssim, summarise])
@pytest.mark.parametrize("estimate", [[[0.5]], None, np.zeros((2, 3)), torch.zeros(5), torch.tensor(0.5)])
def test_what_is_no_batch_of_tensors_is_refused_by_name(metric, estimate):
    with pytest.raises(ValueError, match="^estimate: got"):
        metric(estimate, torch.zeros(5))
