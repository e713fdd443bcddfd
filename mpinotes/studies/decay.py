"""Does progressive condition decay help? Schedules, samplers, sweeps and calls, on held-out diameters."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import CALIBRATION_NOISE, HELD_OUT_TESTS, NOISES, MatrixPairs, matrix_test_pairs
from mpinotes.diffusion import (
    AnnealedCondition,
    ConditionDecay,
    ConditionSchedule,
    ConstantCondition,
    NoisedCondition,
    ReversedDecay,
)
from mpinotes.evaluation import component_psnr, component_scores
from mpinotes.methods import Trained
from mpinotes.methods.sm_synthesis import SAMPLERS, SynthesisMethod
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record, Row
from mpinotes.studies.rows import Subject
from mpinotes.studies.synthesisers import networks

STUDY = "decay"

SCHEDULES: dict[str, ConditionSchedule] = {
    "constant": ConstantCondition(),
    "decay": ConditionDecay(),
    "decay_gentle": ConditionDecay(eta_max=0.02, w_min=0.9),
    "decay_reversed": ReversedDecay(),
    "cads": AnnealedCondition(),
    "noised": NoisedCondition(),
}
"""How the condition enters, by the name that conditions of the study "decay" hold."""

CONDITION_TITLES = {
    "constant": "constant",
    "decay": "decay",
    "decay_gentle": "decay, gentle",
    "decay_reversed": "reversed decay",
    "cads": "CADS",
    "noised": "noised",
}
"""Of `SCHEDULES`."""

SWEEPS: dict[str, tuple[float, ...]] = {
    "eta_max": (0.0, 0.02, 0.05, 0.1, 0.2, 0.5),
    "gamma": (0.25, 0.5, 1.0, 2.0, 4.0),
    "w_max": (0.75, 1.0, 1.25, 1.5),
    "w_min": (0.0, 0.25, 0.5, 0.75, 1.0),
    "sigma": (0.25, 0.5, 1.0, 2.0, 4.0),
}
"""Settings of the decay, one parameter at a time around the defaults."""

SWEPT = ("sm_algorithm1", "sm_aware")
CALLS = (1, 2, 4, 8, 16, 20, 50)
GUIDANCE = (0.0, 0.5, 1.5, 2.0)


def run(profile: Profile, runs: Path) -> Record:
    """PSNR of every network under every schedule and sampler at equal calls, paired with the constant condition.

    Conditions: "NOISE/SCHEDULE/SAMPLER", "NOISE/guidance/SCALE/ddim"; on the middle one of the held-out
    diameters, noisy: none for its low-gradient matrix, "sweep/PARAMETER/VALUE" and "SAMPLER/calls/N".
    """
    found = networks("held-out diameters", runs)
    models = {key: trained for key, trained in found.items() if isinstance(trained.method, SynthesisMethod)}
    steps = profile.shortened(models["sm_algorithm1"].method).calls
    middle = matrix_test_pairs(profile, HELD_OUT_TESTS[1:2], CALIBRATION_NOISE)

    def median(key: str, name: str, **options: Any) -> Row:
        values = _psnr(models[key], middle, steps, **options)
        return Subject(STUDY, key, name).number("psnr_median", round(values.median().item(), 3), len(values))

    scores = component_scores(middle.low, middle.high)["psnr"]
    low, images = Subject(STUDY, "low"), len(middle.low) * middle.low.shape[1]
    rows = [low.number(f"psnr_{quartile}", round(x, 3), images) for quartile, x in scores.items()]
    for noise, level in NOISES.items():
        pairs = matrix_test_pairs(profile, HELD_OUT_TESTS, level)
        for key, trained in models.items():
            rows += _compare(key, trained, pairs, steps, noise)
    for key in (key for key in SWEPT if key in models):
        for parameter, values in SWEEPS.items():
            for value in values:
                decay = _changed(parameter, value)
                rows.append(median(key, f"sweep/{parameter}/{value:g}", condition=decay, sampler="derived"))
        for sampler in SAMPLERS:
            rows += [median(key, f"{sampler}/calls/{calls}", steps=calls, sampler=sampler) for calls in CALLS]
    return Record(
        STUDY,
        "simulated matrices",
        {"low": "low gradient"} | {key: trained.method.title for key, trained in models.items()} | CONDITION_TITLES,
        {
            "components": profile.matrix_components,
            "calls": steps,
            **{f"default_{name}": value for name, value in asdict(ConditionDecay()).items()},
        },
        tuple(rows),
    )


def _changed(parameter: str, value: float) -> ConditionDecay:
    """The default decay with one parameter changed, and `w_min` no larger than `w_max`."""
    decay = ConditionDecay()
    if parameter == "w_max":
        return replace(decay, w_max=value, w_min=min(decay.w_min, value))
    return replace(decay, **{parameter: value})


def _psnr(trained: Trained, pairs: MatrixPairs, calls: int, **options: Any) -> torch.Tensor:
    """PSNR of every channel of every component that a network synthesises."""
    image = trained(pairs.low, pairs.orders, **{"steps": calls} | {"condition": ConstantCondition()} | options)
    return component_psnr(image, pairs.high).double()


def _compare(key: str, trained: Trained, pairs: MatrixPairs, steps: int, noise: str) -> list[Row]:
    runs: dict[str, dict[str, Any]] = {
        f"{name}/derived": {"condition": schedule, "sampler": "derived"} for name, schedule in SCHEDULES.items()
    }
    for name in ("constant", "decay"):
        for sampler in ("printed", "ddim"):
            runs[f"{name}/{sampler}"] = {"condition": SCHEDULES[name], "sampler": sampler}
    if key == "sm_algorithm1":
        for scale in GUIDANCE:  # two network calls a step, but for the unconditional one
            runs[f"guidance/{scale:g}/ddim"] = {"guidance": scale, "steps": max(1, steps // 2)}
    values = {name: _psnr(trained, pairs, steps, **options) for name, options in runs.items()}
    levels = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)
    rows = []
    for name, found in values.items():
        subject = Subject(STUDY, key, f"{noise}/{name}")
        for quartile, value in zip(("lower", "median", "upper"), found.quantile(levels).tolist(), strict=True):
            rows.append(subject.number(f"psnr_{quartile}", round(value, 3), len(found)))
        rows += subject.means({"psnr_minus_constant": found - values["constant/derived"]})
    medians = {row.condition: row.mean for row in rows if row.metric == "psnr_median"}
    print(key, medians, flush=True)
    return rows
