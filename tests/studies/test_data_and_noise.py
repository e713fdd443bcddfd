from dataclasses import dataclass, replace

import pytest

from mpinotes.data import Imaging, image_split
from mpinotes.studies import data_and_noise, get_profile
from mpinotes.studies.data_and_noise import NOISES, SEEDS, SIZES, cells, compared

CHOSEN = {"lambda_dc": 0.3, "lambda_f": 0.2, "radius": 0.4, "isotropic": 1.0, "constant": 0.0}


@dataclass
class Weights:
    """A record of a search that chose more consistency where data are few."""

    def value(self, method, metric, condition):
        return CHOSEN[metric] * (2 if (condition, metric) == ("few_noisy/chosen", "lambda_dc") else 1)


@pytest.fixture(autouse=True)
def searched(monkeypatch):
    monkeypatch.setattr(data_and_noise, "load_record", lambda name: Weights())


def test_dccdm_has_the_weights_of_the_record_and_the_ddpm_none():
    methods = compared(image_split("train", 2))
    many, few, ddpm = (methods[name].config for name in ("dccdm_as_trained", "dccdm_few_noisy", "ddpm"))
    assert (many.lambda_dc, few.lambda_dc, many.lambda_f, many.radius) == (0.3, 0.6, 0.2, 0.4)
    assert isinstance(many.degradation.sigma, float) and many.time_weight == "alpha_bar"
    assert (ddpm.lambda_dc, ddpm.lambda_f) == (0.0, 0.0)


def test_every_cell_is_trained_once_and_every_corner_three_times(tmp_path, monkeypatch):
    folders = []

    def train_small(method, pairs, steps, seed, folder):
        folders.append(folder)
        factor = {"ddpm": 0.5, "unet": 0.6}.get(folder.name, 0.7)
        return lambda x_lr: factor * x_lr

    monkeypatch.setattr(data_and_noise, "train_small", train_small)
    monkeypatch.setattr(data_and_noise, "scanner", lambda noise, count: Imaging())
    profile = replace(get_profile("smoke"), train_volumes=3, test_volumes=2)
    record = data_and_noise.run(profile, tmp_path)
    grid = cells(3)
    assert len(set(folders)) == len(folders) == 4 * sum(map(len, grid.values())) == 4 * (3 + 1 + 3)
    assert {row.mean for row in record.select("ddpm", metric="psnr_minus_ddpm")} == {0.0}
    for (noise, size), seeds in grid.items():
        for seed in seeds:
            condition = f"volumes/{size}/noise/{noise:g}/seed/{seed}"
            gain = record.value("unet", "psnr", condition) - record.value("ddpm", "psnr", condition)
            assert record.value("unet", "psnr_minus_ddpm", condition) == pytest.approx(gain, abs=2e-5)


def test_no_two_cells_have_the_same_volumes_and_the_corners_have_three_trainings():
    grid = cells(400)
    assert list(grid) == [(noise, size) for noise in NOISES for size in (32, 128, 400)]
    assert {cell for cell, seeds in grid.items() if len(seeds) == SEEDS} == {
        (NOISES[0], 32), (NOISES[0], 400), (NOISES[-1], 32), (NOISES[-1], 400)
    }  # fmt: skip
    assert len(cells(5000)) == len(NOISES) * len(SIZES)
