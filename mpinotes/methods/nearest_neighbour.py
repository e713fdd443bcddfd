"""Nearest neighbour: look the answer up among the training pairs. What a network must beat to have learned more."""

import torch

from mpinotes.checks import check_count, check_kind, check_tensor
from mpinotes.data import MatrixPairs
from mpinotes.numerics import ratio


def nearest_neighbour(low: torch.Tensor, train: MatrixPairs, components: int) -> torch.Tensor:
    """For every low-gradient component the high-gradient one of the training pair of the same mixing
    order whose low-gradient component correlates best with it, in the phase of `low`.

    `low`: complex (setting · component, channel, y, x), with `components` orders per setting, those of
    `train`. Returns components of modulus ≤ 1, and zeros for zeros, which are like none.

    >>> from mpinotes.data import PAPER_TEST, matrix_pairs, mixing_subset
    >>> from mpinotes.methods.nearest_neighbour import nearest_neighbour
    >>> train = matrix_pairs([PAPER_TEST], mixing_subset(2), shape=(4, 4))
    >>> torch.allclose(nearest_neighbour(1j * train.low, train, components=2), 1j * train.high)
    True
    """
    check_kind("train", train, MatrixPairs)
    check_tensor("low", low, 4, "(setting · component, channel, y, x)", complex_too=True)
    if not low.is_complex():  # the answer, complex, would be cut to its real part
        raise ValueError(f"low: got dtype {low.dtype}, accepted are complex numbers")
    check_count("components", components)
    if len(low) % components or len(train.low) % components or low.shape[1:] != train.low.shape[1:]:
        raise ValueError(
            f"low: got shape {tuple(low.shape)} beside {tuple(train.low.shape)} in training, accepted are "
            f"multiples of {components} components of one shape"
        )
    asked = low.to(torch.complex64).flatten(2).unflatten(0, (-1, components))
    known = train.low.flatten(2).unflatten(0, (-1, components))
    known = ratio(known, known.norm(dim=-1, keepdim=True))
    product = torch.einsum("tocp,socp->tsoc", asked, known.conj())
    best = product.abs().argmax(1, keepdim=True)
    turn = torch.gather(product, 1, best).squeeze(1)
    answers = train.high.unflatten(0, (-1, components))
    order = torch.arange(components, device=best.device)[:, None]
    channel = torch.arange(low.shape[1], device=best.device)
    found = answers[best.squeeze(1), order, channel] * ratio(turn, turn.abs())[..., None, None]
    return found.flatten(0, 1).to(low.dtype)
