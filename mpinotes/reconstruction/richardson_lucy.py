"""Richardson–Lucy deconvolution: non-negative, and regularised by stopping early."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from mpinotes.checks import check_count
from mpinotes.numerics import full_precision, ratio
from mpinotes.reconstruction.forward_models import ForwardModel, check_model


@dataclass(frozen=True)
class RichardsonLucyState:
    """After a step: the `volumes`, (batch, 1, z, y, x), and the `divergence` of the data from theirs, over
    the sum of the data, (batch,).

    >>> model = MatrixModel(torch.eye(4), shape=(1, 2, 2))
    >>> next(richardson_lucy_steps(model, torch.ones(1, 4))).divergence
    tensor([0.])
    """

    volumes: torch.Tensor
    divergence: torch.Tensor


def richardson_lucy(model: ForwardModel, data: torch.Tensor, *, steps: int = 100) -> torch.Tensor:
    """The volumes of `richardson_lucy_steps` after a number of steps, (batch, 1, z, y, x).

    >>> model = MatrixModel(torch.tensor([[2.0, 1.0], [1.0, 2.0]]), shape=(1, 1, 2))
    >>> richardson_lucy(model, torch.tensor([[4.0, 5.0]]), steps=200).flatten()
    tensor([1.0000, 2.0000])
    """
    check_count("steps", steps)
    states = richardson_lucy_steps(model, data)
    for _ in range(steps):
        state = next(states)
    return state.volumes


@full_precision
def richardson_lucy_steps(model: ForwardModel, data: torch.Tensor) -> Iterator[RichardsonLucyState]:
    """c ← c Aᵀ(d/Ac) / Aᵀ1, without end: stop before the noise is deconvolved, too.

    Each step lowers the Kullback–Leibler divergence Σ d log(d/Ac) − d + Ac, keeps c ≥ 0 and, from the
    first on, the flux Σ Ac = Σ d. It is the maximum of the likelihood of Poisson counts; the noise of a
    receive coil is none, and data below zero, which such counts cannot have, are taken as zero. Here the
    kernel is that of `native_model`, the point response with its 1/r haze, gridded; Aᵀ1 is what of it lies
    in the field of view. Source: Richardson, J. Opt. Soc. Am. 62 (1972) 55; Lucy, Astron. J. 79 (1974) 745;
    with Aᵀ1: Shepp & Vardi, IEEE Trans. Med. Imaging 1 (1982) 113.

    `model`: one that is `positive`; `data`: real, (batch, …). Keeps their precision and device.
    Raises ``ValueError`` for other models and data.

    >>> model = MatrixModel(torch.tensor([[2.0, 1.0], [1.0, 2.0]]), shape=(1, 1, 2))
    >>> next(richardson_lucy_steps(model, torch.tensor([[4.0, 5.0]]))).volumes.flatten()
    tensor([1.4444, 1.5556])
    """
    check_model(model)
    if not model.positive:
        raise ValueError("model: got one with kernels of both signs, accepted is one whose data are never negative")
    model.check_data(data)
    if data.is_complex():
        raise ValueError(f"data: got dtype {data.dtype}, accepted are real numbers")
    model, counts = model.like(data), data.clamp_min(0)
    axes = (-1, *[1] * (data.ndim - 1))
    top = counts.flatten(1).amax(1)  # squares of particles per cubic metre are no numbers of float32
    unit = torch.where(top == 0, 1, top)
    counts = counts / unit.view(axes)
    sensitivity = model.adjoint(torch.ones_like(counts[:1])).clamp_min(0)
    total = counts.flatten(1).sum(1)
    share = (total / sensitivity.sum()).view(-1, 1, 1, 1, 1)
    volumes = (sensitivity > 0) * share
    floor = torch.finfo(counts.dtype).eps * 1e-3  # where rounding of the transforms makes nothing of a faint image
    image = model.apply(volumes).clamp_min(floor)
    while True:
        volumes = volumes * ratio(model.adjoint(counts / image).clamp_min(0), sensitivity)
        image = model.apply(volumes).clamp_min(floor)
        difference = torch.xlogy(counts, counts / image) - counts + image
        divergence = ratio(difference.flatten(1).sum(1), total)
        yield RichardsonLucyState(volumes * unit.view(-1, 1, 1, 1, 1), divergence)
