"""Is a difference between two methods larger than that between two trainings of one?"""

from pathlib import Path
from typing import Any

from mpinotes.data import available_vessels, image_pairs
from mpinotes.methods.recipes import TEST_SEED
from mpinotes.methods.released import Trained
from mpinotes.studies.enhancers import TITLES, enhancers
from mpinotes.studies.profiles import Profile
from mpinotes.studies.record import differences, image_scores, intervals, training_log
from mpinotes.studies.trained import find_trained

REPEATED = ("unet", "ddpm", "dccdm")


def repetitions(runs: Path) -> list[dict[str, Trained]]:
    """The methods in `REPEATED` by name, once per training: as `find_trained` finds them, then those in
    `runs`/NAME_SUFFIX for every suffix under which all of them were trained."""
    found = [find_trained(REPEATED, runs)]
    for suffix in sorted(path.name.removeprefix(REPEATED[0]) for path in runs.glob(f"{REPEATED[0]}_*")):
        if all((runs / f"{name}{suffix}" / f"{name}.safetensors").is_file() for name in REPEATED):
            found.append(find_trained(REPEATED, runs, suffix))
    return found


def run(profile: Profile, runs: Path) -> dict[str, Any]:
    """Judge every training on the same pairs. Differences are to the DDPM of the same repetition, which
    started from the same weights and saw the same batches."""
    test = available_vessels("test", profile.test_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    rows = []
    for methods in repetitions(runs):
        scores = {
            title: image_scores(enhancer.enhance(pairs.x_lr), pairs.x_hr)
            for title, enhancer in enhancers(methods, profile.sampling_steps).items()
        }
        rows.append(
            {
                "seed": methods["ddpm"].card["seed"],
                "training": {TITLES[name]: training_log(trained.card) for name, trained in methods.items()},
                "rows": {
                    title: intervals(values | differences(values, scores[TITLES["ddpm"]], "minus 3D DDPM"))
                    for title, values in scores.items()
                },
            }
        )
    return {"test data": test.source, "volumes": len(test.volumes), "trainings": rows}
