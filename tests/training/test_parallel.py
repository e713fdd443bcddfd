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
import sys, time
from dataclasses import replace
from pathlib import Path
import torch
from mpinotes.methods import METHODS
from mpinotes.networks import UNetConfig
from mpinotes.operators import Degradation
from mpinotes.training import TrainConfig, parallel, train

torch.set_num_threads(1)
parallel.join()
method = METHODS["dccdm"]
config = replace(method.config, degradation=Degradation(0.5), network=UNetConfig(widths=(8, 16)))
method = replace(method, config=config)
# 16³: over 2³ voxels the gradient of a bfloat16 convolution is not finite on some processors.
x = torch.rand(8, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
training = TrainConfig(int(sys.argv[2]), batch=4, warmup=2, checkpoint_every=2)
data = (config.degradation(x).clamp(0, 1), x)
states = train(method.build(0), method, data, training, device=torch.device("cpu"), folder=Path(sys.argv[1]))
try:
    for state in states:
        time.sleep(float(sys.argv[3]))
except ConnectionError as error:
    sys.exit(f"mpinotes: {error}")
parallel.leave()
"""


def start(tmp_path, folder, steps, processes, pause=0.0):
    script = tmp_path / "worker.py"
    script.write_text(WORKER, encoding="utf-8")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = (torchrun if processes > 1 else [sys.executable]) + [str(script), str(folder), str(steps), str(pause)]
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
