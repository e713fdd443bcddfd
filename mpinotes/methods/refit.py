"""The high-gradient matrix by physics alone: fit the particle to the low-gradient one and simulate."""

from collections.abc import Sequence

import torch
from scipy.optimize import minimize_scalar

from mpinotes.checks import check_choice, check_tensor
from mpinotes.data import GRADIENT_RATIO, MatrixPairs, MatrixSetting, matrix_scan, normalise_components
from mpinotes.numerics import ratio
from mpinotes.physics import DriveIntegrals, Particle, simulate_system_matrix

SEARCHED = (20e-9, 70e-9)
"""Core diameters that are searched [m]."""


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
    check_tensor("low", low, 4, "(component, 2, y, x)", complex_too=True)
    if not low.is_complex() or len(low) != len(orders) or low.shape[1] != 2:
        raise ValueError(f"low: got {low.dtype} of shape {tuple(low.shape)}, accepted is complex ({len(orders)}, 2, …)")
    if not low.any():
        raise ValueError("low: got components that are zero everywhere, accepted is at least one with a signal")
    measured = low.to(torch.complex128)
    integrals = DriveIntegrals() if integrals is None else integrals

    def simulate(core_diameter: float, ratio: float) -> torch.Tensor:
        scan = matrix_scan(setting, ratio, (low.shape[-2], low.shape[-1]))
        particle = Particle(core_diameter)
        return simulate_system_matrix(scan, particle, orders, integrals=integrals).components.transpose(0, 1)

    def inner(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a.conj() * b).sum((-2, -1))

    def unexplained(core_diameter: float) -> float:
        model = simulate(core_diameter, GRADIENT_RATIO)
        product, energy = inner(model, measured), inner(model, model).real
        if chain == "known":
            return -ratio(product.real.sum().clamp_min(0).square(), energy.sum()).item()
        return -ratio(product.abs().square(), energy).sum().item()

    best = minimize_scalar(unexplained, bounds=SEARCHED, method="bounded", options={"xatol": 1e-12}).x
    high, _ = normalise_components(simulate(best, 1.0))
    if chain == "unknown":
        product = inner(simulate(best, GRADIENT_RATIO), measured)
        high = high * ratio(product, product.abs())[..., None, None]
    return high.to(low.dtype), best


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
    low = pairs.low_voltage.chunk(len(settings))
    orders = pairs.orders[: len(pairs.orders) // len(settings)]
    integrals = DriveIntegrals() if integrals is None else integrals
    matrices = [
        refit_matrix(part, setting, orders, chain=chain, integrals=integrals)[0]
        for part, setting in zip(low, settings, strict=True)
    ]
    return torch.cat(matrices).to(pairs.low.dtype)
