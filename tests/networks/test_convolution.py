import pytest
import torch

from mpinotes.networks.convolution import Conv3d

DIRTY = [1 << power for power in range(14, 22)]


def gradients(network, *inputs):
    network.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
        network(*inputs).float().square().mean().backward()
    return [parameter.grad.clone() for parameter in network.parameters()]


@pytest.mark.parametrize("layers", [1, 2])
def test_over_few_layers_it_computes_in_full_precision(layers):
    torch.manual_seed(0)
    convolution, x = Conv3d(8, 16, 3, padding=1), torch.randn(2, 8, layers, 4, 4)
    low = gradients(convolution, x)
    convolution.zero_grad()
    convolution(x).square().mean().backward()
    for a, b in zip(low, (convolution.weight.grad, convolution.bias.grad), strict=True):
        assert torch.equal(a, b)


def test_gradients_on_the_smallest_grids_are_finite_whatever_the_memory_held_before():
    """With torch's own convolution one of these passes in five is not, and stopped a training on 16³."""
    torch.manual_seed(0)
    convolution = Conv3d(16, 32, 3, padding=1).to(memory_format=torch.channels_last_3d)
    for attempt in range(100):
        x = torch.randn(8, 16, 2, 2, 2).to(memory_format=torch.channels_last_3d).requires_grad_()
        junk = torch.full((1 + attempt % 7, DIRTY[attempt % 8]), float("inf"))
        del junk
        assert all(gradient.isfinite().all() for gradient in gradients(convolution, x)), attempt
