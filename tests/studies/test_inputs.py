from pathlib import Path

import pytest
import torch

from mpinotes.data import ORIENTATIONS, scan_image_split
from mpinotes.methods import load
from mpinotes.studies import get_profile, inputs
from mpinotes.studies.inputs import TRAINED_ON, VARIANTS, further


@pytest.mark.parametrize("name", TRAINED_ON)
@pytest.mark.parametrize("key", VARIANTS)
def test_every_training_starts_where_the_released_network_stands(name, key):
    images, start, released = scan_image_split("test", 1).x_lr.float(), further(name, VARIANTS[key]), load(name)
    shown = images[:, : VARIANTS[key].channels]
    options = {"steps": 1} if name == "ddpm" else {}
    torch.testing.assert_close(start(shown, **options), released(images[:, :1], **options), atol=1e-3, rtol=0)
    assert start.config.network.in_channels == start.model.config.in_channels


def test_a_variant_sees_its_channels_and_orientations_and_no_others(monkeypatch):
    seen = {}

    def train(model, method, data, training, *, folder):
        seen[folder.name] = [tuple(tensor.shape[:2]) for tensor in data]
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(inputs, "train", train)
    pairs = scan_image_split("test", 1, len(ORIENTATIONS))
    for key in VARIANTS:
        with pytest.raises(KeyboardInterrupt):
            inputs.train_further("unet", key, pairs, get_profile("smoke"), Path("runs"))
    assert seen == {
        "unet_control": [(1, 1), (1, 1)],
        "unet_turned": [(6, 1), (6, 1)],
        "unet_images": [(1, 4), (1, 1)],
        "unet_both": [(6, 4), (6, 1)],
    }
