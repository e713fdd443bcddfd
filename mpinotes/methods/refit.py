"""The high-gradient matrix by physics alone: fit the particle to the low-gradient one and simulate."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import torch
from scipy.optimize import least_squares, minimize_scalar

from mpinotes.checks import check_choice, check_tensor
from mpinotes.data import (
    GRADIENT_RATIO,
    RANGES,
    MatrixPairs,
    MatrixSetting,
    ParticleSetting,
    matrix_scan,
    normalise_components,
    simulate_setting,
)
from mpinotes.numerics import ratio
from mpinotes.physics import DriveIntegrals, Particle, simulate_system_matrix

_S = TypeVar("_S")

SEARCHED = (10e-9, 70e-9)
"""Core diameters that are searched [m]."""

_FITTED = ("core_diameter", "anisotropy")


def refit_matrix(
    low: torch.Tensor,
    setting: MatrixSetting,
    orders: torch.Tensor,
    *,
    chain: str = "unknown",
    integrals: DriveIntegrals | None = None,
) -> tuple[torch.Tensor, float]:
    """High-gradient components of the core diameter, β ∝ d³, that explains most of the low-gradient ones.

    The model is one core size in equilibrium. Returns components of modulus ≤ 1, with the phases of `low` where
    the chain is unknown (zeros for a component of zeros, which has none), and the diameter [m].

    :param low: complex (component, 2, y, x) [V, any common unit], with white noise or none, so that this is
        a maximum-likelihood fit
    :param setting: of which only frequency and density are used
    :param orders: the mixing orders, (component, 2)
    :param chain: "unknown" gives every line a complex factor of its own; "known" gives all one real factor:
        phases must be the model's
    :param integrals: what several fits share, see `simulate_system_matrix`

    >>> from mpinotes.data import GRADIENT_RATIO, PAPER_TEST, matrix_scan
    >>> from mpinotes.methods.refit import refit_matrix
    >>> from mpinotes.physics import Particle, simulate_system_matrix
    >>> orders, scan = torch.tensor([[2, 1]]), matrix_scan(PAPER_TEST, GRADIENT_RATIO, (4, 4))
    >>> low = simulate_system_matrix(scan, Particle(32e-9), orders).components.transpose(0, 1)
    >>> high, core_diameter = refit_matrix(low, PAPER_TEST, orders)
    >>> high.shape, f"{core_diameter:.2e} m"
    (torch.Size([1, 2, 4, 4]), '3.20e-08 m')
    """
    check_choice("chain", chain, ("unknown", "known"))
    measured = _checked(low, orders)
    integrals = DriveIntegrals() if integrals is None else integrals

    def simulate(core_diameter: float, ratio: float) -> torch.Tensor:
        scan = matrix_scan(setting, ratio, (low.shape[-2], low.shape[-1]))
        particle = Particle(core_diameter)
        return simulate_system_matrix(scan, particle, orders, integrals=integrals).components.transpose(0, 1)

    def unexplained(core_diameter: float) -> float:
        return -_explained(simulate(core_diameter, GRADIENT_RATIO), measured, chain)

    best = minimize_scalar(unexplained, bounds=SEARCHED, method="bounded", options={"xatol": 1e-12}).x
    high, _ = normalise_components(simulate(best, 1.0))
    if chain == "unknown":
        high = _with_phases(high, simulate(best, GRADIENT_RATIO), measured)
    return high.to(low.dtype), best


def refit_setting(
    low: torch.Tensor,
    believed: ParticleSetting,
    orders: torch.Tensor,
    *,
    integrals: DriveIntegrals | None = None,
) -> tuple[torch.Tensor, ParticleSetting]:
    """High-gradient components of the core diameter and the anisotropy that explain most of the low-gradient ones,
    with everything else as `believed`: how good they are depends on how much of it is true.

    Least squares find both, within `RANGES`. The receive chain is unknown, see `refit_matrix`. Returns components of
    modulus ≤ 1, with the phases of `low`, and the setting that was found.

    :param low: complex (component, 2, y, x) [V, any common unit]
    :param believed: tracer and scanner, whose diameter and anisotropy do not matter
    :param orders: the mixing orders, (component, 2)
    :param integrals: what several fits share, see `simulate_system_matrix`

    >>> from dataclasses import replace
    >>> from mpinotes.data import particle_pairs, particle_split
    >>> from mpinotes.methods.refit import refit_setting
    >>> truth = replace(particle_split("fluid").test[0], diameter_spread=0.0, anisotropy_spread=0.0, free_share=0.0)
    >>> pairs = particle_pairs([truth], torch.tensor([[2, 1], [3, 4]]), shape=(6, 6))
    >>> high, found = refit_setting(pairs.low_voltage, replace(truth, core_diameter=25e-9), pairs.orders)
    >>> abs(found.core_diameter / truth.core_diameter - 1) < 0.01
    True
    """
    measured = _checked(low, orders)
    integrals = DriveIntegrals(capacity=4) if integrals is None else integrals
    bounds = [tuple(map(math.log, RANGES[name])) for name in _FITTED]
    shape, strength = (low.shape[-2], low.shape[-1]), measured.abs().square().sum().sqrt()

    def setting(logarithms: np.ndarray) -> ParticleSetting:
        return replace(believed, **dict(zip(_FITTED, np.exp(logarithms).tolist(), strict=True)))

    def simulate(setting: ParticleSetting, ratio: float) -> torch.Tensor:
        return simulate_setting(setting, ratio, orders, shape, integrals).transpose(0, 1)

    def residuals(logarithms: np.ndarray) -> np.ndarray:
        model = simulate(setting(logarithms), GRADIENT_RATIO)
        factor = ratio(_inner(model, measured), _inner(model, model))
        return torch.view_as_real((measured - factor[..., None, None] * model) / strength).flatten().cpu().numpy()

    start = [(a + b) / 2 for a, b in bounds]
    found = least_squares(
        residuals, start, bounds=tuple(zip(*bounds, strict=True)), diff_step=1e-4, xtol=1e-4, ftol=1e-7, max_nfev=20
    )
    best = setting(found.x)
    high, _ = normalise_components(simulate(best, 1.0))
    return _with_phases(high, simulate(best, GRADIENT_RATIO), measured).to(low.dtype), best


def _checked(low: torch.Tensor, orders: torch.Tensor) -> torch.Tensor:
    check_tensor("low", low, 4, "(component, 2, y, x)", complex_too=True)
    if not low.is_complex() or len(low) != len(orders) or low.shape[1] != 2:
        raise ValueError(f"low: got {low.dtype} of shape {tuple(low.shape)}, accepted is complex ({len(orders)}, 2, …)")
    if not low.any():
        raise ValueError("low: got components that are zero everywhere, accepted is at least one with a signal")
    return low.to(torch.complex128)


def _inner(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a.conj() * b).sum((-2, -1))


def _explained(model: torch.Tensor, measured: torch.Tensor, chain: str) -> float:
    """Energy of the measured components that the model's hold, each times the factor that the chain allows."""
    product, energy = _inner(model, measured), _inner(model, model).real
    if chain == "known":
        return ratio(product.real.sum().clamp_min(0).square(), energy.sum()).item()
    return ratio(product.abs().square(), energy).sum().item()


