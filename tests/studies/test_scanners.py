import pytest

from mpinotes.data import TRAIN_SEED, Imaging, image_pairs, image_split, synthetic_vessels
from mpinotes.evaluation import psnr
from mpinotes.studies import scanners
from mpinotes.studies.scanners import LADDER, scanner, tuned

VOLUMES = synthetic_vessels(3, side=16, seed=5).round()


def test_no_other_value_of_the_ladder_gives_better_images():
    chosen = tuned(Imaging(), VOLUMES)
    best = max(LADDER[:8], key=lambda value: _psnr(Imaging(regularization=value)))
    assert chosen.regularization == best and 0 < LADDER.index(best) < 7


def _psnr(imaging):
    return psnr(image_pairs(VOLUMES, imaging, seed=TRAIN_SEED).x_lr, VOLUMES).mean().item()


def test_more_noise_wants_more_regularization():
    chosen = [scanner(noise, count=2).regularization for noise in (0.25, 1.0, 4.0)]
    assert chosen == sorted(chosen) and chosen[0] < chosen[-1]


def test_a_scanner_differs_from_the_books_in_what_was_asked(monkeypatch):
    monkeypatch.setattr(scanners, "tuned", lambda imaging, volumes: imaging)
    changed, book = scanner(noise=0.5, count=1, gradient=2.0).scan, Imaging().scan
    assert changed.noise == 0.5 * book.noise and changed.gradient == tuple(2 * g for g in book.gradient)
    assert scanner(noise=1.0, count=1) == Imaging()


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_split_of_another_scanner_holds_the_same_volumes(split):
    own, other = image_split(split, 2), image_split(split, 2, Imaging(regularization=20.0))
    assert (own.x_hr == other.x_hr).all() and not (own.x_lr == other.x_lr).all()
    assert own.source == other.source and (own.x_lr == image_split(split, 2, Imaging()).x_lr).all()
