"""A method: what it is called, what it learns from, how it is trained, how it is applied."""

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import nn

from mpinotes.checks import check_count, make_plain
from mpinotes.data import (
    CALIBRATION_NOISE,
    NOISES,
    TRAIN_SEED,
    Amounts,
    add_calibration_noise,
    image_split,
    matrix_test_pairs,
    matrix_test_settings,
    matrix_train_pairs,
)
from mpinotes.evaluation import component_scores, summarise
from mpinotes.networks import seeded_network
from mpinotes.training import TrainConfig


@dataclass(frozen=True)
class TrainingData:
    """The `tensors` a method is trained on, one sample per row, and their `source` in words.

    >>> TrainingData((torch.zeros(4, 1, 8, 8, 8), torch.ones(4, 1, 8, 8, 8)), "four cubes").source
    'four cubes'
    """

    tensors: tuple[torch.Tensor, ...]
    source: str


@dataclass(frozen=True)
class Method(ABC):
    """One way to an estimate, from its data to its metrics. The loop trains it: see `Trainable`.

    :param name: of its files and on the command line.
    :param title: in tables and figures.
    :param config: everything that defines it, a frozen dataclass with a `network`.
    :param training: all numbers of its training.
    :param calls: of the network for one estimate.

    >>> method = METHODS["dccdm"]
    >>> method.title, method.training.steps, method.calls
    ('DCCDM', 11000, 2)
    """

    name: str
    title: str
    config: Any
    training: TrainConfig
    calls: int

    def __post_init__(self) -> None:
        make_plain(self)
        check_count("calls", self.calls)

    @property
    def identity(self) -> dict[str, Any]:
        """What its trainings are told apart by: name and configuration, as plain values."""
        return {"method": self.name, "config": asdict(self.config)}

    @abstractmethod
    def training_data(self, amounts: Amounts) -> TrainingData:
        """What it is trained on."""

    def fitted(self, data: TrainingData) -> Self:
        """The method with what is fitted to its data before the training."""
        return self

    def build(self, seed: int) -> nn.Module:
        """What is trained, untrained yet; its weights depend on `seed` alone."""
        return seeded_network(self.config.network, seed)

    def network(self, model: nn.Module) -> nn.Module:
        """The network that is kept of a trained model."""
        return model

    @abstractmethod
    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Augment rows of the data and draw the random numbers of their loss."""

    @abstractmethod
    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        """The terms of the loss by name, "total" among them; `progress`: share of the training that is done."""

    @abstractmethod
    def apply(self, model: nn.Module, *inputs: Any, **options: Any) -> torch.Tensor:
        """The estimate a trained network gives for its inputs."""

    @abstractmethod
    def evaluate(self, model: nn.Module, amounts: Amounts) -> dict[str, Any]:
        """Metrics of a trained network on test data, for its card."""


@dataclass(frozen=True)
class ImageMethod(Method):
    """A method that enhances images: x_LR -> estimate of x_HR, both (batch, 1, z, y, x) in [0, 1].

    >>> isinstance(METHODS["unet"], ImageMethod)
    True
    """

    @abstractmethod
    def apply(self, model: nn.Module, x_lr: torch.Tensor, **options: Any) -> torch.Tensor:
        """The estimate of x_HR, in `calls` network calls unless the `options` say otherwise."""

    def training_data(self, amounts: Amounts) -> TrainingData:
        pairs = image_split("train", amounts.train_volumes)
        return TrainingData((pairs.x_lr, pairs.x_hr), pairs.source)

    def evaluate(self, model: nn.Module, amounts: Amounts) -> dict[str, Any]:
        test = image_split("test", amounts.test_volumes)
        return {
            "test data": test.source,
            "sampling_steps": self.calls,
            "x_lr": summarise(test.x_lr, test.x_hr),
            "enhanced": summarise(self.apply(model, test.x_lr), test.x_hr),
        }


@dataclass(frozen=True)
class MatrixMethod(Method):
    """A method that synthesises system matrices: low-gradient components and their mixing orders -> estimate
    of the high-gradient ones, complex (batch, 2, y, x) of modulus ≤ 1.

    :param variant: its name without the split.
    :param split: of the settings it is trained on.

    >>> method = METHODS["sm_aware_paper"]
    >>> method.variant, method.split
    ('sm_aware', 'paper')
    """

    variant: str
    split: str

    @abstractmethod
    def apply(self, model: nn.Module, low: torch.Tensor, orders: torch.Tensor, **options: Any) -> torch.Tensor:
        """The estimate of the high-gradient components, in `calls` network calls unless `options` say otherwise."""

    def training_data(self, amounts: Amounts) -> TrainingData:
        # Once clean and once with calibration noise.
        clean = matrix_train_pairs(amounts, self.split)
        parts = clean, add_calibration_noise(clean, CALIBRATION_NOISE, seed=TRAIN_SEED)
        low, high, orders = (torch.cat([getattr(pairs, name) for pairs in parts]) for name in ("low", "high", "orders"))
        source = f"split {self.split!r}, {len(low)} pairs of components, half with calibration noise, simulated"
        return TrainingData((low, high, orders), source)

    def evaluate(self, model: nn.Module, amounts: Amounts) -> dict[str, Any]:
        def scores(noise: float) -> dict[str, Any]:
            test = matrix_test_pairs(amounts, matrix_test_settings(self.split), noise)
            synthesised = self.apply(model, test.low, test.orders)
            return {
                "low": component_scores(test.low, test.high),
                "synthesised": component_scores(synthesised, test.high),
            }

        return {
            "test data": f"split {self.split!r}",
            "sampling_steps": self.calls,
            **{name: scores(noise) for name, noise in NOISES.items()},
        }
