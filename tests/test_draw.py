import numpy as np
import pytest
import torch

from mpinotes import draw


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", [0, 3, -1, 2**63 + 5, np.int64(3), np.uint8(3)])
def test_a_seed_is_a_whole_number_and_gives_the_numbers_of_torch(seed):
    expected = torch.rand(3, generator=torch.Generator().manual_seed(int(seed)))
    assert torch.equal(torch.rand(3, generator=draw.seeded_generator(seed)), expected)


@pytest.mark.parametrize("seed", [None, 1.0, "1", True, 2**64, -(2**63) - 1, torch.ones(2)])
def test_other_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="^seed: got .*, accepted is a whole number from"):
        draw.seeded_generator(seed)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_real_normal_numbers_are_those_of_torch(dtype):
    expected = torch.randn(3, 4, generator=seeded(), dtype=dtype)
    assert torch.equal(draw.normal((3, 4), torch.empty(0, dtype=dtype), seeded()), expected)
    assert torch.equal(draw.normal_like(torch.empty(3, 4, dtype=dtype), seeded()), expected)


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
def test_either_part_of_complex_normal_numbers_has_a_standard_deviation_of_1(dtype):
    """Five standard errors of a standard deviation over n values: 5 / sqrt(2 n)."""
    numbers = draw.normal((50_000,), torch.empty(0, dtype=dtype), seeded())
    assert numbers.dtype == dtype
    for part in (numbers.real, numbers.imag):
        assert part.std().item() == pytest.approx(1, rel=5 / (2 * 50_000) ** 0.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_numbers_are_those_of_torch(dtype):
    numbers = draw.uniform((1000,), seeded(), dtype=dtype)
    assert torch.equal(numbers, torch.rand(1000, generator=seeded(), dtype=dtype))
    assert numbers.min() >= 0 and numbers.max() < 1


@pytest.mark.parametrize("sample", [lambda g: draw.normal((2,), torch.empty(0), g), lambda g: draw.uniform((2,), g)])
def test_one_call_continues_the_numbers_of_the_one_before(sample):
    generator = seeded()
    first, second = sample(generator), sample(generator)
    assert not torch.equal(first, second) and torch.equal(first, sample(seeded()))


@pytest.mark.parametrize("sample", [lambda: draw.normal((2,), torch.empty(0)), lambda: draw.uniform((2,))])
def test_without_a_generator_the_global_one_draws(sample):
    states = []
    for _ in range(2):
        torch.manual_seed(0)
        states.append(sample())
    assert torch.equal(*states)


def test_numbers_are_drawn_where_the_generator_lives_and_end_where_the_data_do():
    assert draw.normal_like(torch.empty(3, device="meta"), seeded()).device.type == "meta"
