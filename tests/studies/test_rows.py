"""From measured tensors to rows."""

import torch

from mpinotes.data import MATRIX_SPLITS
from mpinotes.evaluation import bootstrap_mean, component_scores
from mpinotes.studies.rows import SPLITS, Subject, differences, image_scores, training_log

SUBJECT = Subject("mine", "unet", "noisy")


def random(*shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_means_have_the_bootstrap_interval_and_count_what_is_behind_them():
    values = random(20)
    (row,) = SUBJECT.means({"psnr": values})
    known = bootstrap_mean(values)
    assert (row.mean, row.low, row.high) == tuple(round(x, 5) for x in (known.mean, known.low, known.high))
    assert (row.study, row.method, row.condition, row.metric, row.n) == ("mine", "unet", "noisy", "psnr", 20)


def test_quartiles_are_metrics_over_components_and_channels():
    truth, estimate = random(5, 2, 8, 8) + 0j, random(5, 2, 8, 8) * 0.9 + 0j
    rows = {row.metric: row for row in SUBJECT.quartiles(estimate, truth)}
    assert list(rows) == [f"{metric}_{q}" for metric in ("psnr", "ssim") for q in ("lower", "median", "upper")]
    assert rows["psnr_median"].mean == round(component_scores(estimate, truth)["psnr"]["median"], 4)
    assert all(row.n == 10 and row.low is None for row in rows.values())


def test_series_and_pictures_keep_what_means_something():
    assert SUBJECT.series("psnr", [1.23456, 2.0], 2).values == (1.23, 2.0)
    volume = random(8, 8, 8)
    pictures = SUBJECT.projections(volume, "mean/")
    assert [picture.view for picture in pictures] == ["mean/z", "mean/y"]
    for picture, dim in zip(pictures, (0, 1), strict=True):
        torch.testing.assert_close(picture.image, volume.amax(dim), atol=0.5 / 255 + 1e-6, rtol=0)


def test_differences_are_named_after_what_is_taken_away():
    truth = random(3, 1, 16, 16, 16)
    scores, reference = image_scores(0.9 * truth, truth), image_scores(0.8 * truth, truth)
    assert list(scores) == ["psnr", "ssim", "cleared_psnr", "cleared_ssim"]
    paired = differences(scores, reference, "ddpm")
    assert list(paired) == [f"{metric}_minus_ddpm" for metric in scores]
    assert torch.equal(paired["psnr_minus_ddpm"], scores["psnr"] - reference["psnr"])


def test_a_training_log_counts_the_volumes():
    card = {"method": "unet", "seed": 1, "training": {"steps": 10, "batch": 8}, "seconds": 3, "device": "cuda (H100)"}
    log = training_log(card, "training/1")
    assert (log.method, log.condition, log.seed, log.steps, log.samples, log.seconds) == (
        "unet", "training/1", 1, 10, 80, 3,
    )  # fmt: skip
    assert log.device_kind == "cuda" and log.loss == ()


def test_every_split_has_a_name_in_conditions():
    assert set(SPLITS) == set(MATRIX_SPLITS) and len(set(SPLITS.values())) == len(SPLITS)
