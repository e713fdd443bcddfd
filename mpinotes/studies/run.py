"""The studies by name, and how one is run and recorded."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mpinotes
from mpinotes.checks import check_choice
from mpinotes.files import AnyPath
from mpinotes.studies import (
    calls,
    classical,
    decay,
    dynamics,
    easy_axis,
    easy_axis_images,
    inputs,
    intervals,
    loss_weights,
    matrices,
    open_condition,
    operating_point,
    reconstruction,
    seeds,
    shift,
    table,
    terms,
    uncertainty,
)
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record
from mpinotes.studies.record_file import RECORDS, save_record

STUDIES: dict[str, Callable[[Profile, Path], Record]] = {
    "table": table.run,
    "classical": classical.run,
    "seeds": seeds.run,
    "calls": calls.run,
    "inputs": inputs.run,
    "terms": terms.run,
    "loss_weights": loss_weights.run,
    "operating_point": operating_point.run,
    "shift": shift.run,
    "uncertainty": uncertainty.run,
    "intervals": intervals.run,
    "dynamics": dynamics.run,
    "matrices": matrices.run,
    "decay": decay.run,
    "reconstruction": reconstruction.run,
    "easy_axis": easy_axis.run,
    "easy_axis_images": easy_axis_images.run,
    "open_condition": open_condition.run,
}
"""By name: profile and the folder of trained methods and checkpoints -> `Record`."""


def run_study(name: str, profile: Profile, runs: AnyPath, records: AnyPath = RECORDS) -> Path:
    """Run a study with what is trained in `runs` or released, and write its record to `records`; returns its path.

    >>> "table" in STUDIES  # each takes minutes: ``python -m mpinotes study table --profile smoke``
    True
    """
    check_choice("study", name, STUDIES)
    start = time.perf_counter()
    record = replace(
        STUDIES[name](profile, Path(runs)),
        profile=profile.name,
        command=f"python -m mpinotes study {name} --profile {profile.name}",
        version=mpinotes.__version__,
        seconds=round(time.perf_counter() - start),
    )
    return save_record(record, records)
