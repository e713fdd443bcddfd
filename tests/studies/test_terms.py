from dataclasses import replace

from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.operators import Degradation
from mpinotes.studies.terms import CONDITION_TITLES, CONTROL, variants

FULL, ISOTROPIC = DCCDMConfig(Degradation((0.1, 1.2, 0.1))), DCCDMConfig(Degradation(0.5))


def test_the_control_is_first_and_every_variant_changes_one_thing():
    named = variants(FULL, ISOTROPIC)
    assert next(iter(named)) == CONTROL and named[CONTROL] == replace(FULL, lambda_dc=0.0, lambda_f=0.0)
    assert named["gamma/0.3"] == FULL and len(set(named.values())) == len(named)
    assert list(named) == list(CONDITION_TITLES)
    for name, config in named.items():
        changed = [field for field in vars(FULL) if getattr(config, field) != getattr(FULL, field)]
        assert len(changed) == {CONTROL: 2, "gamma/0.3": 0}.get(name, 1), name
