"""The one training loop: a generator, so that a notebook can plot, stop, or show a bar."""

import hashlib
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NoReturn, Protocol

import torch
from torch import nn

from mpinotes import draw
from mpinotes.checks import check_count, check_positive, check_range, make_plain
from mpinotes.files import AnyPath
from mpinotes.numerics import full_precision
from mpinotes.training import parallel
from mpinotes.training.checkpoint import Checkpoint
from mpinotes.training.ema import make_ema
from mpinotes.training.guard import LARGEST_SCALE, Guard
from mpinotes.training.identity import fingerprint
from mpinotes.training.precision import best_device, low_precision

READ_EVERY = {"cpu": 1, "cuda": 20}
"""Steps between two looks at the losses, by type of device: a GPU would wait for each look."""


class Trainable(Protocol):
    """What the loop asks of a method: random numbers on one side, a function of its arguments on the other.

    >>> class Fit:
    ...     identity = {"method": "fit"}
    ...     def draw(self, batch, generator):
    ...         return batch
    ...     def loss(self, model, drawn, progress):
    ...         return {"total": (model(drawn[0]) - drawn[1]).square().mean()}
    >>> data = torch.ones(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    >>> [state.step for state in train(torch.nn.Conv2d(1, 1, 1), Fit(), data, TrainConfig(steps=2, batch=2))]
    [1, 2]
    """

    @property
    def identity(self) -> dict[str, Any]:
        """What its trainings are told apart by, beside data, weights and `TrainConfig`: plain values by name."""

    def draw(self, batch: tuple[torch.Tensor, ...], generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        """Augment a batch and draw the random numbers of its loss: tensors with one row per sample."""

    def loss(self, model: nn.Module, drawn: tuple[torch.Tensor, ...], progress: float) -> dict[str, torch.Tensor]:
        """The terms of the loss by name; "total" is what is minimised. `progress`: share of the steps done."""


@dataclass(frozen=True)
class TrainConfig:
    """Steps and optimiser (AdamW, linear warm-up, cosine decay to zero, clipped gradients).

    :param steps: of the optimiser.
    :param batch: samples per step.
    :param learning_rate: the largest.
    :param warmup: steps until it is reached.
    :param ema_decay: of the average of the weights, see `make_ema`.
    :param checkpoint_every: steps between two checkpoints.
    :param seed: of the starting weights, the batches and what a method draws.

    >>> config = TrainConfig(steps=1000, learning_rate=1e-3, warmup=99)
    >>> [round(config.rate(step), 6) for step in (0, 99, 500, 999)]
    [1e-05, 0.000976, 0.0005, 0.0]
    """

    steps: int
    batch: int = 8
    learning_rate: float = 4e-4
    warmup: int = 100
    ema_decay: float = 0.999
    checkpoint_every: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        make_plain(self)
        for name in ("steps", "batch", "checkpoint_every"):
            check_count(name, getattr(self, name))
        for name in ("warmup", "seed"):
            check_count(name, getattr(self, name), low=0)
        check_positive("learning_rate", self.learning_rate)
        check_range("ema_decay", self.ema_decay, 0.0, 1.0)

    def rate(self, step: int) -> float:
        """Learning rate of `step` = 0 … steps − 1."""
        warm = min(1.0, (step + 1) / (self.warmup + 1))
        return self.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / self.steps))


@dataclass(frozen=True)
class TrainState:
    """Where a training stands.

    :param step: how many steps are done.
    :param terms: of the loss of the last one that was read: on a GPU every twentieth is.
    :param history: the total of each step that was read.
    :param seconds: spent, earlier runs included.
    :param average: the model with the moving average of its weights: what is evaluated and kept.

    >>> state = TrainState(4, {"total": 1.0}, [4.0, 3.0, 2.0, 1.0], 0.1, torch.nn.Identity())
    >>> state.curve(points=2)
    [3.5, 1.5]
    """

    step: int
    terms: dict[str, float]
    history: list[float]
    seconds: float
    average: nn.Module

    def curve(self, points: int = 100) -> list[float]:
        """The history as at most `points` means over equally many steps, for a card."""
        parts = torch.tensor(self.history, dtype=torch.float64, device="cpu").tensor_split(
            min(points, len(self.history))
        )
        return [float(f"{part.mean():.4g}") for part in parts]


