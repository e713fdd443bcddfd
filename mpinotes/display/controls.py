"""What a reader moves: numbers and choices."""

import html
import math
from dataclasses import asdict, dataclass
from typing import Any

import ipywidgets

from mpinotes.checks import check_range

_WHOLE_LABEL = {"description_width": "initial"}


@dataclass(frozen=True)
class Slider:
    """A named number to move.

    :param name: of the parameter it moves.
    :param label: plain text (Greek letters, no TeX).
    :param low: smallest value.
    :param high: largest value.
    :param step: between two values.
    :param value: at first.

    >>> Slider("diameter", "core diameter [nm]", low=15, high=35, step=5, value=25).positions
    [15, 20, 25, 30, 35]
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float

    def __post_init__(self) -> None:
        for field in ("low", "high", "step", "value"):
            check_range(f"{self.name}, {field}", getattr(self, field), -1e100, 1e100)
        if not (self.low <= self.value <= self.high and 0 < self.step <= self.high - self.low):
            raise ValueError(f"{self.name}: got {self}, accepted is low ≤ value ≤ high and a step that fits")

    @property
    def positions(self) -> list[float]:
        """All values the slider can take, none above `high`."""
        count = math.floor((self.high - self.low) / self.step + 1e-6)
        return [round(self.low + i * self.step, 10) for i in range(count + 1)]

    @property
    def specification(self) -> dict[str, Any]:
        """For the page's script."""
        return asdict(self)

    @property
    def html(self) -> str:
        """The control in a page."""
        return (
            f'<label><span>{html.escape(self.label)}</span><input type="range" name="{self.name}" min="{self.low}" '
            f'max="{self.high}" step="{self.step}" value="{self.value}"><output>{self.value:g}</output></label>'
        )

    def widget(self) -> ipywidgets.Widget:
        """The control in a notebook."""
        return ipywidgets.FloatSlider(
            self.value, min=self.low, max=self.high, step=self.step, description=self.label, style=_WHOLE_LABEL
        )


@dataclass(frozen=True)
class Choice:
    """A named choice.

    :param name: of the parameter it sets.
    :param label: plain text.
    :param options: texts to choose from.
    :param value: at first.

    >>> Choice("sampler", "sampler", ("DDIM", "printed"), "DDIM").value
    'DDIM'
    """

    name: str
    label: str
    options: tuple[str, ...]
    value: str

    def __post_init__(self) -> None:
        if isinstance(self.options, str) or self.value not in self.options:
            raise ValueError(f"{self.name}: got {self}, accepted is a value that is one of several options")

    @property
    def specification(self) -> dict[str, Any]:
        """For the page's script."""
        return asdict(self)

    @property
    def html(self) -> str:
        """The control in a page."""
        options = "".join(
            f"<option{' selected' * (option == self.value)}>{html.escape(option)}</option>" for option in self.options
        )
        return f'<label><span>{html.escape(self.label)}</span><select name="{self.name}">{options}</select></label>'

    def widget(self) -> ipywidgets.Widget:
        """The control in a notebook."""
        return ipywidgets.Dropdown(options=self.options, value=self.value, description=self.label, style=_WHOLE_LABEL)
