"""The methods by name: what each trains on, with which loss, and how it is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from mpinotes.data import PAPER_SETTINGS, PAPER_TEST, available_vessels, image_pairs, matrix_pairs, mixing_subset
from mpinotes.evaluation import component_scores, summarise
from mpinotes.methods import adversarial, baselines, dccdm, regression, sm_synthesis
from mpinotes.networks import EDSRConfig, UNetConfig, seeded, seeded_network
from mpinotes.operators import Degradation, fit_degradation
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

    `config`: of the method, with its network. `model`: what is trained, untrained yet; `release`
    takes from it, or from its average, the network that is kept. `tensors`: the training data,
    described by `data`. `evaluate`: kept network -> metrics, for the card.
    """

    config: Any
    model: nn.Module
    training: TrainConfig
    tensors: tuple[torch.Tensor, ...]
    data: str
    loss: Loss
    evaluate: Callable[[nn.Module], dict[str, Any]]
    release: Callable[[nn.Module], nn.Module] = lambda model: model


@dataclass(frozen=True)
class TrainingPairs:
    """The training split through the scanner, the D fitted to it, and where the vessels come from."""

    tensors: tuple[torch.Tensor, torch.Tensor]
    degradation: Degradation
    source: str


def training_pairs(profile: Profile) -> TrainingPairs:
    """What every image method is trained on."""
    vessels = available_vessels("train", profile.train_volumes)
    pairs = image_pairs(vessels.volumes, seed=TRAIN_SEED)
    degradation, _ = fit_degradation(pairs.x_hr[:FIT_VOLUMES], pairs.x_lr[:FIT_VOLUMES])
    return TrainingPairs((pairs.x_lr, pairs.x_hr), degradation, vessels.source)


def judge_images(enhance: Callable[[torch.Tensor], torch.Tensor], profile: Profile, calls: int) -> dict[str, Any]:
    """Metrics of `enhance` (x_LR -> estimate of x_HR in `calls` network calls) on the test split."""
    test = available_vessels("test", profile.test_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    return {
        "test data": test.source,
        "sampling_steps": calls,
        "x_lr": summarise(pairs.x_lr, pairs.x_hr),
        "enhanced": summarise(enhance(pairs.x_lr), pairs.x_hr),
    }


def _diffusion_recipe(profile: Profile, seed: int, auxiliary: bool) -> Recipe:
    data = training_pairs(profile)
    config = dccdm.DCCDMConfig(data.degradation) if auxiliary else baselines.ddpm(data.degradation)
    steps = profile.sampling_steps
    return Recipe(
        config,
        seeded_network(config.network, seed),
        TrainConfig(profile.image_steps, batch=8, learning_rate=6e-4, seed=seed),
        data.tensors,
        data.source,
        partial(dccdm.loss, config=config),
        lambda model: judge_images(lambda x_lr: dccdm.enhance(model, x_lr, config, steps=steps), profile, steps),
    )


def _regression_recipe(
    profile: Profile, seed: int, config: regression.RegressionConfig, cost: int, learning_rate: float
) -> Recipe:
    """`cost`: how many steps of the U-Net take as long as one of this network: all methods get one time."""
    data = training_pairs(profile)
    return Recipe(
        config,
        seeded_network(config.network, seed),
        TrainConfig(max(1, profile.image_steps // cost), batch=8, learning_rate=learning_rate, seed=seed),
        data.tensors,
        data.source,
        partial(regression.loss, config=config),
        lambda model: judge_images(lambda x_lr: regression.enhance(model, x_lr), profile, 1),
    )


def _adversarial_recipe(profile: Profile, seed: int) -> Recipe:
    data = training_pairs(profile)
    config = adversarial.AdversarialConfig()
    return Recipe(
        config,
        seeded(lambda: adversarial.Adversaries(config.network), seed),
        TrainConfig(max(1, profile.image_steps // 3), batch=8, learning_rate=2e-4, seed=seed),
        data.tensors,
        data.source,
        partial(adversarial.loss, config=config),
        lambda model: judge_images(lambda x_lr: regression.enhance(model, x_lr), profile, 1),
        release=lambda model: model.generator,  # type: ignore[arg-type, return-value]  # a module
    )


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
    model = seeded_network(config.network, seed)
    return Recipe(config, model, training, (pairs.low, pairs.high), data, loss, evaluate)


METHODS: dict[str, Callable[[Profile, int], Recipe]] = {
    "ddpm": partial(_diffusion_recipe, auxiliary=False),
    "dccdm": partial(_diffusion_recipe, auxiliary=True),
    "unet": partial(
        _regression_recipe,
        config=regression.RegressionConfig(UNetConfig(in_channels=1, blocks=2)),
        cost=1,
        learning_rate=6e-4,
    ),
    "edsr": partial(
        _regression_recipe, config=regression.RegressionConfig(EDSRConfig(), "l1"), cost=2, learning_rate=4e-4
    ),
    "esrgan": _adversarial_recipe,
    "sm_synthesis": _matrix_recipe,
}
