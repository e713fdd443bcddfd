import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.training import TrainConfig, TrainState, make_ema, train
from mpinotes.training.loop import step_generator

CPU = torch.device("cpu")
NETWORK = UNetConfig(dims=2, in_channels=1, out_channels=1, widths=(8,), blocks=1)
CONFIG = TrainConfig(steps=12, batch=4, checkpoint_every=4, warmup=2)
DATA = (torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)),)


def loss(model, batch, generator):
    (x,) = batch
    noise = torch.randn(x.shape, generator=generator)
    t = torch.randint(1, 100, (len(x),), generator=generator)
    return {"total": (model(x + noise, t) - x).square().mean()}


def run(folder=None, stop=None, config=CONFIG, network=NETWORK):
    model = seeded_network(network, 0)
    ema = make_ema(model, 0.99)
    for state in train(model, ema, loss, DATA, config, device=CPU, folder=folder):
        if state.step == stop:
            break
    return model, ema, state


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_training_lowers_the_loss():
    state = run(config=TrainConfig(steps=60, batch=8, learning_rate=3e-3, warmup=2))[2]
    assert sum(state.history[-10:]) < 0.9 * sum(state.history[:10])


@pytest.mark.parametrize("stop", [4, 7, 12])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, stop):
    run(tmp_path, stop)
    model, ema, state = run(tmp_path)
    reference, reference_ema, reference_state = run()
    assert same(model, reference) and same(ema, reference_ema)
    assert state.history == reference_state.history and state.step == 12


# Checkpoints after every step; in the run to be killed a pause after each, so that the kill meets a
# training in progress.
SCRIPT = """
import functools, sys, time
import mpinotes.methods.recipes as recipes
from mpinotes.__main__ import main
from mpinotes.training import TrainConfig, TrainState, loop

recipes.TrainConfig = functools.partial(TrainConfig, checkpoint_every=1)
if sys.argv[2] == "slow":
    store = loop._store
    loop._store = lambda *arguments: (store(*arguments), time.sleep(0.5))
sys.exit(main(["train", "sm_algorithm1", "--profile", "smoke", "--out", sys.argv[1], "--device", "cpu"]))
"""


def test_a_run_killed_by_sigkill_ends_with_the_same_bits(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen([sys.executable, script, killed, "slow"], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not (killed / "checkpoint.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / "sm_algorithm1.safetensors").exists()
    for folder in (killed, whole):
        subprocess.run([sys.executable, script, folder, "fast"], check=True, capture_output=True)
    assert (killed / "sm_algorithm1.safetensors").read_bytes() == (whole / "sm_algorithm1.safetensors").read_bytes()


def test_steps_draw_independent_numbers():
    draws = {torch.rand((), generator=step_generator(seed, step)).item() for seed in range(3) for step in range(50)}
    assert len(draws) == 150


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    run(tmp_path, 4)
    with pytest.raises(ValueError, match="another output folder"):
        run(tmp_path, config=replace(CONFIG, seed=1))
    with pytest.raises(ValueError, match="another network"):
        run(tmp_path, network=replace(NETWORK, widths=(16,)))


def test_a_truncated_checkpoint_is_refused(tmp_path):
    run(tmp_path, 4)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged.*delete it"):
        run(tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run():
    model = seeded_network(NETWORK, 0)
    nan = lambda model, batch, generator: {"total": model(*batch, torch.ones(4)).sum() * float("nan")}  # noqa: E731
    with pytest.raises(FloatingPointError, match="learning rate"):
        next(train(model, make_ema(model, 0.9), nan, DATA, CONFIG, device=CPU))


def test_a_gradient_that_is_not_finite_stops_the_run_before_it_spoils_the_network():
    model = seeded_network(NETWORK, 0)
    ema = make_ema(model, 0.9)
    # √ has an infinite slope at its value zero.
    steep = lambda model, batch, generator: {"total": (model(*batch, torch.ones(4)) * 0).sum().sqrt()}  # noqa: E731
    with pytest.raises(FloatingPointError, match="gradient is nan at step 0 for a loss of 0"):
        next(train(model, ema, steep, DATA, CONFIG, device=CPU))
    assert same(model, seeded_network(NETWORK, 0)) and same(ema, make_ema(model, 0.9))


@pytest.mark.parametrize("field", ["steps", "batch", "learning_rate", "checkpoint_every"])
def test_bad_configuration_names_its_field(field):
    with pytest.raises(ValueError, match=field):
        replace(CONFIG, **{field: 0})


def test_the_learning_rate_warms_up_and_ends_near_zero():
    config = TrainConfig(steps=100, warmup=10, learning_rate=1.0)
    rates = [config.rate(step) for step in range(100)]
    assert rates[0] < 0.1 and max(rates) > 0.9 and rates[-1] < 1e-3
    assert all(a > b for a, b in pairwise(rates[11:]))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_gives_a_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="another output folder"):
        run(tmp_path)


def test_the_curve_of_a_history_is_its_means_over_equal_parts():
    state = TrainState(6, {}, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0], 0.0)
    assert state.curve(3) == [2.0, 6.0, 10.0] and state.curve() == state.history
