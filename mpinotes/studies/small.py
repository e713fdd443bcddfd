"""Small networks, trained from nothing in a minute or two: for questions that take dozens of trainings."""

from dataclasses import replace
from pathlib import Path

from mpinotes.data import ImagePairs
from mpinotes.methods import ImageMethod, Trained
from mpinotes.training import TrainConfig, train, with_bar

WIDTHS = (16, 32, 64)


def train_small(method: ImageMethod, pairs: ImagePairs, steps: int, seed: int, folder: Path) -> Trained:
    """A method on a small U-Net, with one block a level, trained from nothing on `pairs`. Resumes from `folder`."""
    network = replace(method.config.network, widths=WIDTHS, blocks=1)
    training = TrainConfig(steps, learning_rate=1e-3, warmup=steps // 10, ema_decay=0.99, seed=seed)
    small = replace(method, config=replace(method.config, network=network), training=training)
    states = train(small.build(seed), small, (pairs.x_lr, pairs.x_hr), training, folder=folder)
    *_, state = with_bar(states, steps, f"{folder.parent.name}/{folder.name}")
    return Trained(small, state.average.eval(), {})
