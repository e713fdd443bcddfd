import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mpinotes.diffusion import Schedule

every_schedule = pytest.mark.parametrize("name", ["linear", "cosine"])


@every_schedule
@pytest.mark.parametrize("steps", [1, 2, 10, 1000, 4000])
def test_the_signal_falls_from_all_to_almost_nothing(name, steps):
    alpha_bar = Schedule(name, steps).alpha_bar
    assert alpha_bar.shape == (steps + 1,) and alpha_bar.dtype == torch.float64
    assert alpha_bar[0] == 1
    assert 0 < alpha_bar[-1] < 2e-3
    assert (alpha_bar.diff() < 0).all()


def test_the_linear_schedule_has_the_betas_of_ho():
    alpha_bar = Schedule("linear", 1000).alpha_bar
    beta = 1 - alpha_bar[1:] / alpha_bar[:-1]
    expected = 1e-4 + (0.02 - 1e-4) * torch.arange(1000, dtype=torch.float64) / 999
    torch.testing.assert_close(beta, expected, rtol=0, atol=1e-14)


def test_the_cosine_schedule_is_that_of_nichol_up_to_the_clipped_last_step():
    f = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1000)]
    expected = torch.tensor(f, dtype=torch.float64) / f[0]
    torch.testing.assert_close(Schedule("cosine", 1000).alpha_bar[:-1], expected, rtol=1e-9, atol=0)


@every_schedule
def test_fewer_steps_walk_the_same_way(name):
    """α̅ depends on t/T, not on T: two grids agree at common times to the order of their step."""
    fine, coarse = Schedule(name, 2000).alpha_bar[::4], Schedule(name, 500).alpha_bar
    assert (fine - coarse).abs().max() < 0.01


@given(steps=st.integers(1, 2000), data=st.data())
def test_kept_steps_fall_strictly_from_the_last_to_the_first(steps, data):
    count = data.draw(st.integers(1, steps))
    kept = Schedule("linear", steps).kept_steps(count)
    assert len(kept) == count
    assert kept[0] == steps
    assert kept[-1] == (1 if count > 1 else steps)
    gaps = [earlier - later for earlier, later in pairwise(kept)]
    assert all(gap >= 1 for gap in gaps)
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_at_picks_each_samples_own_step_and_fits_the_tensor():
    schedule, like = Schedule("linear", 10), torch.zeros(3, 2, 4, 4, dtype=torch.float32)
    picked = schedule.at(torch.tensor([0, 5, 10]), like)
    assert picked.shape == (3, 1, 1, 1) and picked.dtype == torch.float32
    torch.testing.assert_close(picked.flatten().double(), schedule.alpha_bar[[0, 5, 10]], rtol=1e-6, atol=0)


def test_an_unknown_schedule_is_refused_by_name():
    with pytest.raises(ValueError, match="^name: got 'sigmoid'"):
        Schedule("sigmoid")


@pytest.mark.parametrize("steps", [0, -1, 2.5])
def test_a_schedule_without_whole_steps_is_refused_by_name(steps):
    with pytest.raises(ValueError, match="^steps: got"):
        Schedule(steps=steps)


@pytest.mark.parametrize("count", [0, 11, -1])
def test_more_or_fewer_kept_steps_than_there_are_are_refused_by_name(count):
    with pytest.raises(ValueError, match="^steps: got"):
        Schedule(steps=10).kept_steps(count)


def test_a_schedule_first_used_in_inference_mode_serves_a_training():
    schedule, x = Schedule(steps=10), torch.ones(11, dtype=torch.float64, requires_grad=True)
    with torch.inference_mode():
        schedule.at(torch.tensor([5]), x)
    (schedule.alpha_bar * x).sum().backward()
    assert torch.equal(x.grad, schedule.alpha_bar)
