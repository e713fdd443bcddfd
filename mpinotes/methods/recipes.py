"""The methods by name: what each trains on, with which loss, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from mpinotes.data import PAPER_SETTINGS, PAPER_TEST, available_vessels, image_pairs, matrix_pairs, mixing_subset
from mpinotes.evaluation import component_scores, summarise
from mpinotes.methods import baselines, dccdm, sm_synthesis
from mpinotes.operators import fit_degradation
from mpinotes.training import TrainConfig
from mpinotes.training.loop import Loss
from mpinotes.training.profiles import Profile

TRAIN_SEED, TEST_SEED = 0, 1
"""Seeds of the scans' noise and drive frequencies: train and test never share them."""

FIT_VOLUMES = 64
"""Training pairs that D is fitted to."""


@dataclass(frozen=True)
class Recipe:
    """A method made concrete by a profile.

    `config`: of the method, with its network. `tensors`: the training data, described by `data`.
    `evaluate`: trained network -> metrics, for the card.
    """

    config: dccdm.DCCDMConfig | sm_synthesis.SynthesisConfig
    training: TrainConfig
    tensors: tuple[torch.Tensor, ...]
    data: str
    loss: Loss
    evaluate: Callable[[nn.Module], dict[str, Any]]


def _image_recipe(profile: Profile, seed: int, auxiliary: bool) -> Recipe:
    vessels = available_vessels("train", profile.train_volumes)
    pairs = image_pairs(vessels.volumes, seed=TRAIN_SEED)
    degradation, _ = fit_degradation(pairs.x_hr[:FIT_VOLUMES], pairs.x_lr[:FIT_VOLUMES])
    config = dccdm.DCCDMConfig(degradation) if auxiliary else baselines.ddpm(degradation)

    def evaluate(model: nn.Module) -> dict[str, Any]:
        test = available_vessels("test", profile.test_volumes)
        pairs = image_pairs(test.volumes, seed=TEST_SEED)
        enhanced = dccdm.enhance(model, pairs.x_lr, config, steps=profile.sampling_steps)
        return {
            "test data": test.source,
            "sampling_steps": profile.sampling_steps,
            "x_lr": summarise(pairs.x_lr, pairs.x_hr),
            "enhanced": summarise(enhanced, pairs.x_hr),
        }

    training = TrainConfig(profile.image_steps, batch=8, learning_rate=6e-4, seed=seed)
    loss = partial(dccdm.loss, config=config)
    return Recipe(config, training, (pairs.x_lr, pairs.x_hr), vessels.source, loss, evaluate)


def _matrix_recipe(profile: Profile, seed: int) -> Recipe:
    settings = PAPER_SETTINGS[: profile.matrix_settings]
    pairs = matrix_pairs(settings, mixing_subset(profile.matrix_components), progress=True)
    config = sm_synthesis.SynthesisConfig()

    def evaluate(model: nn.Module) -> dict[str, Any]:
        test = matrix_pairs([PAPER_TEST], mixing_subset(profile.matrix_components))
        synthesised = sm_synthesis.synthesise(model, test.low, config, steps=profile.sampling_steps)
        return {
            "test data": f"{PAPER_TEST}",
            "sampling_steps": profile.sampling_steps,
            "low": component_scores(test.low, test.high),
            "synthesised": component_scores(synthesised, test.high),
        }

    training = TrainConfig(profile.matrix_steps, batch=32, seed=seed)
    data = f"{len(settings)} pairs of matrices, {len(pairs.low)} pairs of components, simulated"
    loss = partial(sm_synthesis.loss, config=config)
    return Recipe(config, training, (pairs.low, pairs.high), data, loss, evaluate)


METHODS: dict[str, Callable[[Profile, int], Recipe]] = {
    "ddpm": partial(_image_recipe, auxiliary=False),
    "dccdm": partial(_image_recipe, auxiliary=True),
    "sm_synthesis": _matrix_recipe,
}
