"""Diffusion: schedule, objective, samplers and condition decay. Knows nothing of MPI."""

from mpinotes.diffusion.condition_decay import ConditionDecay, progressive_path
from mpinotes.diffusion.objective import Objective, add_noise, drop_condition, to_epsilon, to_x0
from mpinotes.diffusion.sampler import SamplerState, sample, sample_path
from mpinotes.diffusion.schedule import Schedule

__all__ = [
    "ConditionDecay",
    "Objective",
    "SamplerState",
    "Schedule",
    "add_noise",
    "drop_condition",
    "progressive_path",
    "sample",
    "sample_path",
    "to_epsilon",
    "to_x0",
]
