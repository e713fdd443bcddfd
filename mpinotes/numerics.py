"""Numbers that are the same for every caller: full precision inside an autocast, no division by nothing.

This module imports nothing of the package and may be used on every floor.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import torch

_P = ParamSpec("_P")
_R = TypeVar("_R")


def full_precision(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let a function, or each step of a generator, compute outside the caller's autocast.

    Autocast is made for networks: it rounds matrix products to 8 bits, also those of physics, operators
    and losses. A network inside such a function opens an autocast of its own (`training.forward`).
    """
    if not inspect.isgeneratorfunction(function):

        @wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            with _outside_autocast():
                return function(*args, **kwargs)

        return call

    @wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        states = function(*args, **kwargs)
        while True:
            with _outside_autocast():  # between two steps the caller's own settings hold
                try:
                    state = next(states)
                except StopIteration:
                    return
            yield state

    return steps  # type: ignore[return-value]  # an iterator, as the function's own


@contextmanager
def _outside_autocast() -> Iterator[None]:
    with ExitStack() as stack:
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def as_number(value: Any) -> float:
    """A number, or what a scalar tensor holds."""
    return value.item() if isinstance(value, torch.Tensor) else float(value)


def wants_gradient(value: Any) -> bool:
    """Whether this is a tensor that wants one; a number never does."""
    return isinstance(value, torch.Tensor) and value.requires_grad


def ratio(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """a / b, and a itself where b is 0: 0 for nothing over its norm, of which no direction is known."""
    return a / torch.where(b == 0, 1, b)


def power_of_two(largest: torch.Tensor) -> torch.Tensor:
    """The power of two just below each of the moduli `largest` ≥ 0, 1 for 0; no gradient.

    What is divided by it keeps all its bits, and its squares, which voltages per particle and particles per cubic
    metre do not have in single precision, are numbers.
    """
    _, exponent = torch.frexp(largest.detach().double())
    return torch.where(largest == 0, 1.0, torch.ldexp(torch.ones_like(exponent).double(), exponent - 1)).to(
        largest.dtype
    )
