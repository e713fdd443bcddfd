import math

import pytest
import torch

from mpinotes.training.guard import GROWTH_STEPS, Guard


def linear():
    model = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.constant_(model.weight, 0.5)
    return model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)


def step(guard, model, optimizer, x, loss=None):
    """One step on the loss ½ (model(x))², or on one that says it was `loss`."""
    optimizer.zero_grad()
    total = model(torch.tensor(x)).square().sum() / 2
    guard.scaled(total).backward()
    norm = guard.clip(model)
    guard.step(optimizer, total if loss is None else torch.tensor(loss), norm)
    return norm.item()


def plain_step(model, optimizer, x):
    optimizer.zero_grad()
    (model(torch.tensor(x)).square().sum() / 2).backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return norm.item()


@pytest.mark.parametrize("scale", [1.0, 2.0**16])
def test_finite_steps_are_those_of_the_optimiser_alone(scale):
    """A power of two scales without rounding."""
    (guarded, first), (plain, second), guard = linear(), linear(), Guard(scale)
    for x in ([0.3, 0.4], [3.0, -4.0], [1e-3, 1.0]):
        assert step(guard, guarded, first, x) == plain_step(plain, second, x)
    assert torch.equal(guarded.weight, plain.weight)


def test_an_overflow_in_half_precision_leaves_out_its_step_and_halves_the_scale():
    (model, optimizer), (plain, other), guard = linear(), linear(), Guard(8.0)
    step(guard, model, optimizer, [1.0, 2.0])
    step(guard, model, optimizer, [math.inf, 1.0], loss=1.0)
    assert guard.scale == 4 and guard.ended == 0 and guard.steps_since == 0
    step(guard, model, optimizer, [2.0, 1.0])
    for x in ([1.0, 2.0], [2.0, 1.0]):
        plain_step(plain, other, x)
    assert torch.equal(model.weight, plain.weight)  # also the moments and the count of steps are as if it had not been


def test_the_scale_grows_again_after_many_good_steps_up_to_its_largest():
    (model, optimizer), guard = linear(), Guard(8.0)
    step(guard, model, optimizer, [math.nan, 1.0], loss=1.0)
    guard.steps_since = torch.tensor(GROWTH_STEPS - 1.0)
    step(guard, model, optimizer, [1.0, 1.0])
    assert guard.scale == 8 and guard.steps_since == 0
    guard.steps_since = torch.tensor(GROWTH_STEPS - 1.0)
    step(guard, model, optimizer, [1.0, 1.0])
    assert guard.scale == 8


@pytest.mark.parametrize(
    "scale, x, loss",
    [
        (1.0, [math.nan, 1.0], 1.0),
        (1.0, [math.inf, 1.0], 1.0),
        (1.0, [1.0, 1.0], math.nan),
        (8.0, [1.0, 1.0], math.inf),
    ],
    ids=["gradient nan", "gradient infinite", "loss nan", "loss infinite in half precision"],
)
def test_after_a_loss_or_gradient_that_is_not_finite_no_step_changes_a_weight(scale, x, loss):
    (model, optimizer), guard = linear(), Guard(scale)
    step(guard, model, optimizer, [1.0, 2.0])
    before = model.weight.clone()
    step(guard, model, optimizer, x, loss)
    step(guard, model, optimizer, [1.0, 2.0])
    assert guard.ended == 1 and torch.equal(model.weight, before)


def test_a_scale_of_1_that_overflows_ends_the_training_in_half_precision_too():
    (model, optimizer), guard = linear(), Guard(4.0)
    for scale in (2, 1):
        step(guard, model, optimizer, [math.nan, 1.0], loss=1.0)
        assert guard.scale == scale and guard.ended == 0
    step(guard, model, optimizer, [math.nan, 1.0], loss=1.0)
    assert guard.ended == 1


def test_a_checkpoint_holds_the_scale():
    (model, optimizer), guard, other = linear(), Guard(8.0), Guard(8.0)
    step(guard, model, optimizer, [math.nan, 1.0], loss=1.0)
    other.load_state_dict(guard.state_dict())
    assert other.scale == 4
