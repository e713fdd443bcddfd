"""Where studies and chapters find their networks."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import mpinotes
from mpinotes.data import Amounts, available_vessels
from mpinotes.methods import METHODS, ImageMethod, Method, Trained, load
from mpinotes.pretrained import released
from mpinotes.studies.profiles import Profile
from mpinotes.studies.training import train_method
from mpinotes.training import best_device, train


def find_trained(methods: Iterable[Method], runs: Path, suffix: str = "") -> dict[str, Trained]:
    """By name: those methods that were trained into `runs`/NAME`suffix` or are released with the package; the
    others are named, with the command that trains them."""
    found = {}
    for name in (method.name for method in methods):
        folder = runs / f"{name}{suffix}"
        if _is_trained(name, folder):
            found[name] = load(name, folder)
        elif name in released():
            found[name] = load(name)
        else:
            print(f"{name} is left out: train it with `python -m mpinotes train {name} --out {folder}`")
    for trained in found.values():
        trained.model.to(best_device())
    return found


def get_trained(names: Iterable[str], profile: Profile, runs: Path, seed: int = 0) -> dict[str, Trained]:
    """The networks whose results a chapter shows, by name: the released ones or, in the profile "full", those of
    this run. What `runs`/NAME does not hold yet is trained there by its recipe, once it is said how long that takes.

    :param names: of the methods.
    :param profile: of the chapter.
    :param runs: the folder that all chapters of a run share.
    :param seed: of the trainings.
    :raises ValueError: for a network in `runs` of another profile, seed or version, or of other data.

    >>> from pathlib import Path
    >>> get_trained(["sm_unet"], get_profile("book"), Path("runs"))["sm_unet"].method.title
    'U-Net regression'
    """
    if profile.name != "full":
        return {name: load(name) for name in names}
    announce([name for name in names if not _is_trained(name, runs / name)], profile)
    found = {}
    for name in names:
        if not _is_trained(name, runs / name):
            train_method(name, profile, runs / name, seed, best_device())
        found[name] = load(name, runs / name)
        _check_run(found[name], profile, seed, runs / name)
    return found


def announce(names: Iterable[str], profile: Profile) -> None:
    """Say what is going to be trained, and for how long here: a few steps are taken to know.

    >>> announce(["sm_unet"], get_profile("smoke"))  # doctest: +ELLIPSIS
    to be trained here: U-Net regression, 12 steps, about ...
    """
    for name in names:
        method = profile.shortened(METHODS[name])
        steps = method.training.steps
        minutes = steps * _seconds_per_step(method) / 60
        print(f"to be trained here: {method.title}, {steps:,} steps, about {minutes:.1f} min", flush=True)


def _seconds_per_step(method: Method) -> float:
    """How long a training step of a method takes here, without the first, which warms up [s]."""
    amounts = Amounts(train_volumes=1, test_volumes=1, matrix_settings=1, matrix_components=1)
    tensors = method.training_data(amounts).tensors
    states = train(method.build(seed=0), method, tensors, replace(method.training, steps=3))
    first, _, last = [state.seconds for state in states]
    return (last - first) / 2


def _check_run(trained: Trained, profile: Profile, seed: int, folder: Path) -> None:
    there = {name: trained.card[name] for name in ("profile", "seed", "version")}
    here = {"profile": profile.name, "seed": seed, "version": mpinotes.__version__}
    if isinstance(trained.method, ImageMethod):  # matrices are simulated, by a version
        vessels = available_vessels("train", profile.train_volumes)
        # The first sentence: the second says why there are no real ones.
        there["data"], here["data"] = (
            source.partition(".")[0] for source in (trained.card["data"]["source"], vessels.source)
        )
    other = [f"{name} {there[name]}, not {value}" for name, value in here.items() if there[name] != value]
    if other:
        raise ValueError(f"{folder} is of another run ({'; '.join(other)}): delete it, or work in another folder")


def _is_trained(name: str, folder: Path) -> bool:
    return (folder / f"{name}.safetensors").is_file()
