import dataclasses
import math

import pytest
import torch

from mpinotes.physics import LissajousScan, Particle, mixing_orders, simulate_system_matrix
from mpinotes.reconstruction import average_blocks, choose_lines, kaczmarz, norm_weights, spread_weights

GENERATOR = torch.Generator().manual_seed(0)
MATRIX = simulate_system_matrix(LissajousScan(shape=(4, 4), density=9), Particle(25e-9), mixing_orders(2, 5))
SNR = torch.rand(MATRIX.components.shape[:2], generator=GENERATOR, dtype=torch.float64) * 10
MEASURED = dataclasses.replace(MATRIX, snr=SNR)


def noise(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.complex128)


def test_every_choice_alone_and_all_together():
    order = MATRIX.mixing_orders.abs().sum(1)
    frequency = MATRIX.frequencies
    middle = frequency.median().item()
    assert choose_lines(MATRIX).all()
    first = choose_lines(MEASURED, channels=(0,))
    assert first[0].all() and not first[1].any()
    assert torch.equal(choose_lines(MEASURED, orders=(3, 4))[1], (order >= 3) & (order <= 4))
    assert torch.equal(choose_lines(MEASURED, band=(0.0, middle))[0], frequency <= middle)
    assert torch.equal(choose_lines(MEASURED, least_snr=5.0), SNR >= 5)
    together = choose_lines(MEASURED, channels=[1], orders=(3, 4), band=(0.0, middle), least_snr=5.0)
    expected = (order >= 3) & (order <= 4) & (frequency <= middle) & (SNR[1] >= 5)
    assert torch.equal(together[1], expected) and not together[0].any()


def test_the_mask_picks_rows_and_measurement_alike():
    lines = choose_lines(MEASURED, least_snr=5.0)
    voltage = MATRIX.components.sum((-2, -1))[None]  # of a phantom of ones
    rows = MATRIX.components[lines].flatten(1)
    torch.testing.assert_close(voltage[:, lines][0], rows.sum(1))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"channels": ()}, "channels"),
        ({"channels": 1}, "channels"),
        ({"channels": (2,)}, "channels"),
        ({"channels": (0, 1, 0)}, "channels"),
        ({"channels": (0.0,)}, "channels"),
        ({"orders": 3}, "orders"),
        ({"orders": (4, 3)}, "orders"),
        ({"band": (1e3,)}, "band"),
        ({"band": (math.nan, 1e9)}, "band"),
        ({"band": (1e9, 1e10)}, "channels, orders, band, least_snr"),
        ({"least_snr": 11.0}, "channels, orders, band, least_snr"),
        ({"least_snr": -1.0}, "least_snr"),
        ({"matrix": MATRIX, "least_snr": 1.0}, "least_snr"),
    ],
)
def test_choices_that_cannot_be_made_are_named(change, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        choose_lines(**({"matrix": MEASURED} | change))


def test_weighted_background_has_the_unit_covariance():
    """By maximum likelihood on the same frames exactly; on others within their scatter."""
    background = noise(2000, 2, 3) * torch.tensor([[1e-9, 1.0, 1e3], [3.0, 1e-3, 7.0]])
    offset = torch.tensor([[1e-8, 5.0, 0.0], [0.0, 1.0, -3.0]])
    weights = spread_weights(background + offset)
    variance = (background * weights).var(0)
    torch.testing.assert_close(variance, torch.ones_like(variance))
    fresh = torch.randn(2000, 2, 3, generator=GENERATOR, dtype=torch.complex128) / noise(2000, 2, 3).std(0)
    assert (fresh.var(0) - 1).abs().max() < 0.15


def test_constant_lines_were_not_measured_whatever_their_rounding():
    background = noise(7, 3).to(torch.complex64)
    background[:, 1] = 0.1 + 0.3j
    background[:, 2] = 0
    weights = spread_weights(background)
    assert weights[0] > 0 and weights[1:].tolist() == [0, 0]
    assert not spread_weights(torch.zeros(3, 2)).any()
    torch.testing.assert_close(spread_weights(1e-30 * background) * 1e-30, weights)


def test_norm_weights_are_those_of_kaczmarz():
    rows = noise(20, 6) * torch.logspace(-6, 6, 20, dtype=torch.float64)[:, None]
    rows[3] = 0
    weights = norm_weights(rows)
    norms = (weights[:, None] * rows).norm(dim=1)
    assert weights[3] == 0
    torch.testing.assert_close(norms, (weights > 0).double())
    torch.testing.assert_close(
        norm_weights(rows.to(torch.complex64) * 1e-25).double() * 1e-25, weights, rtol=1e-5, atol=0
    )
    u = noise(20, 2)
    given = kaczmarz(weights[:, None] * rows, weights[:, None] * u, weighted=False, sweeps=5)
    torch.testing.assert_close(kaczmarz(rows, u, sweeps=5), given)


def test_whitened_kaczmarz_is_the_weighted_least_squares_of_lapack():
    strengths = torch.logspace(-2, 2, 40, dtype=torch.float64)
    rows, background = noise(40, 5), strengths * torch.randn(50, 40, generator=GENERATOR, dtype=torch.complex128)
    weights = spread_weights(background)[:, None]
    u = rows @ torch.arange(5.0)[:, None].to(torch.complex128) + background[:1].T
    solution = kaczmarz(
        weights * rows, weights * u, weighted=False, real=True, non_negative=False, regularization=0.1, sweeps=500
    )
    parts = [torch.cat([x.real, x.imag]) for x in (weights * rows, weights * u)]
    shift = 0.1 * parts[0].square().sum() / 5
    augmented = torch.cat([parts[0], shift.sqrt() * torch.eye(5)]), torch.cat([parts[1], torch.zeros(5, 1)])
    torch.testing.assert_close(solution, torch.linalg.lstsq(*augmented).solution, atol=1e-8, rtol=1e-8)


def test_means_of_blocks_leave_the_rest_out_and_lower_the_noise():
    frames = torch.arange(14.0).view(7, 2)
    torch.testing.assert_close(average_blocks(frames, 3), torch.tensor([[2.0, 3.0], [8.0, 9.0]]))
    assert torch.equal(average_blocks(frames, 1), frames)
    averaged = average_blocks(noise(9000, 2), 9)
    torch.testing.assert_close(averaged.std(0), torch.full((2,), 1 / 3, dtype=torch.float64), rtol=0.1, atol=0)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: spread_weights(noise(1, 3)), "background, frames"),
        (lambda: spread_weights(noise(3)), "background"),
        (lambda: spread_weights(noise(3, 2) * math.nan), "background"),
        (lambda: spread_weights(torch.ones(3, 2, dtype=torch.int64)), "background"),
        (lambda: norm_weights(noise(3)), "rows"),
        (lambda: average_blocks(noise(3, 2), 4), "block"),
        (lambda: average_blocks(noise(3, 2), 1.5), "block"),
        (lambda: average_blocks(noise(0, 2), 1), "frames"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        call()
