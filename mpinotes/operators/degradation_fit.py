"""The degradation operator that explains given pairs best."""

from typing import Any

import torch

from mpinotes.checks import check_count, check_same_shape, check_tensor
from mpinotes.numerics import full_precision
from mpinotes.operators.degradation import (
    Degradation,
    apply_separable,
    averaging_matrix,
    check_sides,
    gaussian_matrix,
    upsampling_matrix,
)


@full_precision
def fit_degradation(
    x_hr: torch.Tensor, x_lr: torch.Tensor, *, factor: int = 2, isotropic: bool = False, steps: int = 30
) -> tuple[Degradation, float]:
    """Least-squares fit of σ (one, or one per axis) and the scale of D to pairs of volumes.

    Returns the operator and its relative residual ‖s·D(x_HR) − x_LR‖ / ‖x_LR‖. For a given σ the
    best scale is closed-form; σ is found by L-BFGS. Raises ``ValueError`` for volumes without a
    signal, and for images that are anti-correlated with D(x_HR).

    :param x_hr: the truth, (batch, 1, z, y, x)
    :param x_lr: its images, (batch, 1, z, y, x)
    :param factor: of the averaging, a divisor of every side
    :param isotropic: one σ for all axes
    :param steps: of L-BFGS, at most

    >>> x_hr = torch.rand(1, 1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> fitted, residual = fit_degradation(x_hr, Degradation(0.8)(x_hr), isotropic=True)
    >>> round(fitted.sigma, 2), residual < 0.01
    (0.8, True)
    """
    _check_pairs(x_hr, x_lr, factor)
    check_count("steps", steps)
    with torch.inference_mode(False), torch.enable_grad():  # the fit needs them, whatever the caller does without
        return _fit(x_hr.detach().clone(), x_lr.detach().clone(), factor, isotropic, steps)


def _fit(x_hr: torch.Tensor, x_lr: torch.Tensor, factor: int, isotropic: bool, steps: int) -> tuple[Degradation, float]:
    sides = x_hr.shape[-3:]
    options: dict[str, Any] = {"dtype": x_hr.dtype, "device": x_hr.device}
    resample = [upsampling_matrix(n, factor, **options) @ averaging_matrix(n, factor, **options) for n in sides]
    log_sigma = torch.zeros(1 if isotropic else 3, requires_grad=True, **options)
    optimizer = torch.optim.LBFGS([log_sigma], max_iter=steps, line_search_fn="strong_wolfe")

    def scale_and_residual() -> tuple[torch.Tensor, torch.Tensor]:
        sigmas = log_sigma.exp().expand(3)
        blurs = [up @ gaussian_matrix(n, s) for up, n, s in zip(resample, sides, sigmas, strict=True)]
        degraded = apply_separable(x_hr, blurs)
        scale = (degraded * x_lr).sum() / degraded.square().sum()
        return scale, (scale * degraded - x_lr).square().sum() / x_lr.square().sum()

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        residual = scale_and_residual()[1]
        residual.backward()
        return residual

    optimizer.step(closure)
    with torch.no_grad():
        scale, residual = scale_and_residual()
        z, y, x = log_sigma.exp().expand(3).tolist()
    if scale <= 0:
        raise ValueError("x_lr: got volumes anti-correlated with D(x_hr), accepted are images of x_hr")
    operator = Degradation(z if isotropic else (z, y, x), factor, scale.item())
    return operator, residual.sqrt().item()


def _check_pairs(x_hr: torch.Tensor, x_lr: torch.Tensor, factor: int) -> None:
    check_tensor("x_hr", x_hr, 5, "(batch, 1, z, y, x)")
    check_tensor("x_lr", x_lr, 5, "(batch, 1, z, y, x)")
    check_same_shape("x_lr", x_lr, "x_hr", x_hr)
    for name, volumes in (("x_hr", x_hr), ("x_lr", x_lr)):
        if not volumes.any():
            raise ValueError(f"{name}: got volumes that are zero everywhere, accepted are those with a signal")
    check_count("factor", factor)
    check_sides("x_hr", x_hr.shape[-3:], factor)
