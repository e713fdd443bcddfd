"""The methods by name: what each trains on, with which loss, and how it is judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from mpinotes.data import (
    MatrixPairs,
    MatrixSetting,
    add_calibration_noise,
    available_vessels,
    image_pairs,
    matrix_pairs,
    matrix_split,
    mixing_subset,
    spread_out,
)
from mpinotes.evaluation import component_scores, summarise
from mpinotes.methods import adversarial, baselines, dccdm, regression, sm_regression, sm_synthesis
from mpinotes.networks import EDSRConfig, UNetConfig, seeded, seeded_network
from mpinotes.operators import Degradation, fit_degradation
from mpinotes.training import TrainConfig
from mpinotes.training.loop import Loss

if TYPE_CHECKING:  # studies stand on methods: importing them here would go round in a circle
    from mpinotes.studies.profiles import Profile

TRAIN_SEED, TEST_SEED = 0, 1
"""Seeds of the scans' noise and drive frequencies: train and test never share them."""

CALIBRATION_NOISE = 1e-3
"""Of noisy low-gradient matrices, as a share of the strongest high-gradient component: 60 dB."""

FIT_VOLUMES = 64
"""Training pairs that D is fitted to."""


EDSR_COST, ESRGAN_COST = 4, 5
"""Steps of the U-Net that take as long as one of theirs, so that all image methods get one training time:
0.62, 2.74 and 3.11 s on one thread of a CPU that computes bfloat16 (avx512_bf16); `make bench` measures it."""


@dataclass(frozen=True)
class Recipe:
    """A method made concrete by a profile.

    `config`: of the method, with its network. `model`: what is trained, untrained yet; `release`
    takes from it, or from its average, the network that is kept. `tensors`: the training data,
    described by `data`. `evaluate`: kept network -> metrics, for the card.

    >>> from mpinotes.training import TrainConfig
    >>> steps, tensors = TrainConfig(steps=1), (torch.ones(4, 1, 2, 2),)
    >>> def loss(model, batch, generator):
    ...     return {"total": model(batch[0]).mean()}
    >>> model, judge = torch.nn.Identity(), lambda network: {}
    >>> recipe = Recipe({}, model, steps, tensors, "ones", loss, judge)
    >>> recipe.loss(recipe.model, recipe.tensors, None)
    {'total': tensor(1.)}
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


def training_pairs(profile: "Profile") -> TrainingPairs:
    """What every image method is trained on."""
    vessels = available_vessels("train", profile.train_volumes)
    pairs = image_pairs(vessels.volumes, seed=TRAIN_SEED)
    degradation, _ = fit_degradation(pairs.x_hr[:FIT_VOLUMES], pairs.x_lr[:FIT_VOLUMES])
    return TrainingPairs((pairs.x_lr, pairs.x_hr), degradation, vessels.source)


def judge_images(enhance: Callable[[torch.Tensor], torch.Tensor], profile: "Profile", calls: int) -> dict[str, Any]:
    """Metrics of `enhance` (x_LR -> estimate of x_HR in `calls` network calls) on the test split."""
    test = available_vessels("test", profile.test_volumes)
    pairs = image_pairs(test.volumes, seed=TEST_SEED)
    return {
        "test data": test.source,
        "sampling_steps": calls,
        "x_lr": summarise(pairs.x_lr, pairs.x_hr),
        "enhanced": summarise(enhance(pairs.x_lr), pairs.x_hr),
    }


def _diffusion_recipe(profile: "Profile", seed: int, auxiliary: bool) -> Recipe:
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
    profile: "Profile", seed: int, config: regression.RegressionConfig, cost: int, learning_rate: float
) -> Recipe:
    """`cost`: how many steps of the U-Net take as long as one of this network."""
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


def _adversarial_recipe(profile: "Profile", seed: int) -> Recipe:
    data = training_pairs(profile)
    steps = max(1, profile.image_steps // ESRGAN_COST)
    config = adversarial.AdversarialConfig(pretraining=steps // 2)
    return Recipe(
        config,
        seeded(lambda: adversarial.Adversaries(config.network), seed),
        TrainConfig(steps, batch=8, learning_rate=2e-4, seed=seed),
        data.tensors,
        data.source,
        partial(adversarial.loss, config=config),
        lambda model: judge_images(lambda x_lr: regression.enhance(model, x_lr), profile, 1),
        release=lambda model: model.generator,  # type: ignore[arg-type, return-value]  # a module
    )


def matrix_train_pairs(profile: "Profile", split: str) -> MatrixPairs:
    """The components of the split's training settings, without noise."""
    settings = spread_out(matrix_split(split).train, profile.matrix_settings)
    orders = mixing_subset(profile.matrix_components)
    return matrix_pairs(settings, orders, phase_seed=TRAIN_SEED, progress=True)


