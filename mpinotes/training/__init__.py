"""Training: the loop, the moving average, checkpoints, precision, processes."""

from mpinotes.training import parallel
from mpinotes.training.ema import make_ema
from mpinotes.training.loop import Trainable, TrainConfig, TrainState, train
from mpinotes.training.precision import best_device, forward, usable_device
from mpinotes.training.progress import with_bar

__all__ = [
    "TrainConfig",
    "TrainState",
    "Trainable",
    "best_device",
    "forward",
    "make_ema",
    "parallel",
    "train",
    "usable_device",
    "with_bar",
]
