"""Many trainings side by side, on one machine or on several that share a disk."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from mpinotes.checks import check_choice, check_count
from mpinotes.files import AnyPath, alone_in
from mpinotes.methods import METHODS
from mpinotes.pretrained import released
from mpinotes.studies.profiles import Profile


@dataclass
class _Running:
    process: subprocess.Popen[bytes]
    log: Path


def train_all(
    names: Sequence[str], profile: Profile, runs: AnyPath, *, seed: int = 0, at_once: int = 1, device: str | None = None
) -> list[str]:
    """Train methods by name, `at_once` of them at a time, each in a process of its own and into `runs`/NAME;
    returns the names of those that failed.

    What is trained already is left alone, what was cut off goes on, and what another process trains is left to
    it: the same command on several machines that share `runs` divides the work. What each says goes to
    `runs`/NAME/log.txt; what is done and what is left is printed whenever it changes.

    :param names: of the methods.
    :param profile: says how much of the data each takes and how many steps at most.
    :param runs: the folder that holds a folder for each.
    :param seed: of all trainings.
    :param at_once: how many run side by side; several let a GPU work that one leaves idle.
    :param device: of all; by default they take turns on the GPUs, if there are any.

    >>> train_all([], get_profile("smoke"), "runs")
    []
    """
    for name in names:
        check_choice("method", name, METHODS)
    check_count("at_once", at_once)
    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] or ["cpu"]
    devices = [device] if device is not None else gpus
    waiting = [name for name in names if name not in released(Path(runs) / name)]
    running: dict[str, _Running] = {}
    done = [name for name in names if name not in waiting]
    failed: list[str] = []
    started = 0
    with _ended_with_us(running):
        while waiting or running:
            while waiting and len(running) < at_once:
                name = waiting.pop(0)
                if not _is_free(Path(runs) / name):
                    print(f"{name} is trained by another process", flush=True)
                    continue
                place = devices[started % len(devices)]
                running[name] = _start(name, profile, Path(runs) / name, seed, place, at_once)
                started += 1
                _report(done, running, waiting, failed)
            for name in _ended(running):
                ended = running.pop(name)
                (failed if ended.process.returncode else done).append(name)
                if ended.process.returncode:
                    print(f"{name} failed: {_last_line(ended.log)}", flush=True)
                _report(done, running, waiting, failed)
            time.sleep(0.2)
    return failed


def _start(name: str, profile: Profile, folder: Path, seed: int, device: str, at_once: int) -> _Running:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "mpinotes", "train", name, "--profile", profile.name, "--out", str(folder)]
    environment = dict(os.environ)
    if at_once > 1:  # threads of two trainings would wait for each other
        threads = max(1, (os.cpu_count() or 1) // at_once)
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    with open(folder / "log.txt", "ab") as log:
        process = subprocess.Popen(
            [*command, "--seed", str(seed), "--device", device], stdout=log, stderr=log, env=environment
        )
    return _Running(process, folder / "log.txt")


def _is_free(folder: Path) -> bool:
    try:
        with alone_in(folder):
            return True
    except BlockingIOError:
        return False


def _ended(running: dict[str, _Running]) -> Iterator[str]:
    yield from [name for name, one in running.items() if one.process.poll() is not None]


@contextmanager
def _ended_with_us(running: dict[str, _Running]) -> Iterator[None]:
    """Whatever ends this process ends the trainings, whose checkpoints stay."""
    try:
        yield
    finally:
        for one in running.values():
            one.process.terminate()
        for one in running.values():
            one.process.wait()


def _report(done: list[str], running: dict[str, _Running], waiting: list[str], failed: list[str]) -> None:
    groups = {"done": done, "in training": list(running), "left": waiting, "failed": failed}
    print("; ".join(f"{title}: {', '.join(names)}" for title, names in groups.items() if names), flush=True)


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")
