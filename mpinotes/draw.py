"""Random numbers, drawn where the generator lives and handed to where they are needed.

So the same generator gives the same numbers for every device of the data. This module imports nothing
of the package and may be used on every floor.
"""

import math
from numbers import Integral

import torch


def seeded_generator(seed: int) -> torch.Generator:
    """A generator on the CPU whose numbers depend on `seed` alone. Raises ``ValueError`` for one that is no whole
    number of at most 64 bits, of Python or NumPy."""
    if not isinstance(seed, Integral) or isinstance(seed, bool) or not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed: got {seed!r}, accepted is a whole number from {-(2**63)} to {2**64 - 1}")
    return torch.Generator().manual_seed(int(seed))


def normal(
    shape: tuple[int, ...] | torch.Size, like: torch.Tensor, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Standard normal numbers of a shape, with the dtype and device of `like`; complex ones have a
    standard deviation of 1 in their real and in their imaginary part."""
    numbers = torch.randn(shape, generator=generator, dtype=like.dtype, device=_source(generator))
    # torch's complex normal numbers have a variance of 1/2 in each part.
    return send(math.sqrt(2) * numbers if like.is_complex() else numbers, like.device)


def normal_like(x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Standard normal numbers with the shape, dtype and device of `x`, see `normal`."""
    return normal(x.shape, x, generator)


def uniform(
    shape: tuple[int, ...] | torch.Size,
    generator: torch.Generator | None = None,
    *,
    dtype: torch.dtype = torch.float32,
) -> torch.Tensor:
    """Numbers in [0, 1), on the device of the generator."""
    return torch.rand(shape, generator=generator, dtype=dtype, device=_source(generator))


def integers(
    low: int, high: int, shape: tuple[int, ...] | torch.Size, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Whole numbers from `low` to `high` − 1, on the device of the generator."""
    return torch.randint(low, high, shape, generator=generator, device=_source(generator))


def send(numbers: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Numbers that were drawn, on the device that needs them. A GPU is not waited for."""
    return numbers.to(device, non_blocking=device.type != "cpu")


def _source(generator: torch.Generator | None) -> torch.device:
    return generator.device if generator is not None else torch.device("cpu")
