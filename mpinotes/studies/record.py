"""What a study leaves: rows that state one number each, lists, pictures and logs of its trainings."""

import base64
import math
import operator
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

import torch

from mpinotes.checks import check_choice, make_plain
from mpinotes.evaluation import Interval

_T = TypeVar("_T")


@dataclass(frozen=True)
class Row:
    """One number: a mean with its confidence interval, or a number without one.

    Raises ``ValueError`` for a mean that is not a number, an interval with one bound or with bounds in the
    wrong order, and `n` below 1.

    :param study: name of the study.
    :param method: short name, as of ``python -m mpinotes train`` where one trains it; "" where none is meant.
    :param condition: names and levels joined by "/", as "noisy/guidance/0.5"; "" where there is one alone.
    :param metric: what was measured; a quartile over components is a metric of its own, as "psnr_median".
    :param mean: the mean or the number itself; PSNR in dB, seconds in s.
    :param low: lower bound of the 95 % interval, None without one.
    :param high: upper bound.
    :param n: how many volumes, images or components are behind it; 1 for a property of the method.

    >>> row = Row("calls", "ddpm", "calls/50", "psnr", 29.5, 29.1, 29.9, n=32)
    >>> print(row.interval, row.level("calls"))
    29.500 [29.100, 29.900] 50.0
    """

    study: str
    method: str
    condition: str
    metric: str
    mean: float
    low: float | None
    high: float | None
    n: int

    def __post_init__(self) -> None:
        make_plain(self)
        if math.isnan(self.mean):
            raise ValueError("mean: got NaN, accepted is a number")
        if (self.low is None) != (self.high is None):
            raise ValueError(f"low, high: got {self.low}, {self.high}, accepted are two bounds or none")
        if self.low is not None and self.high is not None and not self.low <= self.high:
            raise ValueError(f"low, high: got {self.low}, {self.high}, accepted are bounds in order")
        if self.n < 1:
            raise ValueError(f"n: got {self.n}, accepted is 1 or more")

    @property
    def interval(self) -> Interval:
        """The mean with its bounds. Raises ``ValueError`` for a number without them."""
        if self.low is None or self.high is None:
            raise ValueError(f"{' '.join(filter(None, _address(self)))}: this number was recorded without an interval")
        return Interval(self.mean, self.low, self.high)

    def level(self, name: str) -> float:
        """The number that follows `name` in the condition, as `level_of`."""
        return level_of(self.condition, name)


@dataclass(frozen=True)
class Series:
    """A list of numbers: `metric` of every volume, component, width of bars, … of a method under a condition.

    :param study: name of the study.
    :param method: as in `Row`.
    :param condition: as in `Row`.
    :param metric: what was measured.
    :param values: in the order of the volumes, components, ….

    >>> Series("table", "ddpm", "", "psnr", (29.5, 30.1)).values
    (29.5, 30.1)
    """

    study: str
    method: str
    condition: str
    metric: str
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        make_plain(self)


@dataclass(frozen=True)
class Picture:
    """A square image, 8 bits per pixel. Raises ``ValueError`` for data that are none.

    :param study: name of the study.
    :param method: as in `Row`.
    :param condition: as in `Row`.
    :param view: what is seen: the axis a volume was projected along, "z" or "y", behind what is more than one.
    :param data: pixels from top left as base64, `encode_image`.

    >>> Picture("terms", "dccdm", "gamma/0.3", "z", "AID/QA==").image * 255
    tensor([[  0., 128.],
            [255.,  64.]])
    """

    study: str
    method: str
    condition: str
    view: str
    data: str

    def __post_init__(self) -> None:
        pixels = len(base64.b64decode(self.data, validate=True))
        if not pixels or math.isqrt(pixels) ** 2 != pixels:
            raise ValueError(f"data: got {pixels} pixels, accepted is the number of a square")

    @property
    def image(self) -> torch.Tensor:
        """Values in [0, 1], (y, x)."""
        pixels = bytearray(base64.b64decode(self.data))
        side = math.isqrt(len(pixels))
        return torch.frombuffer(pixels, dtype=torch.uint8).view(side, side) / 255


def encode_image(image: torch.Tensor) -> str:
    """An image (y, x) in [0, 1] as `Picture` keeps it: base64 of 8 bits per pixel."""
    return base64.b64encode((255 * image).round().byte().cpu().numpy().tobytes()).decode()


@dataclass(frozen=True)
class TrainingLog:
    """What the card of a trained method says of its training.

    :param method: as in `Row`.
    :param condition: that of the rows about this training; "" where each method was trained once.
    :param seed: of the weights and the batches.
    :param steps: how many there were.
    :param samples: volumes seen, each as often as it was drawn.
    :param seconds: wall time [s].
    :param device: kind, name and threads, version of torch.
    :param loss: its total along the training; empty where another record has it, or none.

    >>> log = TrainingLog("ddpm", "training/1", 1, 10, 80, 3, "cpu (x86_64, 1 threads), torch 2.4.0", ())
    >>> log.device_kind
    'cpu'
    """

    method: str
    condition: str
    seed: int
    steps: int
    samples: int
    seconds: float
    device: str
    loss: tuple[float, ...]

    @property
    def device_kind(self) -> str:
        """The first word of `device`, "cpu" or "cuda"."""
        return self.device.split(" ")[0]


