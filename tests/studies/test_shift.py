import torch

from mpinotes.data import TEST_SEED, image_pairs, synthetic_vessels
from mpinotes.studies import shift

VOLUMES = synthetic_vessels(2, 8)


def test_cases_of_one_scanner_are_reconstructed_together_as_each_alone():
    _, named = shift.cases(VOLUMES)["as_trained"]
    chosen = [shift.Case(VOLUMES, named[name].disturb) for name in ("white/1", "impulsive/4")]
    together = shift._images({}, chosen)
    alone = shift._images({}, chosen[:1])
    assert len(together) == 2 and not torch.equal(together[0], together[1])
    assert together[0].shape == alone[0].shape == image_pairs(VOLUMES, seed=TEST_SEED).x_lr.shape


def test_more_noise_makes_worse_images():
    _, named = shift.cases(VOLUMES)["as_trained"]
    cases = [shift.Case(VOLUMES, named[f"white/{factor}"].disturb) for factor in ("0.5", "1", "4")]
    errors = [(x_lr - VOLUMES).square().mean() for x_lr in shift._images({}, cases)]
    assert errors[0] < errors[1] < errors[2]
