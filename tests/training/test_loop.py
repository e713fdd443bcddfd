import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest
import torch

from mpinotes.networks import UNetConfig, seeded_network
from mpinotes.training import TrainConfig, TrainState, loop, precision, train
from mpinotes.training.checkpoint import load_checkpoint
from mpinotes.training.loop import READ_EVERY, step_generator

CPU = torch.device("cpu")
NETWORK = UNetConfig(dims=2, in_channels=1, out_channels=1, widths=(8,), blocks=1)
CONFIG = TrainConfig(steps=12, batch=4, checkpoint_every=4, warmup=2)
DATA = (torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0)),)


class Denoising:
    """Draws noise and a step for every sample; the loss is that of guessing the sample."""

    identity: ClassVar = {"method": "denoising"}

    def draw(self, batch, generator):
        (x,) = batch
        noise = torch.randn(x.shape, generator=generator)
        return x, noise, torch.randint(1, 100, (len(x),), generator=generator)

    def loss(self, model, drawn, progress):
        x, noise, t = drawn
        return {"total": (model(x + noise, t) - x).square().mean()}


class Of:
    """A method with a given loss, of the model and what is drawn."""

    identity: ClassVar = {"method": "of a loss"}

    def __init__(self, loss):
        self.given = loss

    def draw(self, batch, generator):
        return batch

    def loss(self, model, drawn, progress):
        return {"total": self.given(model, *drawn)}


def run(folder=None, stop=None, config=CONFIG, network=NETWORK, data=DATA, seed=0, **identity):
    model, method = seeded_network(network, seed), Denoising()
    method.identity = method.identity | identity
    for state in train(model, method, data, config, device=CPU, folder=folder):
        if state.step == stop:
            break
    return model, state.average, state


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_training_lowers_the_loss():
    state = run(config=TrainConfig(steps=60, batch=8, learning_rate=3e-3, warmup=2))[2]
    assert sum(state.history[-10:]) < 0.9 * sum(state.history[:10])


@pytest.mark.parametrize("stop", [4, 7, 12])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, stop):
    run(tmp_path, stop)
    model, average, state = run(tmp_path)
    reference, reference_average, reference_state = run()
    assert same(model, reference) and same(average, reference_average)
    assert state.history == reference_state.history and state.step == 12


# Checkpoints after every step; in the run to be killed a pause after each, so that the kill meets a
# training in progress.
SCRIPT = """
import sys, time
from dataclasses import replace
from mpinotes.__main__ import main
from mpinotes.methods import METHODS
from mpinotes.training.checkpoint import Checkpoint

method = METHODS["sm_algorithm1"]
METHODS["sm_algorithm1"] = replace(method, training=replace(method.training, checkpoint_every=1))
if sys.argv[2] == "slow":
    store = Checkpoint.store
    Checkpoint.store = lambda *parts, **progress: (store(*parts, **progress), time.sleep(0.5))
sys.exit(main(["train", "sm_algorithm1", "--profile", "smoke", "--out", sys.argv[1], "--device", "cpu"]))
"""


