import numpy as np
import torch

from mpinotes.display.portable import portable_normal


def words(state, count):
    """Mulberry32 by Tommy Ettinger, one number after the other, in Python's own integers."""
    for _ in range(count):
        state = (state + 0x6D2B79F5) % 2**32
        t = ((state ^ (state >> 15)) * (state | 1)) % 2**32
        t ^= (t + ((t ^ (t >> 7)) * (t | 61)) % 2**32) % 2**32
        yield t ^ (t >> 14)


def test_the_numbers_are_those_of_the_plain_generator_and_box_and_muller():
    seed, stream = 3, 2
    drawn = np.array(list(words((seed * 0x9E3779B1 + stream * 0x85EBCA6B) % 2**32, 10)), dtype=float)
    radius, angle = np.sqrt(-2 * np.log((drawn[::2] + 0.5) / 2**32)), 2 * np.pi * drawn[1::2] / 2**32
    expected = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()
    np.testing.assert_allclose(portable_normal((2, 5), seed, stream).ravel(), expected, rtol=1e-6)


def test_an_odd_number_is_the_beginning_of_the_even_one():
    assert torch.equal(portable_normal((7,), 1, 0), portable_normal((8,), 1, 0)[:7])


def test_they_are_normal_and_streams_are_independent():
    """Bounds are five standard errors."""
    count = 100_000
    first, second = portable_normal((count,), 0, 0), portable_normal((count,), 0, 1)
    for one in (first, second):
        assert abs(one.mean()) < 5 / count**0.5 and abs(one.std() - 1) < 5 / (2 * count) ** 0.5
        assert abs((one**4).mean() - 3) < 5 * (96 / count) ** 0.5
    assert abs((first * second).mean()) < 5 / count**0.5 and not torch.equal(first, portable_normal((count,), 1, 0))
