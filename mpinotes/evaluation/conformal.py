"""Intervals that hold what they promise: factors read off volumes whose truth is known."""

import math
from dataclasses import dataclass
from itertools import pairwise

import torch

from mpinotes.checks import check_range, check_same_shape, check_several, check_shape, check_tensor, make_plain


def volume_means(values: torch.Tensor, volume: torch.Tensor) -> torch.Tensor:
    """Mean of the `values`, (n,), of each `volume`, (n,) whole numbers; volumes without a value are left out.

    >>> volume_means(torch.tensor([0.0, 1.0, 5.0]), torch.tensor([0, 0, 2]))
    tensor([0.5000, 5.0000], dtype=torch.float64)
    """
    check_tensor("values", values, 1, "(n,)")
    volume = _checked_volume(volume, "values", values)
    return torch.bincount(volume, weights=values.double()) / torch.bincount(volume)


def conformal_quantile(scores: torch.Tensor, volume: torch.Tensor, level: float) -> float:
    """The bound that a score of a new volume keeps with probability `level`, whatever the scores are like.

    The smallest q for which the shares of scores up to q, averaged over the volumes and one more that has all of its
    scores above, reach `level`; infinite where too few volumes are known. If the volumes are exchangeable, the
    expected share of a new volume's scores up to q is at least `level`; scores of one volume may depend on each other.
    With one score per volume it is the quantile of split conformal prediction (Lei et al., J. Am. Stat. Assoc. 113
    (2018) 1094), with several the conformal risk control of the share outside (Angelopoulos et al. 2024, Theorem 1).

    :param scores: (n,).
    :param volume: (n,), whole numbers: which volume each score is of.
    :param level: in [0, 1].

    >>> conformal_quantile(torch.arange(1.0, 10.0), torch.arange(9), level=0.5)  # rank 5 of 9 + 1
    5.0
    >>> conformal_quantile(torch.arange(1.0, 10.0), torch.arange(9), level=0.95)
    inf
    """
    check_tensor("scores", scores, 1, "(n,)")
    volume = _checked_volume(volume, "scores", scores)
    check_range("level", level, 0.0, 1.0)
    counts = torch.bincount(volume)
    ordered, order = scores.sort()
    held = (1 / counts[volume[order]].double()).cumsum(0) / (len(counts) + 1)
    # What is reached but for rounding is reached.
    place = int((held < level - 1e-9).sum())
    return ordered[place].item() if place < len(ordered) else math.inf


@dataclass(frozen=True)
class ConformalIntervals:
    """Intervals centre ∓ factor · scale, with a factor for each class of the centre.

    :param edges: of the classes, ascending; without any there is one class.
    :param factors: one more than edges.

    >>> intervals = ConformalIntervals((0.5,), (2.0, 3.0))
    >>> intervals(torch.tensor([0.2, 0.8]), torch.tensor([0.1, 0.1]))
    (tensor([0.0000, 0.5000]), tensor([0.4000, 1.1000]))
    """

    edges: tuple[float, ...]
    factors: tuple[float, ...]

    def __post_init__(self) -> None:
        make_plain(self)
        _check_edges(self.edges)
        classes = len(self.edges) + 1
        check_several("factors", self.factors, (classes,), f"one more than edges, {classes}")
        for factor in self.factors:
            if factor != math.inf:  # of a class that nothing is known of
                check_range("factors", factor, 0.0)

    def __call__(self, centre: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Lower and upper bounds for centres and scales, at least 0, of one shape."""
        check_shape("centre", centre, 0, "(…)", more=True)
        check_shape("scale", scale, 0, "(…)", more=True)
        check_same_shape("centre", centre, "scale", scale)
        if bool((scale < 0).any()):
            raise ValueError(f"scale: got {scale.min().item():g}, accepted is at least 0")
        factor = centre.new_tensor(self.factors)[_classes(centre, self.edges)]
        half = torch.where(factor.isinf(), factor, factor * scale)  # ∞ · 0 is NaN
        return centre - half, centre + half


def calibrate_intervals(
    centre: torch.Tensor, scale: torch.Tensor, truth: torch.Tensor, volume: torch.Tensor, level: float,
    edges: tuple[float, ...] = (),
) -> ConformalIntervals:  # fmt: skip
    """Factors with which centre ∓ factor · scale holds the truth of new volumes with probability `level`.

    Each is the `conformal_quantile` of |truth − centre| / scale. With `edges` there is one for each class of the
    centre, and coverage holds within each ("Mondrian"); one factor alone may hold too much here and too little there.

    :param centre: estimates on calibration volumes, (n,); those volumes were neither trained nor are tested on.
    :param scale: how uncertain each is believed to be, (n,), above zero.
    :param truth: (n,).
    :param volume: (n,), whole numbers: which volume each value is of.
    :param level: in [0, 1].
    :param edges: between classes of the centre, ascending.
    :raises ValueError: for scales that are not above zero, or values of other shapes.

    >>> truth = torch.arange(9.0)
    >>> calibrate_intervals(0 * truth, 1 + 0 * truth, truth, torch.arange(9), level=0.8).factors
    (7.0,)
    """
    check_tensor("centre", centre, 1, "(n,)")
    check_tensor("scale", scale, 1, "(n,)")
    check_tensor("truth", truth, 1, "(n,)")
    check_same_shape("scale", scale, "centre", centre)
    check_same_shape("truth", truth, "centre", centre)
    volume = _checked_volume(volume, "centre", centre)
    check_range("level", level, 0.0, 1.0)
    if not bool((scale > 0).all()):
        raise ValueError(f"scale: got {scale.min().item():g}, accepted is above zero")
    _check_edges(edges)
    # In double precision, where no quotient of single or half precision overflows.
    scores, classes = (truth - centre).abs().double() / scale.double(), _classes(centre, edges)
    factors = []
    for number in range(len(edges) + 1):
        inside = classes == number
        known = bool(inside.any())
        factors.append(conformal_quantile(scores[inside], volume[inside], level) if known else math.inf)
    return ConformalIntervals(tuple(edges), tuple(factors))


def _check_edges(edges: tuple[float, ...]) -> None:
    check_several("edges", edges, range(1000), "ascending numbers, several or none")
    for edge in edges:
        check_range("edges", edge, -1e300, 1e300)
    if any(high <= low for low, high in pairwise(edges)):
        raise ValueError(f"edges: got {tuple(edges)}, accepted are ascending numbers")


def _classes(centre: torch.Tensor, edges: tuple[float, ...]) -> torch.Tensor:
    return torch.bucketize(centre, centre.new_tensor(edges), right=True)


def _checked_volume(volume: torch.Tensor, name: str, values: torch.Tensor) -> torch.Tensor:
    """The volumes numbered from 0 without gaps, in the same order, int64: a count of each takes no more memory than
    there are volumes, and indices of other types are refused or, uint8, taken for a mask."""
    check_same_shape("volume", volume, name, values)
    if volume.is_floating_point() or volume.is_complex() or volume.dtype == torch.bool:
        raise ValueError(f"volume: got {volume.dtype}, accepted are whole numbers")
    volume = volume.long()
    if bool((volume < 0).any()):
        raise ValueError(f"volume: got {volume.min().item()}, accepted are numbers from 0")
    return volume.unique(return_inverse=True)[1]
