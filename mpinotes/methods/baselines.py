"""What DCCDM is compared with."""

from dataclasses import replace

from mpinotes.methods.dccdm import DCCDMConfig


def ddpm(config: DCCDMConfig) -> DCCDMConfig:
    """The 3D DDPM of Qiu et al. (2026), Table 1: DCCDM without its two auxiliary terms, and nothing
    else changed. The degradation is kept so that both configurations name the same operator.

    >>> config = baselines.ddpm(dccdm.DCCDMConfig())
    >>> config.lambda_dc, config.lambda_f
    (0.0, 0.0)
    """
    return replace(config, lambda_dc=0.0, lambda_f=0.0)
