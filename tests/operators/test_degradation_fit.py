import numpy as np
import pytest
import torch

from mpinotes.operators import Degradation, fit_degradation


def random_volume(*shape, seed=0, dtype=torch.float64):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("sigma", [1.3, (0.7, 1.2, 1.9)])
def test_fit_recovers_the_operator_that_made_the_pairs(sigma):
    x_hr = random_volume(3, 1, 12, 12, 12)
    truth = Degradation(sigma, scale=0.6)
    fitted, residual = fit_degradation(x_hr, truth(x_hr), isotropic=isinstance(sigma, float))
    assert fitted.sigma == pytest.approx(sigma, rel=1e-3)
    assert fitted.scale == pytest.approx(0.6, rel=1e-3)
    assert residual < 1e-3


def test_fit_reports_the_relative_residual_of_the_operator_it_returns():
    x_hr, x_lr = random_volume(2, 1, 8, 8, 8), random_volume(2, 1, 8, 8, 8, seed=1)
    fitted, residual = fit_degradation(x_hr, x_lr)
    assert residual == pytest.approx(((fitted(x_hr) - x_lr).norm() / x_lr.norm()).item(), rel=1e-9)


def test_the_best_fit_beats_its_neighbours():
    x_hr = random_volume(2, 1, 8, 8, 8)
    x_lr = Degradation(1.0)(x_hr) + 0.1 * random_volume(2, 1, 8, 8, 8, seed=1)
    fitted, residual = fit_degradation(x_hr, x_lr, isotropic=True)
    neighbours = [(fitted.sigma * s, fitted.scale * g) for s, g in [(1.05, 1), (0.95, 1), (1, 1.02), (1, 0.98)]]
    errors = [(Degradation(s, scale=g)(x_hr) - x_lr).norm() / x_lr.norm() for s, g in neighbours]
    assert residual < min(errors)


@pytest.mark.parametrize(
    "name, x_hr, x_lr",
    [
        ("x_hr", torch.ones(4, 4, 4), torch.ones(4, 4, 4)),
        ("x_hr", torch.full((1, 1, 4, 4, 4), np.nan), torch.ones(1, 1, 4, 4, 4)),
        ("x_hr", torch.zeros(1, 1, 4, 4, 4), torch.ones(1, 1, 4, 4, 4)),
        ("x_hr", torch.ones(1, 1, 4, 4, 5), torch.ones(1, 1, 4, 4, 5)),
        ("x_lr", torch.ones(1, 1, 4, 4, 4), torch.ones(1, 1, 4, 4, 2)),
        ("x_lr", torch.ones(1, 1, 4, 4, 4), torch.full((1, 1, 4, 4, 4), np.nan)),
    ],
    ids=["wrong rank", "NaN", "empty truth", "sides not divisible by the factor", "other shape", "NaN image"],
)
def test_bad_pairs_are_refused_by_name(name, x_hr, x_lr):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        fit_degradation(x_hr, x_lr)


@pytest.mark.parametrize("name", ["factor", "steps"])
@pytest.mark.parametrize("value", [0, 1.5])
def test_options_of_the_fit_that_are_no_counts_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        fit_degradation(*[random_volume(1, 1, 4, 4, 4)] * 2, **{name: value})


def test_pairs_of_opposite_sign_are_refused_by_name():
    x_hr = random_volume(1, 1, 4, 4, 4)
    with pytest.raises(ValueError, match="^x_lr: got"):
        fit_degradation(x_hr, -x_hr)