@dataclass(frozen=True)
class Record:
    """The results of one run of a study. What it holds is in the order in which it was recorded.

    Raises ``ValueError`` for a row, list or picture that is there twice or of another study, and for a
    method without a title.

    :param study: its name.
    :param source: where the test data come from.
    :param titles: how methods, and conditions that chapters print, are called.
    :param settings: numbers and texts that hold for all rows.
    :param rows: one number each.
    :param series: lists of numbers.
    :param pictures: images.
    :param trainings: logs of the trainings.
    :param profile: name of the profile that gave the sizes.
    :param command: what runs the study again.
    :param version: of the package that ran it.
    :param seconds: wall time [s].

    >>> psnr = Row("mine", "unet", "", "psnr", 30.0, 29.0, 31.0, n=8)
    >>> calls = Row("mine", "unet", "", "calls", 1, None, None, n=1)
    >>> record = Record("mine", "8 volumes", {"unet": "3D U-Net"}, {}, (psnr, calls))
    >>> print(record.interval("unet", "psnr"), record.value("unet", "calls"))
    30.000 [29.000, 31.000] 1
    >>> [row.metric for row in record.select(method="unet")]
    ['psnr', 'calls']
    """

    study: str
    source: str
    titles: dict[str, str]
    settings: dict[str, Any]
    rows: tuple[Row, ...]
    series: tuple[Series, ...] = field(default=(), repr=False)
    pictures: tuple[Picture, ...] = field(default=(), repr=False)
    trainings: tuple[TrainingLog, ...] = field(default=(), repr=False)
    profile: str = ""
    command: str = ""
    version: str = ""
    seconds: float = 0

    def __post_init__(self) -> None:
        kept: list[Row | Series | Picture] = [*self.rows, *self.series, *self.pictures]
        if strange := {item.study for item in kept} - {self.study}:
            raise ValueError(f"study: got {min(strange)!r} in a row, accepted is that of the record, {self.study!r}")
        named = {item.method for item in kept} | {log.method for log in self.trainings}
        if nameless := named - {"", *self.titles}:
            raise ValueError(f"titles: there is none for {', '.join(map(repr, sorted(nameless)))}")
        for items in (self.rows, self.series, self.pictures, self.trainings):
            address, times = max(Counter(map(_address, items)).items(), key=lambda pair: pair[1], default=((), 1))
            if times > 1:
                raise ValueError(f"{' '.join(filter(None, address))}: got it {times} times, accepted is once")

    @property
    def methods(self) -> list[str]:
        """Short names of the methods that have rows."""
        return list(dict.fromkeys(row.method for row in self.rows if row.method))

    def select(self, method: str | None = None, condition: str | None = None, metric: str | None = None) -> list[Row]:
        """The rows of a method, under a condition, of a metric; of all where none is given.

        A `condition` takes those that it begins along, "gamma" also "gamma/0.3"; "" takes only itself.
        Raises ``ValueError`` with what there is where no row is left.
        """
        return self._narrow(self.rows, method, condition, metric, exactly=False)

    def row(self, method: str, metric: str, condition: str = "") -> Row:
        """The one row of a method and a metric under exactly this condition.

        Raises ``ValueError`` with what there is where there is no such row.
        """
        return self._narrow(self.rows, method, condition, metric)[0]

    def value(self, method: str, metric: str, condition: str = "") -> float:
        """The mean, or the number, of the `row`."""
        return self.row(method, metric, condition).mean

    def interval(self, method: str, metric: str, condition: str = "") -> Interval:
        """The interval of the `row`."""
        return self.row(method, metric, condition).interval

    def values(self, method: str, metric: str, condition: str = "") -> tuple[float, ...]:
        """The numbers of one of the `series`, found like a `row`."""
        return self._narrow(self.series, method, condition, metric)[0].values

    def image(self, method: str, view: str, condition: str = "") -> torch.Tensor:
        """One of the `pictures`, found like a `row`, (y, x) in [0, 1]."""
        return self._narrow(self.pictures, method, condition, view)[0].image

    def _narrow(
        self, kept: Iterable[_T], method: str | None, condition: str | None, measured: str | None, *,
        exactly: bool = True,
    ) -> list[_T]:  # fmt: skip
        left = list(kept)
        parts = (
            ("method", method, operator.eq),
            ("condition", condition, operator.eq if exactly else _goes_on_from),
            ("metric or view", measured, operator.eq),
        )
        for place, (part, wanted, fits) in enumerate(parts):
            if wanted is not None:
                there = dict.fromkeys(_address(item)[place] for item in left)
                left = [item for item in left if fits(_address(item)[place], wanted)]
                if not left:
                    check_choice(f"{part} in record {self.study!r}", wanted, there)
        return left


def _goes_on_from(condition: str, beginning: str) -> bool:
    return condition == beginning or (beginning != "" and condition.startswith(f"{beginning}/"))


def _address(item: Any) -> tuple[str, str, str]:
    """What no two rows, no two series, pictures or trainings of a record share."""
    return item.method, item.condition, getattr(item, "metric", getattr(item, "view", ""))


def level_of(condition: str, name: str) -> float:
    """The number that follows `name` in a condition. Raises ``ValueError`` where none does.

    >>> from mpinotes.studies.record import level_of
    >>> level_of("noisy/guidance/0.5", "guidance")
    0.5
    """
    for before, after in pairwise(condition.split("/")):
        if before == name and re.fullmatch(r"[-+.e\d]+", after):
            return float(after)
    raise ValueError(f"name: got {name!r}, accepted are names in {condition!r} that a number follows")
