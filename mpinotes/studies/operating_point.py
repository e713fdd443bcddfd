"""Where the paper's table may lie: the trained methods on scanners from a worse one than ours to far better ones."""

import warnings
from pathlib import Path
from typing import cast

from mpinotes.data import ImagePairs, image_split
from mpinotes.evaluation import rmse
from mpinotes.methods import EDSR_COST, ESRGAN_COST, IMAGE_METHODS, ImageMethod, Trained, TrainingData
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Picture, Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.studies.scanners import scanner
from mpinotes.training import TrainConfig, train, with_bar

STUDY = "operating_point"

SCANNERS = ((1.0, 4.0), (1.0, 1.0), (2.0, 0.25), (2.0, 0.2), (2.0, 0.1), (2.0, 0.02))
"""Gradient and noise, in those of the book."""

COSTS = {"edsr": EDSR_COST, "esrgan": ESRGAN_COST}
"""Steps of the U-Net that take as long as one of theirs; 1 for the others."""


def train_there(trained: Trained, pairs: ImagePairs, steps: int, folder: Path) -> Trained:
    """A trained method, trained on with the pairs of another scanner for as long as `steps` of the U-Net take."""
    data = TrainingData((pairs.x_lr, pairs.x_hr), pairs.source)
    method = cast(ImageMethod, trained.method).fitted(data)
    steps = max(1, steps // COSTS.get(method.name, 1))
    training = TrainConfig(steps, learning_rate=method.training.learning_rate / 2, warmup=steps // 10)
    model = method.build(training.seed)
    method.network(model).load_state_dict(trained.model.state_dict())
    states = train(model, method, data.tensors, training, folder=folder)
    *_, state = with_bar(states, steps, method.title)
    return Trained(method, method.network(state.average).eval(), {})


def run(profile: Profile, runs: Path) -> Record:
    """Train the trained methods on for each scanner, and test them on all test volumes.

    Conditions: gradient/2/noise/0.1; behind it "released" for the networks as they come, and "validation" for the DDPM
    on validation volumes. Differences are to the DDPM and to x_LR.
    """
    released = find_trained(IMAGE_METHODS, runs)
    rows: list[Row] = []
    pictures: list[Picture] = []
    for gradient, noise in SCANNERS:
        condition = f"gradient/{gradient:g}/noise/{noise:g}"
        print(condition, flush=True)
        with warnings.catch_warnings():
            # At twice the gradient that is narrower than a voxel, whose tracer then sits at its centre.
            warnings.filterwarnings("ignore", message="the response is")
            imaging = scanner(noise, profile.train_volumes, gradient)
            pairs, held, test = (
                image_split(split, count, imaging)
                for split, count in (
                    ("train", profile.train_volumes),
                    ("val", profile.test_volumes),
                    ("test", profile.test_volumes),
                )
            )
        there = {
            name: train_there(method, pairs, profile.scanner_steps, runs / STUDY / condition / name)
            for name, method in released.items()
        }
        for networks, now in ((released, f"{condition}/released"), (there, condition)):
            results = {"x_lr": test.x_lr} | {name: method(test.x_lr) for name, method in networks.items()}
            scores = {name: image_scores(volumes, test.x_hr) for name, volumes in results.items()}
            for name, values in scores.items():
                more = {"rmse255": 255 * rmse(results[name], test.x_hr)}
                compared = differences(values, scores["ddpm"], "ddpm") | differences(values, scores["x_lr"], "x_lr")
                rows += Subject(STUDY, name, now).means(values | more | compared)
            print(now, {name: round(values["psnr"].mean().item(), 2) for name, values in scores.items()}, flush=True)
        for name, volumes in results.items():
            pictures += Subject(STUDY, name, condition).projections(volumes[0, 0])
        rows.append(Subject(STUDY, "x_lr", condition).number("regularization", imaging.regularization))
        on_held = image_scores(there["ddpm"](held.x_lr), held.x_hr)
        rows += Subject(STUDY, "ddpm", f"{condition}/validation").means(on_held)
    titles = {"x_hr": "x_HR", "x_lr": "x_LR"} | {name: trained.method.title for name, trained in released.items()}
    pictures += Subject(STUDY, "x_hr").projections(test.x_hr[0, 0])
    settings = {"volumes": len(test.x_hr), "validation_volumes": len(held.x_hr), "steps": profile.scanner_steps}
    return Record(STUDY, test.source, titles, settings, tuple(rows), pictures=tuple(pictures))
