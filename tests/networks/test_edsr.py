import pytest
import torch

from mpinotes.networks import EDSRConfig, seeded_network
from mpinotes.networks.unet import depth_to_space, space_to_depth

SMALL = EDSRConfig(width=8, blocks=2)


def test_an_untrained_network_says_nothing_and_keeps_the_shape():
    x = torch.randn(2, 1, 4, 6, 8)
    output = seeded_network(SMALL, 0)(x)
    assert output.shape == x.shape and not output.any()


def test_the_body_is_a_sum_of_blocks_around_two_skips():
    model = seeded_network(EDSRConfig(width=8, blocks=2, residual_scale=0.5), 0)
    torch.nn.init.normal_(model.tail.weight)
    x = torch.randn(1, 1, 4, 4, 4)
    first = model.head(space_to_depth(x))
    h = first
    for block in model.body:
        h = h + 0.5 * block.second(block.first(h).relu())
    torch.testing.assert_close(model(x), depth_to_space(model.tail(first + model.last(h)), 3))


@pytest.mark.parametrize("shape", [(1, 1, 4, 4, 5), (1, 2, 4, 4, 4), (1, 1, 4, 4), (0, 1, 4, 4, 4)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="x: got shape"):
        seeded_network(SMALL, 0)(torch.zeros(shape))


def test_wrong_configurations_are_refused():
    with pytest.raises(ValueError, match="blocks"):
        EDSRConfig(blocks=0)
