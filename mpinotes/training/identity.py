"""What tells one run from another: said in numbers that another processor finds again."""

import math
from collections.abc import Iterable
from typing import Any

import torch

ROUNDING = 1e-4
"""Numbers that differ by less, relative to the largest of their tensor, are the same: another processor, or
another number of threads, rounds otherwise. A fitted σ differs by 1e-5 between one thread and two."""

SAMPLES = 64
"""Values that stand for a tensor in its fingerprint."""


def fingerprint(tensors: Iterable[torch.Tensor]) -> tuple[Any, ...]:
    """Shape of each tensor, and at most 2 · `SAMPLES` of its values, evenly spread."""
    return tuple((tuple(tensor.shape), _sample(tensor.detach())) for tensor in tensors)


def differences(there: Any, here: Any, name: str = "") -> list[str]:
    """What two runs differ in, in words: dictionaries of plain values and fingerprints, nested at will.

    >>> from mpinotes.training.identity import differences
    >>> differences({"config": {"gamma": 0.3, "width": 8}}, {"config": {"gamma": 0.5, "width": 8}})
    ['gamma 0.3 instead of 0.5']
    """
    if isinstance(there, dict) and isinstance(here, dict):
        return [line for key in there | here for line in differences(there.get(key), here.get(key), key)]
    if _same(there, here):
        return []
    words = f"{name} {there} instead of {here}"
    return [words if len(words) < 100 else f"other {name}"]


def _sample(tensor: torch.Tensor) -> torch.Tensor:
    flat = (torch.view_as_real(tensor) if tensor.is_complex() else tensor).flatten()
    return flat[:: max(1, len(flat) // SAMPLES)].double().cpu()


def _same(there: Any, here: Any) -> bool:
    if isinstance(there, tuple) and isinstance(here, tuple):
        return len(there) == len(here) and all(map(_same, there, here))
    if isinstance(there, torch.Tensor) and isinstance(here, torch.Tensor):
        limit = ROUNDING * max(here.abs().tolist(), default=0.0)
        return there.shape == here.shape and torch.allclose(there, here, rtol=0, atol=limit, equal_nan=True)
    if isinstance(there, float) and isinstance(here, float):
        return math.isclose(there, here, rel_tol=ROUNDING)
    return there == here
