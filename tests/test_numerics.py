import pytest
import torch

from mpinotes.numerics import as_number, full_precision, power_of_two, ratio, wants_gradient

MATRIX = torch.arange(9).sqrt().view(3, 3)  # irrational: a product in low precision shows
every_low_precision = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])


@full_precision
def square(matrix):
    """A product."""
    return matrix @ matrix


@full_precision
def powers(matrix):
    while True:
        matrix = matrix @ MATRIX
        yield matrix


@every_low_precision
def test_a_function_computes_outside_the_callers_autocast(dtype):
    with torch.autocast("cpu", dtype):
        low, full = MATRIX @ MATRIX, square(MATRIX)
    assert torch.equal(full, MATRIX @ MATRIX) and not torch.equal(full, low.float())


@every_low_precision
def test_so_does_each_step_of_a_generator_and_between_two_the_callers_autocast_holds(dtype):
    steps = powers(MATRIX)
    with torch.autocast("cpu", dtype):
        first = next(steps)
        assert torch.is_autocast_enabled("cpu") and (MATRIX @ MATRIX).dtype == dtype
        second = next(steps)
    assert torch.equal(first, MATRIX @ MATRIX) and torch.equal(second, first @ MATRIX)


def test_a_generator_ends_and_fails_as_its_own():
    @full_precision
    def two():
        yield from (1, 2)

    @full_precision
    def broken():
        yield 1
        raise ValueError("broken")

    assert list(two()) == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        list(broken())


def test_a_function_keeps_its_name_text_and_signature():
    assert square.__name__ == "square" and square.__doc__ == "A product."


def test_nothing_over_its_norm_is_nothing_and_all_else_as_divided():
    a, b = torch.tensor([0.0, 1.0, -3.0]), torch.tensor([0.0, 3.0, 7.0])
    assert torch.equal(ratio(a, b), torch.tensor([0.0, 1.0, -3.0]) / torch.tensor([1.0, 3.0, 7.0]))


@pytest.mark.parametrize("dtype", [torch.float32, torch.complex64])
def test_the_gradient_of_nothing_over_its_norm_is_finite(dtype):
    x = torch.tensor([0.0, 2.0], dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(ratio(x, x.abs()).abs().sum(), x)
    assert torch.isfinite(torch.view_as_real(gradient) if gradient.is_complex() else gradient).all()


def test_a_number_may_be_a_tensor_that_wants_a_gradient():
    value = torch.tensor(0.5, requires_grad=True)
    assert as_number(value) == as_number(0.5) == 0.5
    assert wants_gradient(value) and not wants_gradient(value.detach()) and not wants_gradient(0.5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_power_of_two_below_a_modulus_leaves_every_bit_of_what_it_divides(dtype):
    info = torch.finfo(dtype)
    largest = torch.tensor([0.0, info.tiny, 0.3, 1.0, 3.0, info.max], dtype=dtype)
    unit = power_of_two(largest)
    assert unit.dtype == dtype and unit[0] == 1 and ((largest / unit >= 1) & (largest / unit < 2))[1:].all()
    assert torch.equal(largest / unit * unit, largest)
