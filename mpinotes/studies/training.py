"""One method trained from nothing, evaluated and released, as ``python -m mpinotes train`` does."""

import hashlib
import json
import os
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import mpinotes
from mpinotes.files import AnyPath, save_atomically
from mpinotes.methods import METHODS, Method, TrainingData
from mpinotes.pretrained import package_hash, save_release
from mpinotes.studies.profiles import Profile
from mpinotes.training import TrainState, parallel, train, with_bar
from mpinotes.training.identity import differences


def train_method(name: str, profile: Profile, out: AnyPath, seed: int, device: torch.device) -> None:
    """Train a method by name, evaluate it, and write its release (weights and card) to `out`. Resumes by itself.
    Raises ``ValueError`` for a folder that holds another run.

    :param name: of the method.
    :param profile: says how much of the data it takes and how many steps at most.
    :param out: folder of checkpoint, weights and card.
    :param seed: of weights, batches and noise.
    :param device: where it is trained.

    >>> import inspect  # a training takes seconds at least: ``python -m mpinotes train unet --profile smoke``
    >>> list(inspect.signature(train_method).parameters)
    ['name', 'profile', 'out', 'seed', 'device']
    """
    method = profile.shortened(METHODS[name])
    method = replace(method, training=replace(method.training, seed=seed))
    run = {"method": name, "profile": profile.name, "seed": method.training.seed}
    out = Path(out)
    if parallel.is_first():
        _claim(out, run)
    data = method.training_data(profile)
    method = method.fitted(data)
    model = method.build(seed)
    states = train(model, method, data.tensors, method.training, device=device, folder=out)
    *_, state = with_bar(states, method.training.steps, f"training, then evaluating {name}")
    if not parallel.is_first():
        return
    # Nothing is printed until the release is written: a terminal that cannot take it must not cost a training.
    network = method.network(state.average).half().float()  # as it will be stored
    card = run | _card(method, data, state, device) | {"metrics": method.evaluate(network, profile)}
    save_release(name, network, card, out)
    print(f"wrote {out / name}.safetensors and its card")


def _claim(out: Path, run: dict[str, Any]) -> None:
    """Write down whose folder this is, now rather than after hours; refuse that of another run."""
    path = out / "run.json"
    if os.path.isfile(path):
        try:
            there = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            there = "something else"
        if found := differences(there, run):
            raise ValueError(f"{out} holds another run ({', '.join(found)}): choose another output folder")
    save_atomically(path, json.dumps(run).encode())


def _card(method: Method, data: TrainingData, state: TrainState, device: torch.device) -> dict[str, Any]:
    tensors = hashlib.md5(usedforsecurity=False)
    for tensor in data.tensors:
        tensors.update(tensor.numpy().tobytes())
    processor = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    workers = f"{parallel.processes()} × {torch.get_num_threads()}"
    return {
        "version": mpinotes.__version__,
        "code": package_hash(),
        "device": f"{device.type} ({processor}, {workers} threads), torch {torch.__version__}",
        "data": {"source": data.source, "md5 of the training tensors": tensors.hexdigest()},
        "training": asdict(method.training),
        "seconds": round(state.seconds),
        "loss": state.curve(),
        "config": asdict(method.config),
    }
