from dataclasses import replace

from mpinotes.methods.dccdm import DCCDMConfig, DiffusionMethod
from mpinotes.operators import Degradation
from mpinotes.studies import get_profile, terms
from mpinotes.studies.terms import CONDITION_TITLES, CONTROL, variants
from mpinotes.training import TrainState

FULL, ISOTROPIC = DCCDMConfig(Degradation((0.1, 1.2, 0.1))), DCCDMConfig(Degradation(0.5))


def test_the_control_is_first_and_every_variant_changes_one_thing():
    named = variants(FULL, ISOTROPIC)
    assert next(iter(named)) == CONTROL and named[CONTROL] == replace(FULL, lambda_dc=0.0, lambda_f=0.0)
    assert named["gamma/0.3"] == FULL and len(set(named.values())) == len(named)
    assert list(named) == list(CONDITION_TITLES)
    for name, config in named.items():
        changed = [field for field in vars(FULL) if getattr(config, field) != getattr(FULL, field)]
        assert len(changed) == {CONTROL: 2, "gamma/0.3": 0}.get(name, 1), name


def test_every_variant_has_a_folder_of_its_name(tmp_path, monkeypatch):
    """By number, another list of variants went on with the networks of the last one."""
    folders = []

    def train(model, method, data, config, *, folder):
        folders.append(folder)
        yield TrainState(config.steps, {"total": 1.0}, [1.0], 0.0, model)

    monkeypatch.setattr(terms, "train", train)
    monkeypatch.setattr(DiffusionMethod, "apply", lambda self, model, x_lr: x_lr)
    terms.run(get_profile("smoke"), tmp_path)
    assert folders == [tmp_path / "terms" / name for name in CONDITION_TITLES]
