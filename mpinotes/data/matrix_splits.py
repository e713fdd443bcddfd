"""Which settings a network trains on, and which it is tested on."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

from mpinotes.checks import check_choice, check_count
from mpinotes.data.matrix_pairs import GRADIENT_RATIO, MatrixSetting

_S = TypeVar("_S")

_FREQUENCIES, _DENSITIES = (10e3, 20e3, 30e3), range(49, 100, 10)

EQUIVALENT_CORE = GRADIENT_RATIO ** (1 / 3)
"""0.464: the low-gradient matrix of a core is the high-gradient matrix of one 0.464 times as large."""


def _grid(*core_diameters: float) -> tuple[MatrixSetting, ...]:
    return tuple(MatrixSetting(*values) for values in product(core_diameters, _FREQUENCIES, _DENSITIES))


PAPER_SETTINGS = _grid(30e-9, 50e-9, 70e-9)
"""54 settings. The paper's ranges give 5 × 3 × 6 = 90, its text counts 54 = 3 × 3 × 6: we take
every second diameter."""

PAPER_TEST = MatrixSetting(30e-9, 25e3, 99)
"""The paper's test matrix."""

GRID_SETTINGS = _grid(30e-9, 40e-9, 50e-9, 60e-9, 70e-9)
"""All 90 settings of the paper's ranges."""

HELD_OUT_TESTS = tuple(MatrixSetting(core, 25e3, 99) for core in (35e-9, 45e-9, 55e-9))
"""Between the diameters of the grid, and equivalent to none: 0.464 or 2.154 times as large."""


def shares_core(first: MatrixSetting, second: MatrixSetting, tolerance: float = 0.005) -> bool:
    """Whether two settings have the same core diameter or equivalent ones, within a relative `tolerance`.

    >>> shares_core(PAPER_TEST, PAPER_SETTINGS[0]), shares_core(PAPER_TEST, HELD_OUT_TESTS[0])
    (True, False)
    """
    ratio = first.core_diameter / second.core_diameter
    return any(abs(ratio / same - 1) <= tolerance for same in (1.0, EQUIVALENT_CORE, 1 / EQUIVALENT_CORE))


def spread_out(settings: Sequence[_S], count: int) -> list[_S]:
    """`count` of the settings, or all where there are no more, evenly spread over the list.

    >>> [setting.density for setting in spread_out(PAPER_SETTINGS[:6], 3)]
    [59, 79, 99]
    """
    check_count("count", count)
    count = min(count, len(settings))
    return [settings[int((place + 0.5) * len(settings) / count)] for place in range(count)]


def _continuous(count: int, seed: int) -> tuple[MatrixSetting, ...]:
    """Settings with diameters drawn from 30 to 70 nm, none shared with the held-out tests."""
    draw = random.Random(seed)
    settings: list[MatrixSetting] = []
    while len(settings) < count:
        setting = MatrixSetting(draw.uniform(30e-9, 70e-9), draw.choice(_FREQUENCIES), draw.choice(_DENSITIES))
        if not any(shares_core(setting, test) for test in HELD_OUT_TESTS):
            settings.append(setting)
    return tuple(settings)


@dataclass(frozen=True)
class MatrixSplit:
    """Settings to train on and settings to test on.

    >>> split = MatrixSplit(train=GRID_SETTINGS, test=HELD_OUT_TESTS)
    >>> len(split.train), len(split.test)
    (90, 3)
    """

    train: tuple[MatrixSetting, ...]
    test: tuple[MatrixSetting, ...]


MATRIX_SPLITS = {
    "paper": MatrixSplit(PAPER_SETTINGS, (PAPER_TEST,)),
    "grid": MatrixSplit(GRID_SETTINGS, (PAPER_TEST,)),
    "held-out diameters": MatrixSplit(GRID_SETTINGS, HELD_OUT_TESTS),
    "continuous": MatrixSplit(_continuous(90, seed=0), HELD_OUT_TESTS),
}
"""The splits by name, see `matrix_split`."""


def matrix_split(name: str) -> MatrixSplit:
    """The split "paper" (54 settings), "grid" (all 90), "held-out diameters" (grid against three
    diameters between) or "continuous" (90 random diameters against the same three).

    >>> split = matrix_split("paper")
    >>> len(split.train), split.test == (PAPER_TEST,)
    (54, True)
    """
    check_choice("name", name, MATRIX_SPLITS)
    return MATRIX_SPLITS[name]
