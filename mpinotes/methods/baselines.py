"""What the papers' methods are compared with."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from mpinotes.data import MatrixSetting, matrix_pairs
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.operators import Degradation


def ddpm(degradation: Degradation) -> DCCDMConfig:
    """The 3D DDPM of Qiu et al. (2026), Table 1: DCCDM without its two auxiliary terms, and nothing
    else changed. `degradation` is kept so that both configurations name the same operator."""
    return replace(DCCDMConfig(degradation), lambda_dc=0.0, lambda_f=0.0)


def refit_matrix(
    low: torch.Tensor, setting: MatrixSetting, orders: torch.Tensor, core_diameters: Sequence[float]
) -> tuple[torch.Tensor, float]:
    """High-gradient components by physics alone: find the core diameter [m] whose simulated
    low-gradient components fit `low`, (component, 2, y, x), best, and simulate the high ones.

    Of `setting` only frequency and density are used. Returns the components and the diameter.
    """
    candidates = [replace(setting, core_diameter=diameter) for diameter in core_diameters]
    pairs = matrix_pairs(candidates, orders, shape=(low.shape[-2], low.shape[-1]))
    error = (pairs.low.unflatten(0, (len(candidates), -1)) - low).square().flatten(1).sum(1)
    best = int(error.argmin())
    return pairs.high.unflatten(0, (len(candidates), -1))[best], core_diameters[best]