@full_precision
def train(
    model: nn.Module,
    method: Trainable,
    data: tuple[torch.Tensor, ...],
    config: TrainConfig,
    *,
    device: torch.device | None = None,
    folder: AnyPath | None = None,
) -> Iterator[TrainState]:
    """Train `model` in place, yielding the state after every step, and first of all the one it resumes from.

    All randomness of step k comes from a generator seeded with (seed, k), so a run that was stopped and
    started again with the same `folder` ends with the same bits as one that was not. Checkpoints are
    replaced atomically. Under ``torchrun`` (see `parallel.join`) the processes divide the batch between
    them and the first one writes the checkpoints.

    :param model: what is trained.
    :param method: draws the random numbers of a batch and says its loss.
    :param data: tensors with one sample per row; each step draws `config.batch` rows.
    :param config: steps and optimiser.
    :param device: where; by default the GPU, if there is one.
    :param folder: of the checkpoints; without it there are none.
    :raises ValueError: for a checkpoint that is damaged or of another run, with what the runs differ in,
        and where processes differ in what they train or from where they go on.
    :raises BlockingIOError: when another training runs in the folder.
    :raises FloatingPointError: when loss or gradient are no longer finite.
    :raises ConnectionError: when another process died.

    >>> class Fit:
    ...     identity = {"method": "fit"}
    ...     def draw(self, batch, generator):
    ...         return batch
    ...     def loss(self, model, drawn, progress):
    ...         return {"total": (model(drawn[0]) - drawn[1]).square().mean()}
    >>> model, config = torch.nn.Conv2d(1, 1, 1), TrainConfig(steps=3, batch=2)
    >>> data = torch.ones(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    >>> *_, state = train(model, Fit(), data, config)
    >>> state.step, len(state.history)
    (3, 3)
    """
    if config.batch % parallel.processes():
        raise ValueError(f"batch: got {config.batch}, accepted are multiples of the {parallel.processes()} processes")
    device = device or best_device()
    identity = {
        # As text, which is exact: other numbers may differ by rounding.
        "training": {name: str(value) for name, value in asdict(config).items()},
        **method.identity,
        "training data": fingerprint(data),
        "starting weights": fingerprint(model.state_dict().values()),
    }
    memory_format = {4: torch.channels_last, 5: torch.channels_last_3d}[data[0].ndim]
    ema = make_ema(model, config.ema_decay)
    for module in (model, ema):
        module.to(device, memory_format=memory_format)  # type: ignore[call-overload]  # torch's stubs lack it
    data = tuple(tensor.to(device) for tensor in data)
    # A short memory for squared gradients: with the usual 0.999 both image models left the track
    # together after some 1,700 steps at a rate of 1e-3. Fused, as the guard needs it.
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99), fused=True)
    guard = Guard(LARGEST_SCALE if low_precision(device) == torch.float16 else 1.0, device)
    checkpoint = Checkpoint(folder, identity, {"model": model, "ema": ema, "optimizer": optimizer, "guard": guard})
    with checkpoint.alone():
        progress = checkpoint.restore() or {"history": [], "seconds": 0.0}
        history, began = progress["history"], time.perf_counter() - progress["seconds"]
        parallel.check_agreement(
            {"step": len(history), "weights": fingerprint(model.state_dict().values()), **identity}
        )
        terms = {"total": history[-1]} if history else {}
        if history:
            yield TrainState(len(history), terms, history, progress["seconds"], ema.module)
        unread: list[dict[str, torch.Tensor]] = []
        for step in range(len(history), config.steps):
            unread.append(_train_step(model, method, data, config, optimizer, guard, step))
            ema.update_parameters(model)
            stored = (step + 1) % config.checkpoint_every == 0 or step + 1 == config.steps
            if stored or not terms or len(unread) >= READ_EVERY.get(device.type, 1):
                terms = _read(unread, history)
                unread.clear()
            state = TrainState(step + 1, terms, history, time.perf_counter() - began, ema.module)
            if stored:
                checkpoint.store(step=state.step, history=history, seconds=state.seconds)
            yield state


def _train_step(
    model: nn.Module, method: Trainable, data: tuple[torch.Tensor, ...], config: TrainConfig,
    optimizer: torch.optim.Optimizer, guard: Guard, step: int,
) -> dict[str, torch.Tensor]:  # fmt: skip
    """One step of the optimiser; the terms of its loss and the norm of its gradient, on the device."""
    generator = step_generator(config.seed, step)
    rows = draw.send(draw.integers(0, len(data[0]), (config.batch,), generator), data[0].device)
    drawn = method.draw(tuple(tensor[rows] for tensor in data), generator)
    for group in optimizer.param_groups:
        group["lr"] = config.rate(step)
    optimizer.zero_grad(set_to_none=True)
    terms = method.loss(model, parallel.local_rows(drawn), step / config.steps)
    guard.scaled(terms["total"]).backward()
    parallel.average_gradients(model)
    terms = parallel.average_terms(terms)  # so that all processes go on, or none
    norm = guard.clip(model)
    guard.step(optimizer, terms["total"], norm)
    return {**terms, "norm of the gradient": norm, "ended": guard.ended}


def _read(steps: list[dict[str, torch.Tensor]], history: list[float]) -> dict[str, float]:
    """Wait for the device, append what it says of steps to their history, and return the terms of the last."""
    numbers = iter(torch.stack([value.float() for step in steps for value in step.values()]).tolist())
    for step in steps:
        terms = dict(zip(step, numbers, strict=False))
        norm, ended = terms.pop("norm of the gradient"), terms.pop("ended")
        if ended:
            _refuse(len(history), terms["total"], norm)
        history.append(terms["total"])
    return terms


def step_generator(seed: int, step: int) -> torch.Generator:
    """The CPU generator of one training step, independent between steps and seeds."""
    digest = hashlib.blake2b(f"{seed}:{step}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def _refuse(step: int, loss: float, norm: float) -> NoReturn:
    if not math.isfinite(loss):
        raise FloatingPointError(f"loss is {loss} at step {step}: lower the learning rate")
    raise FloatingPointError(
        f"gradient is {norm} at step {step} for a loss of {loss:.3g}: this device or precision "
        "cannot compute it for this network and size of the data; use another"
    )
