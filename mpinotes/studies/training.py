"""One method trained from nothing, evaluated and released, as ``python -m mpinotes train`` does."""

import hashlib
import json
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import mpinotes
from mpinotes.files import save_atomically
from mpinotes.methods import METHODS, Method, TrainingData
from mpinotes.pretrained import package_hash, save_release
from mpinotes.studies.profiles import Profile
from mpinotes.training import TrainState, parallel, train, with_bar


def train_method(name: str, profile: Profile, out: Path, seed: int, device: torch.device) -> None:
    """Train a method by name, evaluate it, and write its release (weights and card) to `out`. Resumes by itself.

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
    run = {"method": name, "profile": profile.name, "seed": seed}
    if parallel.is_first():
        save_atomically(out / "run.json", json.dumps(run).encode())  # fails now rather than after hours
    data = method.training_data(profile)
    method = method.fitted(data)
    model = method.build(seed)
    states = train(model, method, data.tensors, method.training, device=device, folder=out)
    *_, state = with_bar(states, method.training.steps, f"training {name}")
    if not parallel.is_first():
        return
    network = method.network(state.average).half().float()  # as it will be stored
    print(f"evaluating {name} …", flush=True)
    card = run | _card(method, data, state, device) | {"metrics": method.evaluate(network, profile)}
    save_release(name, network, card, out)
    print(f"wrote {out / name}.safetensors and its card")


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
