"""Does progressive condition decay help? Schedules, samplers, sweeps and calls, on held-out diameters."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from mpinotes.data import HELD_OUT_TESTS, MatrixPairs
from mpinotes.diffusion import (
    AnnealedCondition,
    ConditionDecay,
    ConditionSchedule,
    ConstantCondition,
    NoisedCondition,
    ReversedDecay,
)
from mpinotes.evaluation import component_psnr, component_scores
from mpinotes.methods.recipes import CALIBRATION_NOISE, matrix_test_pairs
from mpinotes.methods.released import Trained
from mpinotes.methods.sm_synthesis import synthesise
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import interval
from mpinotes.studies.synthesisers import TITLES, networks

SCHEDULES: dict[str, ConditionSchedule] = {
    "constant": ConstantCondition(),
    "decay": ConditionDecay(),
    "decay, gentle": ConditionDecay(eta_max=0.02, w_min=0.9),
    "reversed decay": ReversedDecay(),
    "CADS": AnnealedCondition(),
    "noised": NoisedCondition(),
}
"""How the condition enters, by name."""

SWEEPS: dict[str, tuple[float, ...]] = {
    "eta_max": (0.0, 0.02, 0.05, 0.1, 0.2, 0.5),
    "gamma": (0.25, 0.5, 1.0, 2.0, 4.0),
    "w_max": (0.75, 1.0, 1.25, 1.5),
    "w_min": (0.0, 0.25, 0.5, 0.75, 1.0),
    "sigma": (0.25, 0.5, 1.0, 2.0, 4.0),
}
"""Settings of the decay, one parameter at a time around the defaults."""

SWEPT = (TITLES["sm_algorithm1"], TITLES["sm_aware"])
CALLS = (1, 2, 4, 8, 16, 20, 50)
GUIDANCE = (0.0, 0.5, 1.5, 2.0)


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """PSNR of every network under every schedule and sampler at equal calls, paired with the constant condition.

    Sweeps and calls take the middle one of the held-out diameters.
    """
    models = {
        title: model for title, model in networks("held-out diameters", runs).items() if not title.startswith("U-Net")
    }
    steps = profile.matrix_calls
    noises = {"clean": 0.0, "noisy": CALIBRATION_NOISE}
    middle = matrix_test_pairs(profile, HELD_OUT_TESTS[1:2], CALIBRATION_NOISE)

    def median(trained: Trained, **options: Any) -> float:
        return round(_draw(trained, middle, steps, **options).median().item(), 3)

    swept = {title: models[title] for title in SWEPT if title in models}
    return {
        "test data": "simulated matrices",
        "components": profile.matrix_components,
        "calls": steps,
        "defaults": asdict(ConditionDecay()),
        "low gradient": {name: round(x, 3) for name, x in component_scores(middle.low, middle.high)["psnr"].items()},
        "schedules": {
            name: _compare(models, matrix_test_pairs(profile, HELD_OUT_TESTS, noise), steps)
            for name, noise in noises.items()
        },
        "sweeps": {
            title: {
                parameter: {
                    f"{value:g}": median(model, decay=_changed(parameter, value), variant="derived") for value in values
                }
                for parameter, values in SWEEPS.items()
            }
            for title, model in swept.items()
        },
        "psnr against calls": {
            title: {
                variant: {str(calls): median(model, steps=calls, variant=variant) for calls in CALLS}
                for variant in ("ddim", "derived", "printed")
            }
            for title, model in swept.items()
        },
    }


def _changed(parameter: str, value: float) -> ConditionDecay:
    """The default decay with one parameter changed, and `w_min` no larger than `w_max`."""
    decay = ConditionDecay()
    if parameter == "w_max":
        return replace(decay, w_max=value, w_min=min(decay.w_min, value))
    return replace(decay, **{parameter: value})


def _draw(trained: Trained, pairs: MatrixPairs, calls: int, **options: Any) -> torch.Tensor:
    """PSNR of every channel of every component that a network synthesises."""
    image = synthesise(trained.model, pairs.low, pairs.orders, trained.config, **({"steps": calls} | options))
    return component_psnr(image, pairs.high).double()


def _compare(models: dict[str, Trained], pairs: MatrixPairs, steps: int) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for title, trained in models.items():
        constant = _draw(trained, pairs, steps, variant="derived")
        runs: dict[str, dict[str, Any]] = {
            f"{name}, derived": {"decay": schedule, "variant": "derived"} for name, schedule in SCHEDULES.items()
        }
        for name in ("constant", "decay"):
            runs[f"{name}, printed"] = {"decay": SCHEDULES[name], "variant": "printed"}
            runs[f"{name}, ddim"] = {"decay": SCHEDULES[name], "variant": "ddim"}
        if title == TITLES["sm_algorithm1"]:
            for scale in GUIDANCE:  # two network calls a step, but for the unconditional one
                runs[f"guidance {scale:g}, ddim"] = {"guidance": scale, "steps": max(1, steps // 2)}
        rows[title] = {}
        for name, options in runs.items():
            values = _draw(trained, pairs, steps, **options)
            levels = values.quantile(torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
            rows[title][name] = {
                "psnr": dict(zip(("lower", "median", "upper"), (round(x, 3) for x in levels), strict=True)),
                "psnr minus constant": interval(values - constant),
            }
        print(title, {name: row["psnr"]["median"] for name, row in rows[title].items()}, flush=True)
    return rows
