from dataclasses import replace

import pytest
import torch

from mpinotes.data import MatrixPairs
from mpinotes.methods import fit_pattern, nearest_neighbour

COMPONENTS, SETTINGS = 3, 5


def noise(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.complex64, generator=torch.Generator().manual_seed(seed))


def normalised(images):
    return images / images.abs().amax((-2, -1), keepdim=True)


def turned(images, seed):
    angle = 6.28 * torch.rand(*images.shape[:2], 1, 1, generator=torch.Generator().manual_seed(seed))
    return images * torch.polar(torch.ones_like(angle), angle)


LOW, HIGH = (normalised(noise(SETTINGS * COMPONENTS, 2, 6, 8, seed=seed)) for seed in (1, 2))
SCALE, INDEX = torch.ones(15, 2), torch.arange(SETTINGS).repeat_interleave(COMPONENTS)
TRAIN = MatrixPairs(LOW, HIGH, SCALE, SCALE, INDEX, torch.ones(15, 2).long())


def test_training_components_come_back_exactly():
    torch.testing.assert_close(nearest_neighbour(LOW, TRAIN, COMPONENTS), HIGH, rtol=0, atol=1e-5)


def test_they_come_back_in_any_order_of_the_settings_and_in_the_phase_of_low():
    """A turn of the low component turns the answer by the same phase, channel by channel."""
    places = torch.tensor([4, 1])
    low, high = (x.unflatten(0, (-1, COMPONENTS))[places].flatten(0, 1) for x in (LOW, HIGH))
    for dtype in (torch.complex64, torch.complex128):
        result = nearest_neighbour(turned(low, 3).to(dtype), TRAIN, COMPONENTS)
        torch.testing.assert_close(result, turned(high, 3).to(dtype), rtol=0, atol=1e-5)


def test_noise_and_scale_of_low_do_not_change_what_is_found():
    noisy = 0.1 * (LOW + 0.05 * noise(*LOW.shape, seed=4))
    torch.testing.assert_close(nearest_neighbour(noisy, TRAIN, COMPONENTS), HIGH, rtol=0, atol=0.1)


def test_only_components_of_the_same_order_are_searched():
    """A low component of the first order asked as the second: another one answers, though it is known."""
    result = nearest_neighbour(LOW[:3].roll(1, dims=0), TRAIN, COMPONENTS)
    moduli, known = result.abs(), HIGH.abs().unflatten(0, (-1, COMPONENTS))
    for order in range(COMPONENTS):
        for channel in range(2):
            distances = (known[:, :, channel] - moduli[order, channel]).abs().amax((-2, -1))  # (setting, order)
            assert (distances < 1e-5).nonzero()[:, 1].tolist() == [order]


def test_a_louder_training_component_is_not_preferred():
    loud = LOW * torch.linspace(1, 20, len(LOW)).view(-1, 1, 1, 1)
    torch.testing.assert_close(nearest_neighbour(LOW, replace(TRAIN, low=loud), COMPONENTS), HIGH, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "low, components",
    [(LOW[:4], 3), (LOW[..., :7], 3), (LOW[:, :1], 3), (LOW[0], 3), (LOW[:14], 7)],
    ids=["count", "grid", "channels", "dims", "train"],
)
def test_components_of_another_shape_are_refused_by_name(low, components):
    with pytest.raises(ValueError, match="^low: got shape"):
        nearest_neighbour(low, TRAIN, components)


@pytest.mark.parametrize("low", [LOW.real, LOW.tolist(), LOW * float("nan")])
def test_what_is_no_complex_component_is_refused(low):
    """A real component got the real part of its complex answer."""
    with pytest.raises(ValueError, match="^low: got"):
        nearest_neighbour(low, TRAIN, COMPONENTS)


def test_training_components_are_pairs():
    with pytest.raises(ValueError, match="^train: got Tensor, accepted is a MatrixPairs"):
        nearest_neighbour(LOW, LOW, COMPONENTS)


@pytest.mark.parametrize("low", [LOW[:2], LOW[:1, :1], LOW[0], None])
def test_a_pattern_is_fitted_to_one_component_for_each_order(low):
    """One order was taken for that of every component."""
    with pytest.raises(ValueError, match="^low: got"):
        fit_pattern(low, torch.tensor([[2, 1]]))
