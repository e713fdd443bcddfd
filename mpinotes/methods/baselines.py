"""What the papers' methods are compared with."""

from dataclasses import replace

from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.operators import Degradation


def ddpm(degradation: Degradation) -> DCCDMConfig:
    """The 3D DDPM of Qiu et al. (2026), Table 1: DCCDM without its two auxiliary terms, and nothing
    else changed. `degradation` is kept so that both configurations name the same operator.

    >>> from mpinotes.operators import Degradation
    >>> config = baselines.ddpm(Degradation(1.0))
    >>> config.lambda_dc, config.lambda_f
    (0.0, 0.0)
    """
    return replace(DCCDMConfig(degradation), lambda_dc=0.0, lambda_f=0.0)