def _with_phases(high: torch.Tensor, model: torch.Tensor, measured: torch.Tensor) -> torch.Tensor:
    """The high-gradient components with the phases that turn the low-gradient `model` to what was measured."""
    product = _inner(model, measured)
    return high * ratio(product, product.abs())[..., None, None]


def refit_pairs(
    pairs: MatrixPairs,
    settings: Sequence[MatrixSetting],
    *,
    chain: str = "unknown",
    integrals: DriveIntegrals | None = None,
) -> torch.Tensor:
    """`refit_matrix` for every setting of test pairs, from their low-gradient components in volts: the
    high-gradient components, complex (setting · component, 2, y, x).

    >>> from mpinotes.data import PAPER_TEST, matrix_pairs
    >>> pairs = matrix_pairs([PAPER_TEST], torch.tensor([[2, 1]]), shape=(4, 4))
    >>> torch.allclose(refit_pairs(pairs, [PAPER_TEST]), pairs.high, atol=1e-3)
    True
    """
    integrals = DriveIntegrals() if integrals is None else integrals
    matrices = [
        refit_matrix(low, setting, orders, chain=chain, integrals=integrals)[0]
        for low, orders, setting in _by_setting(pairs, settings)
    ]
    return torch.cat(matrices).to(pairs.low.dtype)


def refit_settings(pairs: MatrixPairs, believed: Sequence[ParticleSetting]) -> torch.Tensor:
    """`refit_setting` for every setting of test pairs, as `refit_pairs`.

    >>> from mpinotes.data import particle_pairs, particle_split
    >>> from mpinotes.methods.refit import refit_settings
    >>> settings = particle_split("fluid").test[:1]
    >>> refit_settings(particle_pairs(settings, torch.tensor([[2, 1]]), shape=(2, 2)), settings).shape
    torch.Size([1, 2, 2, 2])
    """
    integrals = DriveIntegrals(capacity=4)
    matrices = [
        refit_setting(low, setting, orders, integrals=integrals)[0]
        for low, orders, setting in _by_setting(pairs, believed)
    ]
    return torch.cat(matrices).to(pairs.low.dtype)


def _by_setting(pairs: MatrixPairs, settings: Sequence[_S]) -> Iterator[tuple[torch.Tensor, torch.Tensor, _S]]:
    """Low-gradient components [V], their orders and the setting they belong to."""
    low, orders = (x.chunk(len(settings)) for x in (pairs.low_voltage, pairs.orders))
    return zip(low, orders, settings, strict=True)
