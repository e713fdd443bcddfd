import re

import pytest
import torch

from mpinotes.training import TrainState, with_bar


def states(*steps):
    return (TrainState(step, {"total": 0.25}, [0.25], 0.0, torch.nn.Identity()) for step in steps)


@pytest.mark.parametrize("steps", [(1, 2, 3), (2, 3), (3,)], ids=["from nothing", "resumed", "was complete"])
def test_all_states_pass_and_the_bar_ends_full(capsys, steps):
    assert [state.step for state in with_bar(states(*steps), 3, "training on")] == list(steps)
    bar = capsys.readouterr().err
    assert "training on" in bar and "3/3" in bar


def test_resumed_steps_do_not_count_for_the_remaining_time(capsys):
    running = with_bar(states(990, 991), 1000, "training")
    next(running)
    assert re.search(r"990/1000 \[00:00<\?", capsys.readouterr().err)
    running.close()
