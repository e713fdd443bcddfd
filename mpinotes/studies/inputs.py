"""A better image in ten calls: what a network gains from more of the scan and from more scans, and what the scanner's
own forward model adds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

import torch

from mpinotes.data import ORIENTATIONS, REGULARIZATIONS, ImagePairs, image_split, scan_image_split
from mpinotes.methods import METHODS, Trained, load, mirror_mean
from mpinotes.networks import UNet, widen_input
from mpinotes.studies.consistency import DataStep, degradation_step, scanner_step, seconds_per_volume
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Picture, Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.training import TrainConfig, train, with_bar

STUDY = "inputs"

CHANNELS = 1 + len(REGULARIZATIONS)


@dataclass(frozen=True)
class Variant:
    """What a network is shown in its further training: so many `channels` of scans in so many `orientations`."""

    title: str
    channels: int
    orientations: int


VARIANTS = {
    "control": Variant("as before", 1, 1),
    "turned": Variant("turned scans", 1, len(ORIENTATIONS)),
    "images": Variant("further images", CHANNELS, 1),
    "both": Variant("both", CHANNELS, len(ORIENTATIONS)),
}
TRAINED_ON = {"unet": ("control", "turned", "images", "both"), "ddpm": ("control", "both")}
"""The variants of each released network."""

STEPS = (1, 2, 4, 8)
"""Consistency steps that are tried behind the mean over mirrors."""


def further(name: str, variant: Variant) -> Trained:
    """The released network of a method, made ready to see the channels of a variant."""
    released = load(name)
    added = variant.channels - 1
    network = replace(released.config.network, in_channels=released.config.network.in_channels + added)
    method = replace(released.method, config=replace(released.config, network=network))
    return replace(released, method=method, model=widen_input(cast(UNet, released.model), network.in_channels))


def train_further(name: str, key: str, pairs: ImagePairs, profile: Profile, runs: Path) -> Trained:
    """Train the released network on with what a variant shows of `pairs`, those of all orientations. Resumes."""
    variant = VARIANTS[key]
    start = further(name, variant)
    count = len(pairs.x_hr) // len(ORIENTATIONS) * variant.orientations
    data = pairs.x_lr[:count, : variant.channels], pairs.x_hr[:count]
    training = TrainConfig(profile.further_steps, learning_rate=3e-4)
    states = train(start.model, start.method, data, training, folder=runs / STUDY / f"{name}_{key}")
    *_, state = with_bar(states, training.steps, f"{start.method.title}, {variant.title}")
    return replace(start, model=state.average)


def run(profile: Profile, runs: Path) -> Record:
    """Train the released U-Net and DDPM on for `profile.further_steps` steps with more to see, enhance the test split
    with one call and with the mean over mirrors, and take steps towards the data behind it, with D and with the
    scanner's own model; their number is chosen on the validation split.

    Methods: "unet", "unet_mirrors", "ddpm", …; conditions: "released", "control", "turned", "images", "both", and
    "both/degradation", "both/scanner" with consistency steps, "validation/both/scanner/steps/4" for those tried.
    """
    train_pairs = scan_image_split("train", profile.train_volumes, len(ORIENTATIONS))
    count = profile.test_volumes
    test, held = scan_image_split("test", count), scan_image_split("val", count)
    on_test, on_held = image_split("test", count), image_split("val", count)
    degradation = load("ddpm").config.degradation
    consistency = {
        "degradation": (degradation_step(degradation, on_held.x_lr), degradation_step(degradation, on_test.x_lr)),
        "scanner": (scanner_step("val", count), scanner_step("test", count)),
    }
    rows: list[Row] = []
    pictures: list[Picture] = [
        picture
        for method in ("x_lr", "x_hr")
        for picture in Subject(STUDY, method).projections(getattr(on_test, method)[0, 0])
    ]
    for name, keys in TRAINED_ON.items():
        mirrored = f"{name}_mirrors"
        released: dict[str, dict[str, torch.Tensor]] = {}
        for key in ("released", *keys):
            trained = load(name) if key == "released" else train_further(name, key, train_pairs, profile, runs)
            channels = 1 if key == "released" else VARIANTS[key].channels
            once = trained if trained.method.calls == 1 else partial(trained, steps=1)
            shown = test.x_lr[:, :channels].float()
            enhanced = {name: once(shown), mirrored: mirror_mean(once, shown)}
            measured = {method: image_scores(volumes, on_test.x_hr) for method, volumes in enhanced.items()}
            released = released or measured
            for method, scores in measured.items():
                subject = Subject(STUDY, method, key)
                rows += subject.means(
                    scores
                    | differences(scores, released[method], "released")
                    | differences(scores, released[mirrored], "released_mirrors")
                )
                pictures += subject.projections(enhanced[method][0, 0])
        seconds = seconds_per_volume(once, shown[:8])
        rows.append(Subject(STUDY, name, key).number("seconds_per_call", round(seconds, 5), 8))
        kept = mirror_mean(once, held.x_lr[:, :channels].float())
        for label, steps in consistency.items():
            subject = Subject(STUDY, mirrored, f"{key}/{label}")
            rows += _behind(subject, (kept, enhanced[mirrored]), (on_held.x_hr, on_test.x_hr), steps)
    settings = {
        "volumes": len(on_test.x_hr),
        "validation_volumes": len(on_held.x_hr),
        "steps": profile.further_steps,
        "orientations": len(ORIENTATIONS),
        "regularizations": list(REGULARIZATIONS),
    }
    titles = {"x_hr": "x_HR", "x_lr": "x_LR", **{key: METHODS[key].title for key in TRAINED_ON}}
    titles |= {f"{key}_mirrors": f"{METHODS[key].title}, mirrors" for key in TRAINED_ON}
    titles |= {"released": "released", **{key: variant.title for key, variant in VARIANTS.items()}}
    return Record(STUDY, test.source, titles, settings, tuple(rows), pictures=tuple(pictures))


def _behind(
    subject: Subject,
    answers: tuple[torch.Tensor, torch.Tensor],
    truths: tuple[torch.Tensor, torch.Tensor],
    steps: tuple[DataStep, DataStep],
) -> list[Row]:
    """Steps towards the data behind the answers, each for validation and for test volumes: how many are best on the
    first, and what as many do on the second."""
    (held, answer), (true_held, truth), (step_held, step) = answers, truths, steps
    tried = {number: image_scores(x, true_held)["psnr"] for number, x in _walk(held, step_held) if number in STEPS}
    rows = [
        replace(subject, condition=f"validation/{subject.condition}/steps/{number}").number(
            "psnr", round(values.mean().item(), 4), len(values)
        )
        for number, values in tried.items()
    ]
    best = max(tried, key=lambda number: tried[number].mean())
    stepped = dict(_walk(answer, step))[best]
    scores, seconds = image_scores(stepped, truth), seconds_per_volume(step, stepped)
    rows += subject.means(scores | differences(scores, image_scores(answer, truth), "without"))
    rows += [subject.number("steps", best), subject.number("seconds_per_step", round(seconds, 5), len(stepped))]
    return rows


def _walk(x: torch.Tensor, step: DataStep) -> Iterator[tuple[int, torch.Tensor]]:
    """What stands after so many steps, up to the most that are tried."""
    for number in range(1, max(STEPS) + 1):
        x = step(x)
        yield number, x
