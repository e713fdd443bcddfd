"""Argument checks shared by every room, so that all errors read alike.

A public function checks its arguments once; what it calls inside, and what runs once per training
step, checks no more than shapes: to look at the values of a tensor is to wait for its device.
This module imports nothing of the package and may be used on every floor.
"""

import math
from collections.abc import Container, Iterable
from dataclasses import fields
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np
import torch

_T = TypeVar("_T")


def check_choice(name: str, value: _T, choices: Iterable[_T]) -> None:
    """Raise ``ValueError`` unless `value` is one of `choices`."""
    accepted = list(choices)
    if value not in accepted:
        raise ValueError(f"{name}: got {value!r}, accepted are {', '.join(map(repr, accepted))}")


def check_range(name: str, value: float, low: float, high: float = math.inf, *, open_low: bool = False) -> None:
    """Raise ``ValueError`` unless `value` is a finite number in [`low`, `high`] (or (`low`, `high`])."""
    number = _number(value)
    above = low < number if open_low else low <= number
    if not (above and number <= high and number < math.inf):
        bracket, bound = ("(", "above") if open_low else ("[", "of at least")
        accepted = f"{bracket}{low}, {high}]" if high < math.inf else f"a finite number {bound} {low:g}"
        raise ValueError(f"{name}: got {_shown(value)}, accepted is {accepted}")


def check_positive(name: str, value: float) -> None:
    """Raise ``ValueError`` unless `value` is finite and above zero."""
    check_range(name, value, 0, open_low=True)


def check_plausible(name: str, value: float, high: float, unit: str, mistaken: str) -> None:
    """Raise ``ValueError`` unless `value` is above zero and at most `high`, beyond which it was
    probably given in the `mistaken` unit."""
    check_positive(name, value)
    if value > high:
        raise ValueError(
            f"{name}: got {_shown(value)} {unit}, accepted is at most {high:g} {unit} (is it in {mistaken}?)"
        )


