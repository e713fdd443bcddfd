"""The study of inputs: what each training sees, and which means over mirrors and trainings are compared."""

import math
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest
import torch

from mpinotes.data import ORIENTATIONS, scan_image_split
from mpinotes.methods import load
from mpinotes.studies import get_profile, inputs, load_record
from mpinotes.studies.halves import Halves
from mpinotes.studies.inputs import CALLS, SEEDS, TRAINED_ON, VARIANTS, Network, further, measure


@pytest.mark.parametrize("name", TRAINED_ON)
@pytest.mark.parametrize("key", VARIANTS)
def test_every_training_starts_where_the_released_network_stands(name, key, pairs):
    images, start, released = pairs.x_lr[:1].float(), further(name, VARIANTS[key]), load(name)
    shown = images[:, : VARIANTS[key].channels]
    options = {"steps": 1} if name == "ddpm" else {}
    torch.testing.assert_close(start(shown, **options), released(images[:, :1], **options), atol=1e-3, rtol=0)
    assert start.config.network.in_channels == start.model.config.in_channels


@pytest.fixture(scope="module")
def pairs():
    return scan_image_split("test", 1, len(ORIENTATIONS))


@pytest.fixture
def start(monkeypatch, pairs):
    """Begin a training, which does not run. Returns by folder the shapes of the data and the seed of all so far."""
    seen = {}

    def train(model, method, data, training, *, folder):
        seen[folder.name] = [tuple(tensor.shape[:2]) for tensor in data], training.seed
        yield from ()
        raise KeyboardInterrupt

    def begin(key, seed=0):
        with pytest.raises(KeyboardInterrupt):
            inputs.train_further("unet", key, pairs, get_profile("smoke"), Path("runs"), seed)
        return seen

    monkeypatch.setattr(inputs, "train", train)
    return begin


def test_a_variant_sees_its_channels_and_orientations_and_no_others(start):
    for key in VARIANTS:
        seen = start(key)
    assert seen == {
        "unet_control": ([(1, 1), (1, 1)], 0),
        "unet_turned": ([(6, 1), (6, 1)], 0),
        "unet_images": ([(1, 4), (1, 1)], 0),
        "unet_both": ([(6, 4), (6, 1)], 0),
    }


def test_another_seed_trains_in_a_folder_of_its_own(start):
    for seed in (0, *SEEDS):
        seen = start("both", seed)
    assert {folder: seed for folder, (_, seed) in seen.items()} == {"unet_both": 0, "unet_both_1": 1, "unet_both_2": 2}


def test_a_network_is_shown_its_channels_alone_and_called_once(pairs):
    images, ddpm = pairs.x_lr[:1], load("ddpm")
    assert torch.equal(Network("released", ddpm, 1)(images), ddpm(images[:, :1].float(), steps=1))


@dataclass
class Corner:
    """What answers to an image with the value of its first voxel plus `more`, everywhere."""

    condition: str
    more: float = 0.0

    def __call__(self, images):
        return (images[:, :1, :1, :1, :1] + self.more).expand(images.shape)


def test_means_are_over_the_first_mirrors_and_over_trainings():
    image, corners = torch.zeros(1, 1, 8, 8, 8), (0, -1)
    values = [0.10, 0.14, 0.12, 0.26, 0.18, 0.22, 0.30, 0.16]
    for value, (z, y, x) in zip(values, product(corners, repeat=3), strict=True):
        image[..., z, y, x] = value
    mirrored_once = [values[0], values[4], values[2], values[1]]  # along no axis, z, y and x
    networks = [Corner("released"), Corner("both"), Corner("both/training/1", 0.2), Corner("both/training/2", 0.4)]
    truth = torch.zeros_like(image)
    rows, pictures = measure("unet", networks, Halves(image, image), Halves(truth, truth), {})

    def found(method, condition, metric="psnr"):
        (row,) = [row for row in rows if (row.method, row.condition, row.metric) == (method, condition, metric)]
        return row.mean

    def decibels(*answers):
        return pytest.approx(-20 * math.log10(sum(answers) / len(answers)), abs=1e-3)

    assert found("unet", "both") == found("unet_mirrors", "both/calls/1") == decibels(values[0])
    assert found("unet_mirrors", "both/calls/2") == decibels(*mirrored_once[:2])
    assert found("unet_mirrors", "released/calls/4") == decibels(*mirrored_once)
    assert found("unet_mirrors", "both") == found("unet_mirrors", "both/calls/8") == decibels(*values)
    assert found("unet_mirrors", "both/training/2") == decibels(*(value + 0.4 for value in values))
    assert found("unet_three", "both") == decibels(values[0] + 0.2)
    assert found("unet_three_mirrors", "both") == decibels(*(value + 0.2 for value in values))
    change = found("unet_three_mirrors", "both") - found("unet_mirrors", "both")
    assert found("unet_three_mirrors", "both", "psnr_minus_both_mirrors") == pytest.approx(change, abs=1e-4)
    assert {picture.condition for picture in pictures} == {"released", "both"}


@pytest.mark.parametrize("name", TRAINED_ON)
def test_the_curve_over_calls_ends_where_the_table_stands(name):
    record = load_record("inputs")
    for condition in ("released", "both"):
        curve = [record.value(f"{name}_mirrors", "psnr", f"{condition}/calls/{calls}") for calls in CALLS]
        assert curve[0] == record.value(name, "psnr", condition)
        assert curve[-1] == record.value(f"{name}_mirrors", "psnr", condition)
        assert curve == sorted(curve)