def test_a_run_killed_by_sigkill_ends_with_the_same_bits(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
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


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        ({"config": replace(CONFIG, seed=1)}, "seed 0 instead of 1"),
        ({"config": replace(CONFIG, ema_decay=0.99905)}, "ema_decay 0.999 instead of 0.99905"),
        ({"method": "sharpening"}, "method denoising instead of sharpening"),
        ({"config": replace(CONFIG, steps=16), "gamma": 0.3}, "steps 12 instead of 16, gamma None instead of 0.3"),
        ({"network": replace(NETWORK, widths=(16,))}, "other starting weights"),
        ({"seed": 1}, "other starting weights"),
        ({"data": (DATA[0] + 0.01,)}, "other training data"),
        ({"data": (DATA[0][:8],)}, "other training data"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_checkpoint_of_another_run_is_refused_with_what_differs(tmp_path, other, difference):
    run(tmp_path, 4)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(ValueError, match=rf"another run \({difference}\): choose another output folder, or delete it"):
        run(tmp_path, **other)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_data_that_another_processor_rounds_otherwise_are_the_same(tmp_path):
    """Also what was fitted to them: its numbers stand in the identity of a method."""
    run(tmp_path, 4, sigma=(0.18345291912555695, 1.0))
    assert run(tmp_path, data=(DATA[0] * (1 + 1e-6),), sigma=(0.1834530532360077, 1.0))[2].step == 12


def test_a_run_configured_with_numbers_of_numpy_goes_on(tmp_path):
    numpy = TrainConfig(
        np.int64(12), np.int32(4), np.float64(4e-4), np.int64(2), np.float64(0.999), np.int16(4), np.uint8(0)
    )
    run(tmp_path, 4, config=numpy)
    assert run(tmp_path)[2].step == 12  # the same run, said in Python's own numbers


@pytest.mark.parametrize("field", ["steps", "batch", "warmup", "checkpoint_every", "seed"])
@pytest.mark.parametrize("value", [1e1, 2.0, np.float64(4.0), True, "4"])
def test_a_count_that_is_no_whole_number_is_refused(field, value):
    with pytest.raises(ValueError, match=f"^{field}: got .*whole number"):
        replace(CONFIG, **{field: value})


def test_a_folder_may_be_named_by_a_text(tmp_path):
    run(str(tmp_path), 4)
    assert run(str(tmp_path))[2].step == 12


def test_a_second_training_in_a_folder_is_refused_until_the_first_ends(tmp_path):
    pytest.importorskip("fcntl", reason="Needs a system with locks on files.")
    first = train(seeded_network(NETWORK, 0), Denoising(), DATA, CONFIG, device=CPU, folder=tmp_path)
    next(first)
    with pytest.raises(BlockingIOError, match="another process works in .*: wait until it ends, or choose another"):
        run(tmp_path)
    first.close()
    assert run(tmp_path)[2].step == 12


def test_a_truncated_checkpoint_is_refused(tmp_path):
    run(tmp_path, 4)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"checkpoint\.pt is damaged.*delete it"):
        run(tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run():
    nan = Of(lambda model, x: model(x, torch.ones(4)).sum() * float("nan"))
    with pytest.raises(FloatingPointError, match="learning rate"):
        next(train(seeded_network(NETWORK, 0), nan, DATA, CONFIG, device=CPU))


def test_a_gradient_that_is_not_finite_stops_the_run_before_it_spoils_the_network():
    model = seeded_network(NETWORK, 0)
    # √ has an infinite slope at its value zero.
    steep = Of(lambda model, x: (model(x, torch.ones(4)) * 0).sum().sqrt())
    with pytest.raises(FloatingPointError, match="gradient is nan at step 0 for a loss of 0"):
        next(train(model, steep, DATA, CONFIG, device=CPU))
    assert same(model, seeded_network(NETWORK, 0))


def test_a_loss_knows_how_much_of_the_training_is_done(tmp_path):
    """Also after a resume."""
    seen = []

    class Listening(Denoising):
        def loss(self, model, drawn, progress):
            seen.append(progress)
            return super().loss(model, drawn, progress)

    for stop in (4, 12):
        for state in train(seeded_network(NETWORK, 0), Listening(), DATA, CONFIG, device=CPU, folder=tmp_path):
            if state.step == stop:
                break
    assert seen == pytest.approx([step / 12 for step in range(12)])


def test_the_average_is_that_of_the_weights():
    """After one step it is the model itself, see `make_ema`."""
    model = seeded_network(NETWORK, 0)
    first = next(train(model, Denoising(), DATA, CONFIG, device=CPU))
    assert same(first.average, model) and first.average is not model


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
    state = TrainState(6, {}, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0], 0.0, torch.nn.Identity())
    assert state.curve(3) == [2.0, 6.0, 10.0] and state.curve() == state.history


def poisoned_at(step):
    """The loss of `Denoising`, with a NaN in its gradient at one step."""

    class Poisoned(Denoising):
        calls = 0

        def loss(self, model, drawn, progress):
            terms = super().loss(model, drawn, progress)
            if round(progress * CONFIG.steps) == step:
                terms = {"total": terms["total"] + (next(model.parameters()) * 0).sum().sqrt()}
            return terms

    return Poisoned()


@pytest.mark.parametrize("read_every", [1, 3, 20])
def test_a_nan_is_told_with_its_step_and_spoils_nothing_however_late_it_is_read(read_every, monkeypatch, tmp_path):
    """A GPU is asked now and then; what the steps in between would have done is not done."""
    monkeypatch.setitem(READ_EVERY, "cpu", read_every)
    model = seeded_network(NETWORK, 0)
    states = train(model, poisoned_at(6), DATA, CONFIG, device=CPU, folder=tmp_path)
    with pytest.raises(FloatingPointError, match="gradient is nan at step 6"):
        list(states)
    stored = load_checkpoint(tmp_path / "checkpoint.pt")
    assert len(stored["history"]) == 4
    assert same(model, run(config=CONFIG, stop=6)[0])  # as after step 5


def test_losses_that_are_read_now_and_then_are_the_same(monkeypatch):
    at_once = run()[2]
    monkeypatch.setitem(READ_EVERY, "cpu", 5)
    known = [len(state.history) for state in train(seeded_network(NETWORK, 0), Denoising(), DATA, CONFIG, device=CPU)]
    # The first step, then every fifth, and before each checkpoint.
    assert known == [1, 1, 1, 4, 4, 4, 4, 8, 8, 8, 8, 12]
    assert run()[2].history == at_once.history


def in_float16(monkeypatch):
    for module in (loop, precision):
        monkeypatch.setattr(module, "low_precision", lambda device: torch.float16)


def test_a_training_in_half_precision_learns_and_goes_on_with_the_same_bits(monkeypatch, tmp_path):
    """As on a GPU that has no bfloat16."""
    in_float16(monkeypatch)
    config = TrainConfig(steps=40, batch=8, learning_rate=3e-3, warmup=2, checkpoint_every=10)

    def forwards(model, x):
        return (precision.forward(model, x + 1, torch.ones(len(x))) - x).square().mean()

    def go(folder=None, stop=None):
        model = seeded_network(NETWORK, 0)
        for state in train(model, Of(forwards), DATA, config, device=CPU, folder=folder):
            if state.step == stop:
                break
        return model, state

    whole, state = go()
    go(tmp_path, 17)
    resumed, _ = go(tmp_path)
    assert same(whole, resumed)
    assert sum(state.history[-10:]) < 0.9 * sum(state.history[:10])
    assert load_checkpoint(tmp_path / "checkpoint.pt")["guard"]["scale"] > 1
