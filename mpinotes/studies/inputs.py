"""A better image in ten calls: what a network gains from more of the scan and from more scans, and what the scanner's
own forward model adds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import torch

from mpinotes.data import ORIENTATIONS, REGULARIZATIONS, ImagePairs, image_split, scan_image_split
from mpinotes.evaluation import psnr
from mpinotes.methods import METHODS, Trained, load, mirror_answers
from mpinotes.networks import UNet, widen_input
from mpinotes.studies.consistency import DataStep, degradation_step, scanner_step, seconds_per_volume
from mpinotes.studies.halves import Halves
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Picture, Record, Row
from mpinotes.studies.rows import Subject, differences, image_scores
from mpinotes.training import TrainConfig, train, with_bar

STUDY = "inputs"

Scores = dict[str, torch.Tensor]

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

REPEATED = "both"
"""The variant that is trained more than once."""

SEEDS = (1, 2)
"""Of its other trainings: they start from the same weights, and see other batches in another order."""

CALLS = (1, 2, 4, 8)
"""So many mirror images, the first ones, enter a mean."""

TIMED = 4
"""With at most so many volumes a call is timed."""

STEPS = (1, 2, 4, 8)
"""Consistency steps that are tried behind the mean over mirrors."""


def further(name: str, variant: Variant) -> Trained:
    """The released network of a method, made ready to see the channels of a variant."""
    released = load(name)
    added = variant.channels - 1
    network = replace(released.config.network, in_channels=released.config.network.in_channels + added)
    method = replace(released.method, config=replace(released.config, network=network))
    return replace(released, method=method, model=widen_input(cast(UNet, released.model), network.in_channels))


def train_further(name: str, key: str, pairs: ImagePairs, profile: Profile, runs: Path, seed: int = 0) -> Trained:
    """Train the released network on with what a variant shows of `pairs`, those of all orientations. Resumes."""
    variant = VARIANTS[key]
    start = further(name, variant)
    count = len(pairs.x_hr) // len(ORIENTATIONS) * variant.orientations
    data = pairs.x_lr[:count, : variant.channels], pairs.x_hr[:count]
    training = TrainConfig(profile.further_steps, learning_rate=3e-4, seed=seed)
    folder = runs / STUDY / (f"{name}_{key}_{seed}" if seed else f"{name}_{key}")
    states = train(start.model, start.method, data, training, folder=folder)
    *_, state = with_bar(states, training.steps, f"{start.method.title}, {variant.title}")
    return replace(start, model=state.average)


@dataclass(frozen=True)
class Network:
    """A trained network under a `condition`, which sees the first `channels` of the images of a scan."""

    condition: str
    trained: Trained
    channels: int

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """What a single call makes of images (batch, channel, z, y, x)."""
        shown = images[:, : self.channels].float()
        return self.trained(shown) if self.trained.method.calls == 1 else self.trained(shown, steps=1)


def run(profile: Profile, runs: Path) -> Record:
    """Train the released U-Net and DDPM on for `profile.further_steps` steps with more to see, enhance the test split
    with one call and with means over mirrors and over trainings, and take steps towards the data behind them, with D
    and with the scanner's own model; their number is chosen on the validation split.

    Methods: "unet", "unet_mirrors", "ddpm", …, and "unet_three", "unet_three_mirrors", …, means over three trainings.
    Conditions: "released", "control", "turned", "images", "both", and "both/training/1" with another seed;
    "both/calls/2" with so many mirrors; "both/degradation", "both/scanner" with consistency steps,
    "validation/both/scanner/steps/4" for those tried.
    """
    train_pairs = scan_image_split("train", profile.train_volumes, len(ORIENTATIONS))
    splits, counts = Halves("val", "test"), Halves(profile.test_volumes, profile.test_volumes)
    scans, pairs = splits.map(scan_image_split, counts), splits.map(image_split, counts)
    images, truths = scans.map(lambda half: half.x_lr), pairs.map(lambda half: half.x_hr)
    degradation = load("ddpm").config.degradation
    consistency = {
        "degradation": pairs.map(lambda half: degradation_step(degradation, half.x_lr)),
        "scanner": splits.map(scanner_step, counts),
    }
    rows: list[Row] = []
    pictures = Subject(STUDY, "x_lr").projections(pairs.test.x_lr[0, 0])
    pictures += Subject(STUDY, "x_hr").projections(truths.test[0, 0])
    titles = {"x_hr": "x_HR", "x_lr": "x_LR", "released": "released"}
    titles |= {key: variant.title for key, variant in VARIANTS.items()}
    for name in TRAINED_ON:
        networks = _networks(name, train_pairs, profile, runs)
        more_rows, more_pictures = measure(name, networks, images, truths, consistency)
        rows += more_rows
        pictures += more_pictures
        title = METHODS[name].title
        titles |= {name: title, f"{name}_mirrors": f"{title}, mirrors"}
        titles |= {f"{name}_three": f"{title}, three", f"{name}_three_mirrors": f"{title}, three, mirrors"}
    settings = {
        "volumes": len(truths.test),
        "validation_volumes": len(truths.val),
        "steps": profile.further_steps,
        "orientations": len(ORIENTATIONS),
        "regularizations": list(REGULARIZATIONS),
    }
    return Record(STUDY, pairs.test.source, titles, settings, tuple(rows), pictures=tuple(pictures))


def _networks(name: str, pairs: ImagePairs, profile: Profile, runs: Path) -> Iterator[Network]:
    """The released network of a method, what it becomes with each variant, and with one of them for other seeds."""
    yield Network("released", load(name), 1)
    for key in TRAINED_ON[name]:
        yield Network(key, train_further(name, key, pairs, profile, runs), VARIANTS[key].channels)
    for seed in SEEDS:
        again = train_further(name, REPEATED, pairs, profile, runs, seed)
        yield Network(f"{REPEATED}/training/{seed}", again, VARIANTS[REPEATED].channels)


def measure(
    name: str,
    networks: Iterable[Network],
    images: Halves[torch.Tensor],
    truths: Halves[torch.Tensor],
    consistency: dict[str, Halves[DataStep]],
) -> tuple[list[Row], list[Picture]]:
    """Rows and pictures of the networks of one method, compared on test volumes with the first, the released one.

    :param name: of the method.
    :param networks: by condition, those of `REPEATED` are averaged.
    :param images: of the scans, (batch, channel, z, y, x).
    :param truths: (batch, 1, z, y, x).
    :param consistency: by label, the steps behind the mean over mirrors.
    """
    mirrored = f"{name}_mirrors"
    rows: list[Row] = []
    pictures: list[Picture] = []
    trainings: list[dict[str, torch.Tensor]] = []
    timed: list[Network] = []
    measured: dict[str, dict[str, Scores]] = {}
    for network in networks:
        answers = mirror_answers(network, images.test)
        enhanced = {name: answers[0], mirrored: answers.mean(0)}
        condition = network.condition
        scores = {method: image_scores(volumes, truths.test) for method, volumes in enhanced.items()}
        measured[condition] = scores
        released = measured["released"]
        for method, volumes in enhanced.items():
            subject = Subject(STUDY, method, condition)
            references = {"released": released[method], "released_mirrors": released[mirrored]}
            rows += _means(subject, scores[method], references)
            if condition in ("released", *VARIANTS):
                pictures += subject.projections(volumes[0, 0])
        if condition in ("released", REPEATED):
            rows += _calls(Subject(STUDY, mirrored, condition), answers, truths.test, released[mirrored])
            timed.append(network)
        if condition == REPEATED:
            kept = Halves(mirror_answers(network, images.val).mean(0), enhanced[mirrored])
            for label, steps in consistency.items():
                subject = Subject(STUDY, mirrored, f"{condition}/{label}")
                rows += _behind(subject, kept, scores[mirrored], truths, steps)
        if condition.split("/")[0] == REPEATED:
            trainings.append(enhanced)
    references = {"released_mirrors": released[mirrored], "both_mirrors": measured[REPEATED][mirrored]}
    for method, label in ((name, f"{name}_three"), (mirrored, f"{name}_three_mirrors")):
        mean = torch.stack([enhanced[method] for enhanced in trainings]).mean(0)
        rows += _means(Subject(STUDY, label, REPEATED), image_scores(mean, truths.test), references)
    few = images.test[:TIMED]
    for network in timed:  # one after the other, so that the machine is the same
        seconds = round(seconds_per_volume(network, few), 5)
        rows.append(Subject(STUDY, name, network.condition).number("seconds_per_call", seconds, len(few)))
    return rows, pictures


def _means(subject: Subject, scores: Scores, references: dict[str, Scores]) -> list[Row]:
    """Scores, and their differences to those of each reference, volume by volume."""
    compared = [differences(scores, reference, name) for name, reference in references.items()]
    return subject.means({metric: values for found in (scores, *compared) for metric, values in found.items()})


def _calls(subject: Subject, answers: torch.Tensor, truth: torch.Tensor, released: Scores) -> list[Row]:
    """PSNR of the mean over the first mirror images, (8, batch, 1, z, y, x), by their number."""
    rows: list[Row] = []
    for count in CALLS:
        scores = {"psnr": psnr(answers[:count].mean(0), truth)}
        condition = f"{subject.condition}/calls/{count}"
        rows += _means(replace(subject, condition=condition), scores, {"released_mirrors": released})
    return rows


def _behind(
    subject: Subject,
    answers: Halves[torch.Tensor],
    without: Scores,
    truths: Halves[torch.Tensor],
    steps: Halves[DataStep],
) -> list[Row]:
    """Steps towards the data behind the answers: how many are best on validation volumes, and what as many do on
    test volumes, `without` them measured before."""
    walk = _walk(answers.val, steps.val, max(STEPS))
    tried = {number: psnr(x, truths.val) for number, x in walk if number in STEPS}
    rows = [
        replace(subject, condition=f"validation/{subject.condition}/steps/{number}").number(
            "psnr", round(values.mean().item(), 4), len(values)
        )
        for number, values in tried.items()
    ]
    best = max(tried, key=lambda number: tried[number].mean())
    *_, (_, stepped) = _walk(answers.test, steps.test, best)
    seconds = seconds_per_volume(steps.test, stepped)
    rows += _means(subject, image_scores(stepped, truths.test), {"without": without})
    rows += [subject.number("steps", best), subject.number("seconds_per_step", round(seconds, 5), len(stepped))]
    return rows


def _walk(x: torch.Tensor, step: DataStep, most: int) -> Iterator[tuple[int, torch.Tensor]]:
    """What stands after every number of steps up to `most`."""
    for number in range(1, most + 1):
        x = step(x)
        yield number, x
