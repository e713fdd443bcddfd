"""Is a difference between two methods larger than that between two trainings of one?"""

from dataclasses import replace
from pathlib import Path

from mpinotes.data import image_split
from mpinotes.methods import METHODS, Trained
from mpinotes.studies.enhancers import enhancers
from mpinotes.studies.networks import find_trained
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import Record
from mpinotes.studies.rows import Subject, differences, image_scores, training_log

STUDY = "seeds"

REPEATED = ("unet", "ddpm", "dccdm")
"""Methods that are trained more than once, by name."""


def repetitions(runs: Path) -> list[dict[str, Trained]]:
    """The methods in `REPEATED` by name, once per training: as `find_trained` finds them, then those in
    `runs`/NAME_SUFFIX for every suffix under which all of them were trained."""
    methods = [METHODS[name] for name in REPEATED]
    found = [find_trained(methods, runs)]
    for suffix in sorted(path.name.removeprefix(REPEATED[0]) for path in runs.glob(f"{REPEATED[0]}_*")):
        if all((runs / f"{name}{suffix}" / f"{name}.safetensors").is_file() for name in REPEATED):
            found.append(find_trained(methods, runs, suffix))
    return found


def run(profile: Profile, runs: Path) -> Record:
    """Test every training on the same pairs, under the conditions "training/0", "training/1", …. Differences are
    to the DDPM of the same repetition, which started from the same weights and saw the same batches."""
    pairs = image_split("test", profile.test_volumes)
    rows, trainings = [], []
    for number, methods in enumerate(repetitions(runs)):
        condition = f"training/{number}"
        tested = enhancers(methods)
        scores = {key: image_scores(method.enhance(pairs.x_lr), pairs.x_hr) for key, method in tested.items()}
        for key, values in scores.items():
            rows += Subject(STUDY, key, condition).means(values | differences(values, scores["ddpm"], "ddpm"))
        logs = [training_log(trained.card, condition) for trained in methods.values()]
        # The first are those of the table, whose record has their curves.
        trainings += logs if number else [replace(log, loss=()) for log in logs]
    titles = {key: method.title for key, method in tested.items()}
    return Record(STUDY, pairs.source, titles, {"volumes": len(pairs.x_hr)}, tuple(rows), trainings=tuple(trainings))
