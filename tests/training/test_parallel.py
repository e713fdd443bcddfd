"""Two processes under torchrun against one."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from mpinotes.methods import METHODS
from mpinotes.training import TrainConfig, parallel, train
from mpinotes.training.checkpoint import load_checkpoint

WORKER = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
import torch
from mpinotes.methods import METHODS
from mpinotes.networks import UNetConfig
from mpinotes.operators import Degradation
from mpinotes.training import TrainConfig, parallel, train

torch.set_num_threads(1)
parallel.join(torch.device("cpu"))
method = METHODS["dccdm"]
config = replace(method.config, degradation=Degradation(0.5), network=UNetConfig(widths=(8, 16)))
method = replace(method, config=config)
# 16³: over 2³ voxels the gradient of a bfloat16 convolution is not finite on some processors.
x = torch.rand(8, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
training = TrainConfig(int(sys.argv[2]), batch=4, warmup=2, checkpoint_every=2)
data = (config.degradation(x).clamp(0, 1), x)
case, rank = sys.argv[4], os.environ.get("RANK", "0")
folder = Path(sys.argv[1], rank if case == "disks of their own" else "")
if case == "data of their own":
    data = (data[0], x + int(rank))
draw = type(method).draw


def draw_with_a_hole(self, *arguments):
    x_lr, *others = draw(self, *arguments)
    x_lr[-1, 0, 0, 0, 0] = float("nan")  # of the last process
    return x_lr, *others


if case == "one nan":
    type(method).draw = draw_with_a_hole
states = train(method.build(0), method, data, training, device=torch.device("cpu"), folder=folder)
try:
    for state in states:
        time.sleep(float(sys.argv[3]))
except (ConnectionError, ValueError, FloatingPointError) as error:
    print(f"mpinotes: {error}", flush=True)
    time.sleep(1)  # torchrun ends the others as soon as one has ended
    sys.exit(1)
parallel.leave()
"""


def start(tmp_path, folder, steps, processes, pause=0.0, case="usual"):
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = (torchrun if processes > 1 else [sys.executable]) + [
        str(script),
        str(folder),
        str(steps),
        str(pause),
        case,
    ]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        encoding="utf-8",
    )


def finish(process, timeout=120):
    output, _ = process.communicate(timeout=timeout)
    return process.returncode, output


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as file:
        return [int(child) for child in file.read().split()]


@pytest.fixture(scope="module")
def one_process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    code, output = finish(start(folder, folder / "run", 8, 1))
    assert code == 0, output
    return load_checkpoint(folder / "run" / "checkpoint.pt")


def same_run(path, reference):
    content = load_checkpoint(path)
    assert content["history"] == pytest.approx(reference["history"], rel=1e-3)
    assert len(set(reference["history"])) == 8
    for name, weights in reference["model"].items():
        torch.testing.assert_close(content["model"][name], weights, rtol=0, atol=2e-3)


def test_two_processes_follow_the_loss_curve_of_one(tmp_path, one_process):
    code, output = finish(start(tmp_path, tmp_path / "run", 8, 2))
    assert code == 0, output
    same_run(tmp_path / "run" / "checkpoint.pt", one_process)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Finds the workers through Linux's /proc.")
def test_a_worker_that_dies_ends_the_run_with_a_clear_message_and_it_resumes(tmp_path, one_process):
    process = start(tmp_path, tmp_path / "run", 8, 2, pause=0.5)
    checkpoint = tmp_path / "run" / "checkpoint.pt"
    for _ in range(600):
        if checkpoint.exists():
            break
        time.sleep(0.1)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    code, output = finish(process)
    assert code != 0
    assert "another process of this training has died" in output or "exitcode  : -9" in output, output
    assert load_checkpoint(checkpoint)["step"] < 8
    code, output = finish(start(tmp_path, tmp_path / "run", 8, 2))
    assert code == 0, output
    same_run(checkpoint, one_process)


def test_one_process_keeps_all_rows():
    x = torch.arange(4)
    assert parallel.join() is None and parallel.processes() == 1 and parallel.is_first()
    assert parallel.local_rows((x,))[0] is x


def test_a_batch_that_does_not_divide_is_refused(monkeypatch):
    monkeypatch.setattr(parallel, "processes", lambda: 3)
    states = train(torch.nn.Linear(1, 1), METHODS["unet"], (torch.ones(4, 1, 1, 1),), TrainConfig(2))
    with pytest.raises(ValueError, match="batch: got 8, accepted are multiples of the 3 processes"):
        next(states)


def test_processes_that_do_not_share_a_disk_are_refused_when_one_goes_on(tmp_path):
    """Averaged, a network that goes on and one that starts would be neither."""
    code, output = finish(start(tmp_path, tmp_path / "run" / "0", 4, 1))
    assert code == 0, output
    code, output = finish(start(tmp_path, tmp_path / "run", 4, 2, case="disks of their own"))
    assert code != 0
    said = "mpinotes: process 1 is not in the run of process 0 (step 0 instead of 4, other weights): give all"
    assert output.count(said) == 2, output


def test_processes_with_data_of_their_own_are_refused(tmp_path):
    code, output = finish(start(tmp_path, tmp_path / "run", 4, 2, case="data of their own"))
    assert code != 0 and output.count("(other training data): give all the same data") == 2, output
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_loss_that_is_not_finite_in_one_process_is_said_by_all(tmp_path):
    code, output = finish(start(tmp_path, tmp_path / "run", 4, 2, case="one nan"))
    assert code != 0 and output.count("mpinotes: loss is nan at step 0: lower the learning rate") == 2, output


VARIABLES = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


@pytest.fixture
def second_of_two(monkeypatch):
    """As torchrun's second process of two on this machine; keeps the backends that are asked for."""
    backends = []
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.distributed, "init_process_group", backends.append)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    return backends


@pytest.mark.parametrize("missing", ["RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_a_world_size_that_torchrun_did_not_set_is_said(second_of_two, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(
        ValueError, match=f"^WORLD_SIZE is 2, but there is no {missing}: start .* with torchrun, or unset"
    ):
        parallel.join()


def test_the_device_that_was_asked_for_holds_under_torchrun(second_of_two, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert parallel.join(torch.device("cpu")) == torch.device("cpu")
    assert parallel.join(torch.device("cuda")) == torch.device("cuda", 1)
    assert second_of_two == ["gloo", "nccl"]


@pytest.mark.parametrize("device, gpus", [("cuda:0", 2), ("cuda", 1)])
def test_one_gpu_for_two_processes_is_refused(second_of_two, monkeypatch, device, gpus):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    with pytest.raises(
        ValueError, match=f"^device: got '{device}' for process 1 of this machine, which has {gpus} GPUs"
    ):
        parallel.join(torch.device(device))


def test_processes_that_do_not_find_each_other_say_so(second_of_two, monkeypatch):
    def nobody(backend):
        raise RuntimeError("timed out")

    monkeypatch.setattr(torch.distributed, "init_process_group", nobody)
    with pytest.raises(ConnectionError, match="do not find each other: timed out"):
        parallel.join(torch.device("cpu"))
