"""What each term of DCCDM does: the same network trained on with one thing changed at a time."""

from dataclasses import replace
from pathlib import Path

import torch

from mpinotes.data import FIT_VOLUMES, image_split
from mpinotes.methods import METHODS, baselines, load
from mpinotes.methods.dccdm import DCCDMConfig
from mpinotes.operators import fit_degradation
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.training import TrainConfig, train, with_bar

STUDY = "terms"

CONTROL = "control"
"""The condition that all others are compared with."""

GAMMAS = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0)

CONDITION_TITLES = {
    CONTROL: "no extra term",
    **{f"gamma/{gamma:g}": f"γ = {gamma:g}" for gamma in GAMMAS},
    "no_consistency": "no consistency",
    "no_alignment": "no alignment",
    "low_band_x_hr": "low band to x_HR",
    "isotropic": "isotropic D",
    "constant_weight": "constant weight over t",
}


def variants(full: DCCDMConfig, isotropic: DCCDMConfig) -> dict[str, DCCDMConfig]:
    """The objectives that are compared, by condition; the first is the control."""
    return {
        CONTROL: baselines.ddpm(full),
        **{f"gamma/{gamma:g}": replace(full, gamma=gamma) for gamma in GAMMAS},
        "no_consistency": replace(full, lambda_dc=0.0),
        "no_alignment": replace(full, lambda_f=0.0),
        "low_band_x_hr": replace(full, low_target="x_hr"),
        "isotropic": isotropic,
        "constant_weight": replace(full, time_weight="constant"),
    }


def run(profile: Profile, runs: Path) -> Record:
    """Train the released DDPM on for `profile.term_steps` steps under each objective, then enhance the test split.

    All variants start from the same weights and see the same batches and noise, so that their
    differences, paired over volumes, are the terms' own. Resumes from the checkpoints in `runs`.
    """
    data = METHODS["dccdm"].training_data(profile)
    full = METHODS["dccdm"].fitted(data)
    x_lr, x_hr = (x[:FIT_VOLUMES] for x in data.tensors)
    isotropic, _ = fit_degradation(x_hr, x_lr, isotropic=True)
    configs = variants(full.config, replace(full.config, degradation=isotropic))
    training = TrainConfig(profile.term_steps, learning_rate=2e-4, warmup=20, ema_decay=0.99)
    pairs = image_split("test", profile.test_volumes)
    scores: dict[str, dict[str, torch.Tensor]] = {}
    rows: list[Row] = []
    pictures = Subject(STUDY, "x_hr").projections(pairs.x_hr[0, 0])
    for name, config in configs.items():
        method = replace(full, config=config)
        states = train(load("ddpm").model, method, data.tensors, training, folder=runs / "terms" / name)
        *_, state = with_bar(states, training.steps, CONDITION_TITLES[name])
        enhanced = method.apply(state.average, pairs.x_lr)
        scores[name] = image_scores(enhanced, pairs.x_hr)
        subject = Subject(STUDY, "ddpm" if name == CONTROL else "dccdm", name)
        rows += subject.means(scores[name] | differences(scores[name], scores[CONTROL], CONTROL))
        rows += [subject.number(f"loss_{term}", value, training.batch) for term, value in state.terms.items()]
        if name.startswith("gamma/"):
            pictures += subject.projections(enhanced[0, 0])
    settings = {
        "volumes": len(pairs.x_hr),
        "steps": training.steps,
        "learning_rate": training.learning_rate,
        "sampling_steps": full.calls,
    }
    titles = {"x_hr": "x_HR", "ddpm": "3D DDPM", "dccdm": "DCCDM", **CONDITION_TITLES}
    return Record(STUDY, pairs.source, titles, settings, tuple(rows), pictures=tuple(pictures))
