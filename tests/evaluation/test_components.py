import numpy as np
import pytest
import torch

from mpinotes.evaluation import (
    component_psnr,
    component_scores,
    component_ssim,
    largest_correlation,
    phase_of_peak,
    psnr,
    ssim,
)


def components(count=5, seed=0):
    """Complex, of modulus at most 1."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.rand(2, count, 2, 8, 9, generator=generator, dtype=torch.float64) * 1.4 - 0.7
    return torch.complex(*parts)


def real_pair():
    """Real components whose truth is positive where it is largest."""
    estimate, truth = components(seed=0).real, components(seed=1).real
    truth[..., 3, 3] = 0.9
    return estimate, truth


def turned(images, seed=3):
    angle = 6.28 * torch.rand(images.shape[:2], generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return images * torch.polar(torch.ones_like(angle), angle)[..., None, None]


@pytest.mark.parametrize("of_components, of_images", [(component_psnr, psnr), (component_ssim, ssim)])
def test_real_components_score_as_their_images_do_once_moved_to_the_unit_interval(of_components, of_images):
    estimate, truth = real_pair()
    images = [(x.flatten(0, 1).unsqueeze(1) + 1) / 2 for x in (estimate, truth)]
    torch.testing.assert_close(of_components(estimate, truth), of_images(*images))


@pytest.mark.parametrize("metric", [component_psnr, component_ssim])
def test_a_phase_of_the_receive_chain_changes_no_score(metric):
    estimate, truth = (x.to(torch.complex128) for x in real_pair())
    torch.testing.assert_close(metric(turned(estimate), turned(truth)), metric(estimate, truth))


def test_an_error_in_the_imaginary_part_counts():
    truth = components()
    assert (component_psnr(truth + 0.02j, truth) - 40).abs().max() < 1e-9


def test_exact_components_score_infinity_and_one():
    truth = components()
    assert torch.isinf(component_psnr(truth, truth)).all()
    torch.testing.assert_close(component_ssim(truth, truth), torch.ones(10, dtype=torch.float64))


def test_quartiles_hold_every_channel_on_its_own():
    estimate, truth = components(seed=0), components(seed=1)
    scores = component_scores(estimate, truth)
    for name, metric in (("psnr", component_psnr), ("ssim", component_ssim)):
        values = metric(estimate, truth)
        assert len(values) == 10
        expected = np.quantile(values.numpy(), [0.25, 0.5, 0.75], method="nearest")
        assert list(scores[name].values()) == pytest.approx(expected.tolist())


def test_a_copy_up_to_a_complex_factor_is_found():
    train, test = components(7), components(3, seed=1)
    train[4, 1] = 0.3j * test[2, 0]
    leak = largest_correlation(test, train)
    assert leak.shape == (6,)
    assert leak[4] == pytest.approx(1.0)
    assert leak[[0, 1, 2, 3, 5]].max() < 0.9


def test_correlations_agree_with_a_loop():
    test, train = components(2), components(3, seed=1)
    rows = [[x.flatten().numpy() for x in images.flatten(0, 1)] for images in (test, train)]
    expected = [max(abs(np.vdot(a, b)) / np.linalg.norm(a) / np.linalg.norm(b) for b in rows[1]) for a in rows[0]]
    assert largest_correlation(test, train).tolist() == pytest.approx(expected)


def test_wrong_input_is_refused_by_name():
    with pytest.raises(ValueError, match="^estimate: got shape"):
        component_psnr(components(2), components(3))
    with pytest.raises(ValueError, match="^truth: got NaN"):
        component_ssim(components(), components() * float("nan"))
    with pytest.raises(ValueError, match=r"^estimate: got shape \(\d+, 2, \d+, 6\), accepted are sides of 7 or more"):
        component_ssim(components()[..., :6], components()[..., :6])
    with pytest.raises(ValueError, match="^train: got grid"):
        largest_correlation(components(), components()[..., :4])


@pytest.mark.parametrize("scale", [1e-36, 1e-25, 1e25, 1e36])
def test_correlations_do_not_depend_on_the_scale_in_single_precision_either(scale):
    """Squares of volts per particle are no numbers of float32."""
    test, train = (components(seed=seed).to(torch.complex64) for seed in (0, 1))
    expected = largest_correlation(test, train)
    torch.testing.assert_close(largest_correlation(scale * test, train), expected)
    torch.testing.assert_close(largest_correlation(test, scale * train), expected)


def test_components_of_two_precisions_correlate_as_in_the_higher_one():
    test, train = components(seed=0), components(seed=1)
    found = largest_correlation(test, train.to(torch.complex64))
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, largest_correlation(test, train), atol=1e-6, rtol=0)
    torch.testing.assert_close(largest_correlation(test.real, train), largest_correlation(test.real + 0j, train))


@pytest.mark.parametrize("wrong", [[[1.0]], torch.ones(3), torch.zeros(0, 3), torch.ones(2, 2, dtype=torch.bool)])
def test_a_phase_is_that_of_images_with_values(wrong):
    with pytest.raises(ValueError, match="^components: got"):
        phase_of_peak(wrong)
