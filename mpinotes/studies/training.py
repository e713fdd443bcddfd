"""One method trained from nothing, evaluated and released, as ``python -m mpinotes train`` does."""

import hashlib
import platform
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

import mpinotes
from mpinotes.checks import check_choice
from mpinotes.files import AnyPath
from mpinotes.methods import METHODS, Method, Trained, TrainingData
from mpinotes.pretrained import package_hash, save_release
from mpinotes.studies.profiles import Profile
from mpinotes.training import TrainState, parallel, train, with_bar


def prepare(name: str, profile: Profile, seed: int) -> tuple[Method, TrainingData]:
    """A method as a profile trains it, with what is fitted to its data before; and these data.

    >>> method, data = prepare("sm_unet", get_profile("smoke"), seed=1)
    >>> method.training.steps, method.training.seed, len(data.tensors[0])
    (12, 1, 48)
    """
    check_choice("method", name, METHODS)
    method = profile.shortened(METHODS[name])
    method = replace(method, training=replace(method.training, seed=seed))
    data = method.training_data(profile)
    return method.fitted(data), data


def finish(
    method: Method, data: TrainingData, state: TrainState, profile: Profile, folder: Path | None = None
) -> Trained:
    """What a training ended with, ready to use. With a `folder` it is evaluated on test data first, and its
    release, weights and card, is written there.

    :param method: as it was trained.
    :param data: that it was trained on.
    :param state: the last one.
    :param profile: says how much of the test data the evaluation takes.
    :param folder: of the release.

    >>> from mpinotes.training import TrainState
    >>> method, data = prepare("sm_unet", get_profile("smoke"), seed=0)
    >>> state = TrainState(12, {"total": 0.1}, [0.1] * 12, 5.0, method.build(seed=0))
    >>> finish(method, data, state, get_profile("smoke")).method.name
    'sm_unet'
    """
    network = method.network(state.average).half().float().eval()  # as it will be stored
    if folder is None:
        return Trained(method, network, {})
    # Nothing is printed until the release is written: a terminal that cannot take it must not cost a training.
    card = _card(method, data, state, profile) | {"metrics": method.evaluate(network, profile)}
    save_release(method.name, network, card, folder)
    print(f"wrote {folder / method.name}.safetensors and its card")
    return Trained(method, network, card)


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
    method, data = prepare(name, profile, seed)
    states = train(method.build(seed), method, data.tensors, method.training, device=device, folder=out)
    *_, state = with_bar(states, method.training.steps, f"training, then evaluating {name}")
    if parallel.is_first():
        finish(method, data, state, profile, Path(out))


def _card(method: Method, data: TrainingData, state: TrainState, profile: Profile) -> dict[str, Any]:
    device = next(state.average.parameters()).device
    tensors = hashlib.md5(usedforsecurity=False)
    for tensor in data.tensors:
        tensors.update(tensor.numpy().tobytes())
    processor = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    workers = f"{parallel.processes()} × {torch.get_num_threads()}"
    return {
        "method": method.name,
        "profile": profile.name,
        "seed": method.training.seed,
        "version": mpinotes.__version__,
        "code": package_hash(),
        "device": f"{device.type} ({processor}, {workers} threads), torch {torch.__version__}",
        "data": {"source": data.source, "md5 of the training tensors": tensors.hexdigest()},
        "training": asdict(method.training),
        "seconds": round(state.seconds),
        "loss": state.curve(),
        "config": asdict(method.config),
    }
