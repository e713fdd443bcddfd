import itertools

import pytest
import torch
from torch import nn

from mpinotes.networks import UNet, UNetConfig, seeded_network, widen_input
from mpinotes.networks.unet import depth_to_space, space_to_depth
from tests.no_values import NoValues

SMALL = {"widths": (16, 32), "blocks": 1}


def random_like(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def network(dims, **changes):
    """A small U-Net whose head is not zero, as after some training."""
    model = seeded_network(UNetConfig(**{"dims": dims, **SMALL, **changes}), seed=0)
    nn.init.normal_(model.head.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    return model


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    "widths, blocks, sides", [((16, 32), 1, (4, 8, 12)), ((16, 24, 32), 2, (8, 8, 16)), ((16,), 1, (2, 4, 6))]
)
def test_the_output_has_the_shape_of_the_input(dims, widths, blocks, sides):
    model = network(dims, widths=widths, blocks=blocks, in_channels=3, out_channels=2)
    output = model(random_like(2, 3, *sides[:dims]), torch.tensor([1, 1000]))
    assert output.shape == (2, 2, *sides[:dims])
    assert output.isfinite().all()


@pytest.mark.parametrize("dims", [2, 3])
def test_an_untrained_network_says_nothing(dims):
    model = UNet(UNetConfig(dims=dims, **SMALL))
    output = model(random_like(1, 2, *[8] * dims), torch.tensor([5]))
    assert torch.equal(output, torch.zeros_like(output))


def test_the_seed_alone_decides_the_first_weights():
    config = UNetConfig(dims=2, **SMALL)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    first, again, other = (seeded_network(config, seed).stem.weight for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)  # the global generator is left alone
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_reach_every_parameter(dims):
    model = network(dims)
    model(random_like(2, 2, *[8] * dims), torch.tensor([3, 700])).square().sum().backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-8]
    assert silent == []


@pytest.mark.parametrize("dims", [2, 3])
def test_detail_bypasses_the_deeper_levels(dims):
    model = network(dims)
    for parameter in model.grow.parameters():  # nothing comes up from below
        nn.init.zeros_(parameter)
    outputs = [model(random_like(1, 2, *[8] * dims, seed=seed), torch.tensor([5])) for seed in (0, 1)]
    assert not torch.allclose(*outputs, atol=1e-3)


def test_the_output_depends_on_the_step_of_each_sample_alone():
    model, x = network(3), random_like(1, 2, 8, 8, 8).repeat(2, 1, 1, 1, 1)
    early, late = model(x, torch.tensor([10, 900]))
    assert not torch.allclose(early, late)
    torch.testing.assert_close(model(x, torch.tensor([10, 10]))[1], early)


def test_samples_of_a_batch_do_not_mix():
    model, x = network(3), random_like(3, 2, 4, 4, 8)
    t = torch.tensor([1, 20, 300])
    together = model(x, t)
    alone = torch.cat([model(x[i : i + 1], t[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 4, 6), (2, 3, 4, 6, 2)])
def test_space_to_depth_and_back_changes_nothing(shape):
    x = random_like(*shape)
    folded = space_to_depth(x)
    assert folded.shape == (2, 3 * 2 ** (len(shape) - 2), *[side // 2 for side in shape[2:]])
    assert torch.equal(depth_to_space(folded, len(shape) - 2), x)


@pytest.mark.parametrize("dims", [2, 3])
def test_each_channel_holds_one_corner_of_every_cell_in_reading_order(dims):
    x = random_like(2, 3, *[6] * dims)
    corners = [
        x[(slice(None), channel, *[slice(start, None, 2) for start in corner])]
        for channel in range(3)
        for corner in itertools.product((0, 1), repeat=dims)
    ]
    assert torch.equal(space_to_depth(x), torch.stack(corners, dim=1))


@pytest.mark.parametrize(
    "name, value",
    [
        ("dims", 1),
        ("dims", 4),
        ("widths", ()),
        ("widths", (12,)),
        ("widths", (0, 8)),
        ("widths", (-8,)),
        ("in_channels", 0),
        ("out_channels", 0),
        ("blocks", 0),
    ],
    ids=str,
)
def test_an_impossible_network_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: got"):
        UNetConfig(**{name: value})


@pytest.mark.parametrize(
    "shape", [(2, 8, 8, 8), (1, 3, 8, 8, 8), (1, 2, 8, 8, 6), (1, 2, 0, 8, 8), (0, 2, 8, 8, 8)], ids=str
)
def test_an_input_of_wrong_shape_is_refused_with_the_accepted_one(shape):
    with pytest.raises(ValueError, match=r"^x: got shape .*multiples of 4"):
        network(3)(torch.zeros(shape), torch.ones(shape[0]))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_training_step_looks_at_no_value(dims):
    model = network(dims)
    with NoValues():
        model(random_like(2, 2, *[8] * dims), torch.tensor([3, 700])).square().sum().backward()


@pytest.mark.parametrize("dims", [2, 3])
def test_a_widened_input_changes_nothing_until_it_is_trained(dims):
    narrow = network(dims, in_channels=2)
    wide = widen_input(narrow, 5)
    x = random_like(2, 5, *[8] * dims)
    torch.testing.assert_close(wide(x), narrow(x[:, :2]))
    wide(x).square().mean().backward()
    cells = 2**dims
    assert wide.stem.weight.grad[:, 2 * cells :].abs().min() > 0
    assert all(parameter.grad is None for parameter in narrow.parameters())
    assert narrow.config.in_channels == 2 and wide.config.in_channels == 5
    with pytest.raises(ValueError, match="in_channels: got 1, accepted is a whole number of at least 2"):
        widen_input(narrow, 1)


def test_a_widened_network_can_be_trained_wherever_it_was_widened():
    with torch.inference_mode():
        wide = widen_input(network(2, in_channels=1), 3)
    wide(random_like(1, 3, 8, 8)).square().mean().backward()
    assert wide.stem.weight.grad is not None


def test_what_is_frozen_stays_frozen():
    narrow = network(2, in_channels=1).requires_grad_(False)
    assert not any(parameter.requires_grad for parameter in widen_input(narrow, 3).parameters())


@pytest.mark.parametrize("wrong", [None, UNetConfig(), nn.Linear(1, 1)])
def test_only_a_unet_is_widened(wrong):
    with pytest.raises(ValueError, match="^network: got .*, accepted is a UNet$"):
        widen_input(wrong, 3)
