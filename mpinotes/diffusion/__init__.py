"""Diffusion: schedule, objective, samplers and condition decay. Knows nothing of MPI."""

from mpinotes.diffusion.condition_decay import ConditionDecay, ConditionSchedule, progressive_path
from mpinotes.diffusion.condition_schedules import (
    AnnealedCondition,
    ConstantCondition,
    NoisedCondition,
    ReversedDecay,
)
from mpinotes.diffusion.objective import Objective, add_noise, to_epsilon, to_x0
from mpinotes.diffusion.sampler import SamplerState, sample, sample_path
from mpinotes.diffusion.schedule import Schedule

__all__ = [
    "AnnealedCondition",
    "ConditionDecay",
    "ConditionSchedule",
    "ConstantCondition",
    "NoisedCondition",
    "Objective",
    "ReversedDecay",
    "SamplerState",
    "Schedule",
    "add_noise",
    "progressive_path",
    "sample",
    "sample_path",
    "to_epsilon",
    "to_x0",
]
