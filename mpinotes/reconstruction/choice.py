"""How much to regularise: the residual from the data themselves, the discrepancy principle, the L-curve."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from scipy.optimize import brentq

from mpinotes.checks import check_positive, check_range, check_several
from mpinotes.numerics import full_precision, ratio
from mpinotes.reconstruction.forward_models import ForwardModel, check_model, check_volumes

Solve = Callable[[float], torch.Tensor]
"""From λ to volumes, (batch, 1, z, y, x), of data that it knows."""


@full_precision
def residual_norm(model: ForwardModel, volumes: torch.Tensor, data: torch.Tensor) -> torch.Tensor:
    """‖Ac − d‖ of every volume, (batch,), double precision, computed anew: no solver's own account of it.

    >>> model = MatrixModel(torch.eye(4), shape=(1, 2, 2))
    >>> residual_norm(model, torch.zeros(1, 1, 1, 2, 2), torch.tensor([[3.0, 4.0, 0.0, 0.0]]))
    tensor([5.], dtype=torch.float64)
    """
    check_model(model)
    check_volumes("volumes", volumes)
    model.check_data(data)
    if volumes.shape != (len(data), 1, *model.shape):
        raise ValueError(f"volumes: got shape {tuple(volumes.shape)}, accepted is {(len(data), 1, *model.shape)}")
    return _norm(model.like(data).apply(volumes) - data)


@full_precision
def discrepancy_regularization(
    solve: Solve,
    model: ForwardModel,
    data: torch.Tensor,
    noise: float,
    *,
    between: tuple[float, float] = (1e-6, 1e6),
    tolerance: float = 1e-3,
) -> float:
    """λ whose residual is the noise's, ‖Ac_λ − d‖ = `noise`, all volumes together: what is smaller is
    noise that has become an image. Source: Morozov (1966); Engl, Hanke & Neubauer (1996), section 4.3.

    The residual grows with λ, so Brent's method finds log λ, with one call of `solve` for each of some ten
    tries. Raises ``ValueError`` for a noise that is no residual of any λ between the ends.

    :param solve: λ -> volumes, as ``lambda weight: reconstruct_penalised(model, data, penalty="l1", weight=weight)``
    :param model: as `solve` uses it
    :param data: as `solve` uses them
    :param noise: expected norm of the noise: √(batch · rows) for complex rows times `spread_weights`
    :param between: least and largest λ
    :param tolerance: of λ, relative

    >>> model, data = MatrixModel(torch.eye(4), shape=(1, 2, 2)), torch.tensor([[1.0, 1.0, 1.0, 1.0]])
    >>> def solve(weight):
    ...     return reconstruct_penalised(model, data, penalty="ridge", weight=weight, steps=1)
    >>> round(discrepancy_regularization(solve, model, data, noise=1.0), 2)  # c = 1/(1 + λ)
    1.0
    """
    check_positive("noise", noise)
    check_positive("tolerance", tolerance)
    check_several("between", between, (2,), "the two ends (low, high)")
    check_positive("between", between[0])
    check_range("between", between[1], between[0])

    @cache
    def residual(logarithm: float) -> float:
        return _total(residual_norm(model, solve(math.exp(logarithm)), data)).item()

    low, high = (math.log(end) for end in between)
    if not residual(low) <= noise <= residual(high):
        raise ValueError(
            f"noise: got {noise:g}, accepted is from {residual(low):g} to {residual(high):g}, the residuals at the "
            f"least and the largest λ of between, {between}"
        )
    return math.exp(brentq(lambda logarithm: residual(logarithm) / noise - 1, low, high, xtol=tolerance))


@dataclass(frozen=True)
class LCurve:
    """Residual ‖Ac − d‖ and size of the solutions, (n,), for the values of λ, `regularizations`.

    >>> curve = LCurve((0.1, 1.0, 10.0), torch.tensor([0.10, 0.11, 1.0]), torch.tensor([9.0, 1.1, 1.0]))
    >>> curve.corner
    1
    """

    regularizations: tuple[float, ...]
    residual: torch.Tensor
    size: torch.Tensor

    @property
    def corner(self) -> int:
        """Where the curve of the logarithms turns most: the point farthest from the straight line between its
        ends, both axes scaled to [0, 1]. Source: Hansen & O'Leary, SIAM J. Sci. Comput. 14 (1993) 1487, for
        the corner; the rule is that of Satopää et al., "Kneedle" (2011), which asks for no second derivative."""
        x, y = (_unit(value.log()) for value in (self.residual, self.size))
        return int((-(x + y)).argmax())


def l_curve(
    solve: Solve,
    model: ForwardModel,
    data: torch.Tensor,
    regularizations: Sequence[float],
    *,
    size: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> LCurve:
    """What every λ costs and saves: with larger λ the residual grows and the size falls.

    :param solve: λ -> volumes, (batch, 1, z, y, x)
    :param model: as `solve` uses it
    :param data: as `solve` uses them
    :param regularizations: the values of λ, three at least
    :param size: of volumes, (batch,), what λ multiplies, as `total_variation`; ‖c‖ by default

    >>> model, data = MatrixModel(torch.eye(4), shape=(1, 2, 2)), torch.tensor([[1.0, 1.0, 1.0, 1.0]])
    >>> def solve(weight):
    ...     return reconstruct_penalised(model, data, penalty="ridge", weight=weight, steps=1)
    >>> curve = l_curve(solve, model, data, (1.0, 3.0, 9.0))
    >>> curve.residual, curve.size
    (tensor([1.0000, 1.5000, 1.8000], dtype=torch.float64), tensor([1.0000, 0.5000, 0.2000], dtype=torch.float64))
    """
    check_several("regularizations", regularizations, range(3, 1000), "at least three values")
    for regularization in regularizations:
        check_positive("regularizations", regularization)
    residuals, sizes = [], []
    for regularization in regularizations:
        volumes = solve(regularization)
        residuals.append(_total(residual_norm(model, volumes, data)))
        sizes.append(_total(volumes) if size is None else size(volumes).double().sum())
    return LCurve(tuple(regularizations), torch.stack(residuals), torch.stack(sizes))


def _norm(values: torch.Tensor) -> torch.Tensor:
    """(batch, …) -> (batch,), double precision."""
    return torch.linalg.vector_norm(values.to(torch.promote_types(values.dtype, torch.float64)).flatten(1), dim=1)


def _total(values: torch.Tensor) -> torch.Tensor:
    """The norm of all."""
    return torch.linalg.vector_norm(values.double())


def _unit(values: torch.Tensor) -> torch.Tensor:
    return ratio(values - values.min(), values.max() - values.min())
