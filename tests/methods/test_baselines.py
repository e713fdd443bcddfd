from dataclasses import replace

from mpinotes.methods import baselines
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.operators import Degradation


def test_the_ddpm_is_dccdm_without_its_two_terms_and_nothing_else():
    dccdm = DCCDMConfig(Degradation(0.5))
    ddpm = baselines.ddpm(dccdm)
    assert (ddpm.lambda_dc, ddpm.lambda_f) == (0, 0)
    assert dccdm.lambda_dc > 0 and dccdm.lambda_f > 0
    assert replace(ddpm, lambda_dc=dccdm.lambda_dc, lambda_f=dccdm.lambda_f) == dccdm
