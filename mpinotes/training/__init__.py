"""Training: the loop, the moving average, checkpoints, precision, processes."""

from mpinotes.training import parallel
from mpinotes.training.ema import make_ema
from mpinotes.training.loop import TrainConfig, TrainState, train
from mpinotes.training.parallel import local_rows
from mpinotes.training.precision import best_device, forward
from mpinotes.training.progress import with_bar

__all__ = [
    "TrainConfig",
    "TrainState",
    "best_device",
    "forward",
    "local_rows",
    "make_ema",
    "parallel",
    "train",
    "with_bar",
]
