"""Diffusion: schedule, objective, one sampler loop, conditions and their decay. Knows nothing of MPI."""

from mpinotes.diffusion.condition import ConditionSchedule, conditioned, guided, perturb
from mpinotes.diffusion.condition_decay import ConditionDecay, PrintedStep
from mpinotes.diffusion.condition_schedules import (
    AnnealedCondition,
    ConstantCondition,
    NoisedCondition,
    ReversedDecay,
)
from mpinotes.diffusion.objective import Objective, add_noise, to_x0
from mpinotes.diffusion.sampler import (
    ANCESTRAL,
    DDIM,
    ReverseStep,
    SamplerState,
    Step,
    posterior_deviation,
    sample,
    sample_path,
)
from mpinotes.diffusion.schedule import Schedule

__all__ = [
    "ANCESTRAL",
    "DDIM",
    "AnnealedCondition",
    "ConditionDecay",
    "ConditionSchedule",
    "ConstantCondition",
    "NoisedCondition",
    "Objective",
    "PrintedStep",
    "ReverseStep",
    "ReversedDecay",
    "SamplerState",
    "Schedule",
    "Step",
    "add_noise",
    "conditioned",
    "guided",
    "perturb",
    "posterior_deviation",
    "sample",
    "sample_path",
    "to_x0",
]