def check_count(name: str, value: int, low: int = 1, high: float = math.inf) -> None:
    """Raise ``ValueError`` unless `value` is a whole number from `low` to `high`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= value <= high:
        limit = f"from {low} to {high}" if high < math.inf else f"of at least {low}"
        raise ValueError(f"{name}: got {_shown(value)}, accepted is a whole number {limit}")


def check_several(name: str, values: Any, counts: Container[int], accepted: str) -> None:
    """Raise ``ValueError`` unless `values` are several, as many as one of `counts`; a single number is
    not. `accepted`: how many, and of what.
    """
    try:
        count = len(values)
    except TypeError:  # a number, or a tensor without axes
        count = -1
    if count not in counts:
        raise ValueError(f"{name}: got {_shown(values)}, accepted are {accepted}")


def check_kind(name: str, value: Any, *kinds: type) -> None:
    """Raise ``ValueError`` unless `value` is an object of one of these `kinds`: what looks alike in a call, as another
    scan or the class itself, would fail far from it."""
    if not isinstance(value, kinds):
        came = f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
        accepted = [f"{'an' if kind.__name__[0] in 'AEIOaeio' else 'a'} {kind.__name__}" for kind in kinds]
        raise ValueError(f"{name}: got {came}, accepted is {' or '.join(accepted)}")


def check_each_kind(name: str, values: Any, *kinds: type) -> None:
    """Raise ``ValueError`` unless `values` are a list or tuple of at least one object, all of these `kinds`."""
    accepted = f"accepted is a list or tuple of at least one {' or '.join(kind.__name__ for kind in kinds)}"
    if not isinstance(values, list | tuple):
        raise ValueError(f"{name}: got {type(values).__name__}, {accepted}")
    others = {type(value).__name__ for value in values if not isinstance(value, kinds)}
    if others or not values:
        raise ValueError(f"{name}: got {', '.join(sorted(others)) or 'none'}, {accepted}")


def check_shape(
    name: str, value: torch.Tensor, dims: int, layout: str, *, more: bool = False, complex_too: bool = False,
    instead: str = "",
) -> None:  # fmt: skip
    """Raise ``ValueError`` unless `value` is a non-empty floating-point tensor with `dims` axes.

    It never looks at the values, so it may stand in a training step.

    :param name: of the argument, as the caller knows it
    :param value: what came
    :param dims: number of axes
    :param layout: their names
    :param more: whether there may be more axes
    :param complex_too: whether complex numbers are accepted; most functions would drop their imaginary parts
    :param instead: what is meant for complex numbers
    """
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"{name}: got {type(value).__name__}, accepted is a torch tensor {layout}")
    if not (value.is_floating_point() or (complex_too and value.is_complex())):
        kind = "floating-point" if complex_too else "real floating-point"
        hint = f" ({instead})" if instead and value.is_complex() else ""
        raise ValueError(f"{name}: got dtype {value.dtype}, accepted are {kind} numbers{hint}")
    if value.ndim < dims or (value.ndim > dims and not more) or value.numel() == 0:
        raise ValueError(f"{name}: got shape {tuple(value.shape)}, accepted is {layout}")


def check_tensor(
    name: str, value: torch.Tensor, dims: int, layout: str, *, more: bool = False, complex_too: bool = False,
    instead: str = "",
) -> None:  # fmt: skip
    """Raise ``ValueError`` unless `value` is a finite, non-empty tensor with `dims` axes, see `check_shape`."""
    check_shape(name, value, dims, layout, more=more, complex_too=complex_too, instead=instead)
    if not torch.isfinite(value).all():
        raise ValueError(f"{name}: got NaN or infinite values, accepted are finite numbers")


def check_same_shape(name: str, value: torch.Tensor, other_name: str, other: torch.Tensor) -> None:
    """Raise ``ValueError`` unless the two tensors, of which `other` is known to be one, have one shape."""
    if not isinstance(value, torch.Tensor):
        raise ValueError(
            f"{name}: got {type(value).__name__}, accepted is a torch tensor of the shape of {other_name}, "
            f"{tuple(other.shape)}"
        )
    if value.shape != other.shape:
        raise ValueError(
            f"{name}: got shape {tuple(value.shape)}, accepted is that of {other_name}, {tuple(other.shape)}"
        )


def check_unit_volumes(name: str, volumes: torch.Tensor) -> None:
    """Raise ``ValueError`` unless `volumes` are (batch, 1, z, y, x) in [0, 1]."""
    check_tensor(name, volumes, 5, "(batch, 1, z, y, x)")
    low, high = volumes.min().item(), volumes.max().item()
    if volumes.shape[1] != 1 or low < 0 or high > 1:
        raise ValueError(
            f"{name}: got {volumes.shape[1]} channels of values from {low:g} to {high:g}, "
            "accepted is one channel of values in [0, 1]"
        )


def check_images(name: str, images: torch.Tensor, channels: int | None = None) -> None:
    """Raise ``ValueError`` unless `images` are (batch, channel, z, y, x), of so many `channels` if it is said how
    many, and the first in [0, 1]."""
    check_tensor(name, images, 5, "(batch, channel, z, y, x)")
    channels = images.shape[1] if channels is None else channels
    low, high = images[:, 0].min().item(), images[:, 0].max().item()
    if images.shape[1] != channels or low < 0 or high > 1:
        raise ValueError(
            f"{name}: got {images.shape[1]} channels, the first of values from {low:g} to {high:g}, "
            f"accepted are {channels}, the first of values in [0, 1]"
        )


def make_plain(config: Any) -> None:
    """Turn the numbers in the fields of a frozen dataclass into Python's own, and lists and arrays of them
    into tuples.

    Called first by every configuration that enters a card or a checkpoint: neither can hold numbers of
    NumPy or torch, and what is written only after a training must not fail then.
    """
    for field in fields(config):
        object.__setattr__(config, field.name, _plain(getattr(config, field.name)))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray | torch.Tensor):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    if isinstance(value, bool) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def _number(value: Any) -> Any:
    """A real number of Python, NumPy or a tensor of one element; NaN, which no range holds, for all else."""
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        value = value.item()
    return value if isinstance(value, Real) and not isinstance(value, bool) else math.nan


def _shown(value: Any) -> str:
    """What came, short enough for a message."""
    if isinstance(value, torch.Tensor):
        return str(value.item()) if value.numel() == 1 else f"a tensor of shape {tuple(value.shape)}"
    return repr(value) if isinstance(value, str | np.ndarray) else str(value)  # an array of one number is none
