import pytest
import torch

from mpinotes.data import image_split
from mpinotes.methods import METHODS
from mpinotes.studies.small import WIDTHS, train_small


@pytest.mark.parametrize("name", ["unet", "ddpm", "dccdm"])
def test_a_small_training_enhances_and_is_not_repeated(name, tmp_path):
    pairs = image_split("train", 2)
    first = train_small(METHODS[name], pairs, steps=2, seed=3, folder=tmp_path)
    assert first.config.network.widths == WIDTHS and first.method.training.seed == 3
    enhanced = first(pairs.x_lr)
    assert enhanced.shape == pairs.x_hr.shape and not torch.equal(enhanced, pairs.x_lr)
    again = train_small(METHODS[name], pairs, steps=2, seed=3, folder=tmp_path)
    assert torch.equal(again(pairs.x_lr), enhanced)
    other = train_small(METHODS[name], pairs, steps=2, seed=4, folder=tmp_path / "other")
    assert not torch.equal(other(pairs.x_lr), enhanced)
