import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d

from mpinotes.methods.wiener import fit_wiener


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.complex128, generator=seeded(seed))


def blurred(images, kernels):
    """Every channel of every component convolved with its own kernel, in full, and cut to size."""
    result = torch.empty_like(images)
    for i, component in enumerate(images):
        for channel, image in enumerate(component):
            full = convolve2d(image.numpy(), kernels[i % len(kernels), channel].numpy())
            result[i, channel] = torch.from_numpy(full)[: image.shape[0], : image.shape[1]]
    return result


def with_margin(count, height, width, seed=0):
    """Components that a kernel of 3 by 3 does not carry over the edge."""
    images = torch.zeros(count, 2, height, width, dtype=torch.complex128)
    images[..., :-2, :-2] = noise(count, 2, height - 2, width - 2, seed=seed)
    return images


@given(components=st.integers(1, 3), side=st.integers(4, 9), width=st.integers(4, 9))
def test_a_convolution_of_every_order_and_channel_is_recovered(components, side, width):
    kernels = 0.02 * noise(components, 2, 3, 3, seed=1)
    train, test = (with_margin(settings * components, side, width, settings) for settings in (8, 2))
    found = fit_wiener(train, blurred(train, kernels), components)
    assert found.gain.shape == (components, 2, 2 * side, 2 * width)
    truth = torch.fft.fft2(kernels, s=(2 * side, 2 * width))
    torch.testing.assert_close(found.gain, truth, rtol=0, atol=1e-3)
    expected = blurred(test, kernels)
    assert expected.abs().max() < 1
    torch.testing.assert_close(found(test), expected, rtol=0, atol=1e-3)


def test_what_leaves_an_edge_does_not_come_in_at_the_other():
    """A shift by one pixel: a filter on the images' own grid would carry the last column to the first."""
    shift = torch.zeros(1, 2, 2, 2, dtype=torch.complex128)
    shift[..., 0, 1] = 1
    train = with_margin(8, 6, 6)
    image = torch.ones(1, 2, 6, 6, dtype=torch.complex128)
    result = fit_wiener(train, blurred(train, shift), 1)(image)
    torch.testing.assert_close(result, blurred(image, shift), rtol=0, atol=1e-3)
    assert result[..., 0].abs().max() < 1e-3


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0, 2.0])
def test_noise_in_training_shrinks_the_gain(spread):
    """To 1/(1 + σ²) for white components under white noise."""
    truth = noise(2000, 2, 4, 4, seed=1)
    gain = fit_wiener(truth + spread * noise(2000, 2, 4, 4, seed=2), truth, 1).gain
    assert gain.real.mean().item() == pytest.approx(1 / (1 + spread**2), abs=0.02)
    assert gain.imag.abs().mean() < 0.05


def test_it_is_the_best_filter_there_is():
    """No other gain, on the padded grid, leaves less error in training."""
    low, high = noise(30, 2, 4, 4, seed=1), noise(30, 2, 4, 4, seed=2)
    gain = fit_wiener(low, high, 3).gain
    spectra = [torch.fft.fft2(x, s=(8, 8)).unflatten(0, (-1, 3)) for x in (low, high)]

    def error(gain):
        return (gain * spectra[0] - spectra[1]).abs().square().sum()

    assert all(error(gain) <= error(gain + 0.05 * noise(*gain.shape, seed=seed)) for seed in range(5))


def test_no_modulus_exceeds_one_and_dtype_is_kept():
    low = noise(4, 2, 6, 6)
    low = (low / low.abs().amax((-2, -1), keepdim=True)).to(torch.complex64)
    result = fit_wiener(low, 3 * low, 2)(low)
    assert result.dtype == torch.complex64
    torch.testing.assert_close(result, low, rtol=0, atol=1e-4)


def test_frequencies_that_hold_nothing_are_not_amplified():
    low = torch.ones(1, 2, 4, 4, dtype=torch.complex128)  # its padded spectrum has zeros
    assert torch.isfinite(fit_wiener(low, low, 1).gain).all()
    assert fit_wiener(low, low, 1).gain.abs().max() <= 1


def test_wrong_input_is_refused_by_name():
    low = noise(6, 2, 4, 4)
    with pytest.raises(ValueError, match="^low: got shape"):
        fit_wiener(low[0], low[0], 1)
    with pytest.raises(ValueError, match="^low: got NaN"):
        fit_wiener(low * math.nan, low, 1)
    with pytest.raises(ValueError, match="^high: got shape"):
        fit_wiener(low, low[:3], 1)
    for components, accepted in ((0, "a whole number of at least 1"), (4, "a divisor of the 6 rows")):
        with pytest.raises(ValueError, match=f"^components: got {components}, accepted is {accepted}"):
            fit_wiener(low, low, components)
    with pytest.raises(ValueError, match="^low: got shape .2, 2, 4, 4., accepted are multiples of 3 components"):
        fit_wiener(low, low, 3)(low[:2])


@pytest.mark.parametrize("components", [0, 2.0, None])
def test_components_are_counted(components):
    low = torch.ones(4, 2, 4, 4) + 0j
    with pytest.raises(ValueError, match=f"^components: got {components}, accepted is a whole number"):
        fit_wiener(low, low, components)
    with pytest.raises(ValueError, match="^high: got list, accepted is a torch tensor of the shape of low"):
        fit_wiener(low, low.tolist(), 2)
