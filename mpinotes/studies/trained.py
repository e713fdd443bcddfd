"""Where the studies find their networks."""

from collections.abc import Iterable
from pathlib import Path

from mpinotes.methods import Method, Trained, load
from mpinotes.pretrained import released
from mpinotes.training import best_device


def find_trained(methods: Iterable[Method], runs: Path, suffix: str = "") -> dict[str, Trained]:
    """By name: those methods that were trained into `runs`/NAME`suffix` or are released with the package; the
    others are named, with the command that trains them."""
    found = {}
    for name in (method.name for method in methods):
        folder = runs / f"{name}{suffix}"
        if (folder / f"{name}.safetensors").is_file():
            found[name] = load(name, folder)
        elif name in released():
            found[name] = load(name)
        else:
            print(f"{name} is left out: train it with `python -m mpinotes train {name} --out {folder}`")
    for trained in found.values():
        trained.model.to(best_device())
    return found
