"""The one training loop: a generator, so that a notebook can plot, stop, or show a bar."""

import hashlib
import io
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from mpinotes.checks import check_positive, check_range
from mpinotes.files import save_atomically
from mpinotes.training import parallel
from mpinotes.training.checkpoint import load_checkpoint

Loss = Callable[[nn.Module, tuple[torch.Tensor, ...], torch.Generator], dict[str, torch.Tensor]]
"""Network, batch and generator -> the terms of the loss by name; "total" is what is minimised."""


@dataclass(frozen=True)
class TrainConfig:
    """Steps and optimiser (AdamW, linear warm-up, cosine decay to zero, clipped gradients).

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
        for name in ("steps", "batch", "learning_rate", "checkpoint_every"):
            check_positive(name, getattr(self, name))
        check_range("warmup", self.warmup, 0, math.inf)
        check_range("ema_decay", self.ema_decay, 0.0, 1.0)

    def rate(self, step: int) -> float:
        """Learning rate of `step` = 0 … steps − 1."""
        warm = min(1.0, (step + 1) / (self.warmup + 1))
        return self.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / self.steps))


@dataclass(frozen=True)
class TrainState:
    """Where the training stands after `step` steps: the loss `terms` of the last one, the total of
    each step so far in `history`, and the `seconds` spent, earlier runs included.

    >>> state = TrainState(4, terms={"total": 1.0}, history=[4.0, 3.0, 2.0, 1.0], seconds=0.1)
    >>> state.curve(points=2)
    [3.5, 1.5]
    """

    step: int
    terms: dict[str, float]
    history: list[float]
    seconds: float

    def curve(self, points: int = 100) -> list[float]:
        """The history as at most `points` means over equally many steps, for a card."""
        parts = torch.tensor(self.history, dtype=torch.float64).tensor_split(min(points, len(self.history)))
        return [float(f"{part.mean():.4g}") for part in parts]


def train(
    model: nn.Module,
    ema: AveragedModel,
    loss: Loss,
    data: tuple[torch.Tensor, ...],
    config: TrainConfig,
    *,
    device: torch.device,
    folder: Path | None = None,
) -> Iterator[TrainState]:
    """Train `model` in place, and its average `ema`, yielding the state after every step, and
    first of all the one it resumes from.

    `data`: tensors with one sample per row; each step draws `config.batch` rows. All randomness of
    step k comes from a generator seeded with (seed, k), so a run that was stopped and started again
    with the same `folder` ends with the same bits as one that was not. Checkpoints are replaced
    atomically. Under ``torchrun`` (see `parallel.join`) the processes divide the batch between them
    and the first one writes the checkpoints. Raises ``ValueError`` for a damaged checkpoint or one of
    another run, ``FloatingPointError`` when loss or gradient are no longer finite, and ``ConnectionError`` when
    another process died.

    >>> def loss(model, batch, generator):
    ...     return {"total": (model(batch[0]) - batch[1]).square().mean()}
    >>> model, config = torch.nn.Conv2d(1, 1, 1), TrainConfig(steps=3, batch=2)
    >>> data, cpu = (torch.ones(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)), torch.device("cpu")
    >>> states = train(model, make_ema(model, 0.9), loss, data, config, device=cpu)
    >>> [state.step for state in states]
    [1, 2, 3]
    """
    if config.batch % parallel.processes():
        raise ValueError(f"batch: got {config.batch}, accepted are multiples of the {parallel.processes()} processes")
    memory_format = {4: torch.channels_last, 5: torch.channels_last_3d}[data[0].ndim]
    model.to(device, memory_format=memory_format)  # type: ignore[call-overload]  # torch's stubs lack it
    ema.to(device, memory_format=memory_format)  # type: ignore[call-overload]
    data = tuple(tensor.to(device) for tensor in data)
    # A short memory for squared gradients: with the usual 0.999 both image models left the track
    # together after some 1,700 steps at a rate of 1e-3.
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.99))
    checkpoint = folder / "checkpoint.pt" if folder else None
    start, spent = 0, 0.0
    history: list[float] = []
    if checkpoint and checkpoint.exists():
        start, history, spent = _restore(checkpoint, model, ema, optimizer, config)
        yield TrainState(start, {"total": history[-1]}, history, spent)
    began = time.perf_counter() - spent

    for step in range(start, config.steps):
        generator = step_generator(config.seed, step)
        rows = torch.randint(len(data[0]), (config.batch,), generator=generator).to(device)
        for group in optimizer.param_groups:
            group["lr"] = config.rate(step)
        optimizer.zero_grad(set_to_none=True)
        terms = loss(model, tuple(tensor[rows] for tensor in data), generator)
        terms["total"].backward()
        parallel.average_gradients(model)
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0).item()
        values = parallel.average_terms(terms)
        if not math.isfinite(values["total"]):
            raise FloatingPointError(f"loss is {values['total']} at step {step}: lower the learning rate")
        if not math.isfinite(norm):
            raise FloatingPointError(
                f"gradient is {norm} at step {step} for a loss of {values['total']:.3g}: this device or precision "
                "cannot compute it for this network and size of the data; use another"
            )
        optimizer.step()
        ema.update_parameters(model)
        history.append(values["total"])
        if (
            checkpoint
            and parallel.is_first()
            and ((step + 1) % config.checkpoint_every == 0 or step + 1 == config.steps)
        ):
            progress = {"step": step + 1, "history": history, "seconds": time.perf_counter() - began}
            _store(checkpoint, model, ema, optimizer, config, progress)
        yield TrainState(step + 1, values, history, time.perf_counter() - began)


def step_generator(seed: int, step: int) -> torch.Generator:
    """The CPU generator of one training step, independent between steps and seeds."""
    digest = hashlib.blake2b(f"{seed}:{step}".encode(), digest_size=7).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest, "big"))


def _store(
    path: Path, model: nn.Module, ema: AveragedModel, optimizer: torch.optim.Optimizer, config: TrainConfig,
    progress: dict,
) -> None:  # fmt: skip
    buffer = io.BytesIO()
    content = {
        **progress,
        "config": asdict(config),
        "model": model.state_dict(),
        "ema": ema.state_dict(),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(content, buffer)
    save_atomically(path, buffer.getvalue())


def _restore(
    path: Path, model: nn.Module, ema: AveragedModel, optimizer: torch.optim.Optimizer, config: TrainConfig
) -> tuple[int, list[float], float]:
    content = load_checkpoint(path)
    if content.get("config") != asdict(config):
        raise ValueError(
            f"{path}: got a checkpoint of {content.get('config')}, accepted is one of {asdict(config)}; "
            "choose another output folder"
        )
    try:
        model.load_state_dict(content["model"])
        ema.load_state_dict(content["ema"])
        optimizer.load_state_dict(content["optimizer"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path}: the checkpoint is of another network, choose another output folder ({error})"
        ) from error
    return content["step"], content["history"], content["seconds"]
