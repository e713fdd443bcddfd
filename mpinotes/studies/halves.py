"""Validation and test volumes side by side: what is chosen on the first is measured on the second."""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


class Halves(NamedTuple, Generic[_T]):
    """The same of both splits: `val`, on which everything is chosen or calibrated, and `test`, on which nothing is.

    >>> from mpinotes.studies.halves import Halves
    >>> Halves(1, 2).map(lambda value, factor: value * factor, Halves(10, 100))
    Halves(val=10, test=200)
    """

    val: _T
    test: _T

    def map(self, function: Callable[..., _R], *others: "Halves[Any]") -> "Halves[_R]":
        """What a function makes of each half, together with the same half of `others`."""
        val, test = (function(*parts) for parts in zip(self, *others, strict=True))
        return Halves(val, test)
