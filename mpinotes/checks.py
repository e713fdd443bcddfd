"""Argument checks shared by every room, so that all errors read alike.

This module imports nothing of the package and may be used on every floor.
"""

from collections.abc import Iterable
from numbers import Integral
from typing import TypeVar

import torch

_T = TypeVar("_T")


def check_choice(name: str, value: _T, choices: Iterable[_T]) -> None:
    """Raise ``ValueError`` unless `value` is one of `choices`."""
    accepted = list(choices)
    if value not in accepted:
        raise ValueError(f"{name}: got {value!r}, accepted are {', '.join(map(repr, accepted))}")


def check_range(name: str, value: float, low: float, high: float, *, open_low: bool = False) -> None:
    """Raise ``ValueError`` unless `value` is a finite number in [`low`, `high`] (or (`low`, `high`])."""
    inside = (low < value if open_low else low <= value) and value <= high and value < float("inf")
    if not inside:
        raise ValueError(f"{name}: got {value}, accepted is {'(' if open_low else '['}{low}, {high}]")


def check_positive(name: str, value: float) -> None:
    """Raise ``ValueError`` unless `value` is finite and above zero."""
    if not 0 < value < float("inf"):
        raise ValueError(f"{name}: got {value}, accepted is a finite number above 0")


def check_plausible(name: str, value: float, high: float, unit: str, mistaken: str) -> None:
    """Raise ``ValueError`` unless `value` is above zero and at most `high`, beyond which it was
    probably given in the `mistaken` unit."""
    check_positive(name, value)
    if value > high:
        raise ValueError(f"{name}: got {value} {unit}, accepted is at most {high:g} {unit} (is it in {mistaken}?)")


def check_count(name: str, value: int, low: int = 1, high: float = float("inf")) -> None:
    """Raise ``ValueError`` unless `value` is a whole number from `low` to `high`."""
    if not isinstance(value, Integral) or not low <= value <= high:
        limit = f"from {low} to {high}" if high < float("inf") else f"of at least {low}"
        raise ValueError(f"{name}: got {value}, accepted is a whole number {limit}")


def check_tensor(name: str, value: torch.Tensor, dims: int, layout: str) -> None:
    """Raise ``ValueError`` unless `value` is a finite, non-empty tensor with `dims` axes."""
    if not isinstance(value, torch.Tensor):
        raise ValueError(f"{name}: got {type(value).__name__}, accepted is a torch tensor {layout}")
    if not (value.is_floating_point() or value.is_complex()):
        raise ValueError(f"{name}: got dtype {value.dtype}, accepted are floating-point numbers")
    if value.ndim != dims or value.numel() == 0:
        raise ValueError(f"{name}: got shape {tuple(value.shape)}, accepted is {layout}")
    if not torch.isfinite(value).all():
        raise ValueError(f"{name}: got NaN or infinite values, accepted are finite numbers")


def check_same_shape(name: str, value: torch.Tensor, other_name: str, other: torch.Tensor) -> None:
    """Raise ``ValueError`` unless the two tensors have one shape."""
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
