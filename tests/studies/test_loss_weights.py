from dataclasses import replace

import torch

from mpinotes.data import Imaging, image_split
from mpinotes.studies import get_profile, loss_weights
from mpinotes.studies.loss_weights import PLACES, SEARCHED, SEEDS, configured, fitted

WANTED = {"lambda_dc": 0.1, "lambda_f": 10.0, "radius": 0.5, "isotropic": 1, "constant": 0}


def test_a_choice_changes_what_it_names_and_nothing_else():
    full, isotropic = fitted(image_split("train", 2))
    assert configured(full, isotropic, {}) == full
    assert configured(full, isotropic, {"isotropic": 1}) == isotropic != full
    changed = configured(full, isotropic, {"lambda_dc": 0.5, "radius": 0.3, "constant": 1}).config
    assert changed == replace(full.config, lambda_dc=0.5, radius=0.3, time_weight="constant")


def test_the_search_finds_settings_that_are_best_each_alone(tmp_path, monkeypatch):
    """The error of an answer says how far its settings are from those wanted: each setting adds its own part."""
    trained = []

    def train_small(method, pairs, steps, seed, folder):
        trained.append(folder)
        config, isotropic = method.config, isinstance(method.config.degradation.sigma, float)
        found = {
            "lambda_dc": config.lambda_dc, "lambda_f": config.lambda_f, "radius": config.radius,
            "isotropic": isotropic, "constant": config.time_weight == "constant",
        }  # fmt: skip
        wrong = sum(found[name] != value for name, value in WANTED.items())
        return lambda x_lr: torch.full_like(x_lr, 0.1 * (1 + wrong))

    monkeypatch.setattr(loss_weights, "train_small", train_small)
    monkeypatch.setattr(loss_weights, "scanner", lambda noise, count: Imaging())
    record = loss_weights.run(get_profile("smoke"), tmp_path)
    for place in PLACES:
        for name, value in WANTED.items():
            assert record.value("dccdm", name, f"{place}/chosen") == value
        for seed in SEEDS:
            assert record.value("dccdm", "psnr", f"{place}/chosen/seed/{seed}") > record.value(
                "ddpm", "psnr", f"{place}/seed/{seed}"
            )
    options = sum(len(values) - 1 for values in SEARCHED.values()) + 1  # each setting's best is there already
    assert len(set(trained)) == len(trained) == len(PLACES) * (options + len(SEEDS) + len(SEEDS) - 1)
