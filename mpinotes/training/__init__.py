"""Training: the loop, the moving average, checkpoints, profiles."""

from mpinotes.training import parallel
from mpinotes.training.ema import make_ema
from mpinotes.training.loop import TrainConfig, TrainState, train
from mpinotes.training.parallel import local_rows
from mpinotes.training.precision import best_device, forward
from mpinotes.training.profiles import Profile, get_profile
from mpinotes.training.progress import with_bar
from mpinotes.training.workplace import workplace

__all__ = [
    "Profile",
    "TrainConfig",
    "TrainState",
    "best_device",
    "forward",
    "get_profile",
    "local_rows",
    "make_ema",
    "parallel",
    "train",
    "with_bar",
    "workplace",
]