def matrix_test_pairs(
    profile: "Profile", settings: Sequence[MatrixSetting], noise: float, relaxation: str = "equilibrium"
) -> MatrixPairs:
    """The components of test settings, with phases and noise of their own."""
    orders = mixing_subset(profile.matrix_components)
    return matrix_pairs(settings, orders, noise=noise, relaxation=relaxation, phase_seed=TEST_SEED, seed=TEST_SEED)


def _matrix_recipe(profile: "Profile", seed: int, config: sm_synthesis.SynthesisConfig, split: str) -> Recipe:
    def synthesise(model: nn.Module, test: MatrixPairs) -> torch.Tensor:
        return sm_synthesis.synthesise(model, test.low, test.orders, config, steps=profile.matrix_calls)

    return _component_recipe(profile, seed, config, split, sm_synthesis.loss, synthesise, profile.matrix_calls)


def _matrix_regression_recipe(
    profile: "Profile", seed: int, config: sm_synthesis.SynthesisConfig, split: str
) -> Recipe:
    def synthesise(model: nn.Module, test: MatrixPairs) -> torch.Tensor:
        return sm_regression.synthesise(model, test.low, test.orders, config)

    return _component_recipe(profile, seed, config, split, sm_regression.loss, synthesise, 1)


def _component_recipe(
    profile: "Profile", seed: int, config: sm_synthesis.SynthesisConfig, split: str, loss: Callable[..., Any],
    synthesise: Callable[[nn.Module, MatrixPairs], torch.Tensor], calls: int,
) -> Recipe:  # fmt: skip
    # Once clean and once with calibration noise.
    clean = matrix_train_pairs(profile, split)
    parts = clean, add_calibration_noise(clean, CALIBRATION_NOISE, seed=TRAIN_SEED)
    tensors = tuple(torch.cat([getattr(pairs, name) for pairs in parts]) for name in ("low", "high", "orders"))

    def evaluate(model: nn.Module) -> dict[str, Any]:
        metrics: dict[str, Any] = {"test data": f"split {split!r}", "sampling_steps": calls}
        for name, noise in (("clean", 0.0), ("noisy", CALIBRATION_NOISE)):
            test = matrix_test_pairs(profile, matrix_split(split).test, noise)
            metrics[name] = {
                "low": component_scores(test.low, test.high),
                "synthesised": component_scores(synthesise(model, test), test.high),
            }
        return metrics

    return Recipe(
        config,
        seeded_network(config.network, seed),
        TrainConfig(profile.matrix_steps, batch=32, learning_rate=8e-4, seed=seed),
        tensors,
        f"split {split!r}, {len(tensors[0])} pairs of components, half with calibration noise, simulated",
        partial(loss, config=config),
        evaluate,
    )


MATRIX_CONFIGS = {
    "sm_algorithm1": sm_synthesis.SynthesisConfig(),
    "sm_noised": sm_synthesis.SynthesisConfig(condition="noised"),
    "sm_attenuated": sm_synthesis.SynthesisConfig(condition="attenuated"),
    "sm_null": sm_synthesis.SynthesisConfig(told=True),
    "sm_aware": sm_synthesis.SynthesisConfig(condition="random", told=True),
    "sm_ordered": sm_synthesis.SynthesisConfig(ordered=True),
}
"""The trainings of a diffusion model on matrices."""

MATRIX_SUFFIXES = {"held-out diameters": "", "paper": "_paper", "continuous": "_continuous"}
"""What a split adds to the names of the methods trained on it."""

METHODS: "dict[str, Callable[[Profile, int], Recipe]]" = {
    "ddpm": partial(_diffusion_recipe, auxiliary=False),
    "dccdm": partial(_diffusion_recipe, auxiliary=True),
    "unet": partial(
        _regression_recipe,
        config=regression.RegressionConfig(UNetConfig(in_channels=1, blocks=2)),
        cost=1,
        learning_rate=6e-4,
    ),
    "edsr": partial(
        _regression_recipe, config=regression.RegressionConfig(EDSRConfig(), "l1"), cost=EDSR_COST, learning_rate=4e-4
    ),
    "esrgan": _adversarial_recipe,
}
"""By name: profile and seed -> the method's `Recipe`, as ``python -m mpinotes train`` follows it."""
for _split, _suffix in MATRIX_SUFFIXES.items():
    for _name, _ordered in (("sm_unet", False), ("sm_unet_ordered", True)):
        METHODS[_name + _suffix] = partial(
            _matrix_regression_recipe, config=sm_synthesis.SynthesisConfig(ordered=_ordered), split=_split
        )
    for _name, _config in MATRIX_CONFIGS.items():
        METHODS[_name + _suffix] = partial(_matrix_recipe, config=_config, split=_split)
