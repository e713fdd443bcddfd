"""What a training costs here, in five minutes: ``python -m tests.benchmarks.training``, part of ``make bench``.

Steps and calls of our networks, and against MONAI's U-Net in the same run where it is installed: the same batch,
precision, memory format, loop and data.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec

import torch

from mpinotes.data import ImagePairs, image_pairs, synthetic_vessels
from mpinotes.evaluation import psnr
from mpinotes.methods import METHODS, Method
from mpinotes.networks import seeded
from mpinotes.training import TrainConfig, TrainState, best_device, train

TARGET = 28.0
"""PSNR on validation volumes whose time is measured [dB]."""


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Best of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        _wait()
        times.append(time.perf_counter() - start)
    return min(times)


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def step_cost(method: Method, data: tuple[torch.Tensor, ...]) -> str:
    """What a training step takes, and on a GPU the memory at most."""
    steps = 20 if torch.cuda.is_available() else 3
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    training = replace(method.training, steps=steps + 3)
    states = train(method.build(0), method, data, training, device=best_device())
    for _ in range(3):
        next(states)
    _wait()
    start = time.perf_counter()
    for _ in states:
        pass
    _wait()
    cost = f"{1e3 * (time.perf_counter() - start) / steps:9.1f} ms"
    if torch.cuda.is_available():
        cost += f", {torch.cuda.max_memory_allocated() / 2**20:6.0f} MiB at most"
    return cost


def bench_steps() -> None:
    """Our image network at three sizes, and the matrix network."""
    for side in (16, 32, 64):
        x_hr = synthetic_vessels(16, side).round()
        print(f"step of DCCDM, 8 × {side}³:  {step_cost(METHODS['dccdm'], (x_hr / 2, x_hr))}", flush=True)
    method = METHODS["sm_aware"]
    low, orders = torch.rand(64, 2, 32, 32) + 0j, torch.ones(64, 2, dtype=torch.int64)
    cost = step_cost(method, (low / 2, low / 2, orders))
    print(f"step on matrices, {method.training.batch} × 32²:{cost}", flush=True)


def trained_until(
    network: torch.nn.Module, pairs: ImagePairs, enough: Callable[[float, float], bool]
) -> dict[str, float]:
    """Train a network as DDPM until `enough` (seconds, validation PSNR every few of them); how far it came."""
    method, device = METHODS["ddpm"], best_device()
    validation = image_pairs(synthetic_vessels(32, 32, seed=1).round(), seed=1)
    config = TrainConfig(100_000, learning_rate=6e-4, warmup=20, ema_decay=0.98)
    states: Iterator[TrainState] = train(network, method, (pairs.x_lr, pairs.x_hr), config, device=device)
    spent, steps, reached = 0.0, 0, 0.0
    next(states)
    while not enough(spent, reached):
        _wait()
        start = time.perf_counter()
        while time.perf_counter() - start < (2 if device.type == "cuda" else 15):
            state = next(states)
            steps += 1
        _wait()
        spent += time.perf_counter() - start
        reached = psnr(method.apply(state.average, validation.x_lr, steps=1), validation.x_hr).mean().item()
    call = seconds(lambda: method.apply(network, validation.x_lr, steps=1), 2)
    return {"seconds": spent, "steps": steps, "psnr": reached, "call": call / 32}


def bench_training(limit: float = 120.0, longest: float = 900.0) -> None:
    """Time to a PSNR with our U-Net, and how far MONAI's comes in `limit` seconds beside ours."""
    pairs = image_pairs(synthetic_vessels(256, 32).round())
    bench_steps()
    ours = trained_until(METHODS["ddpm"].build(0), pairs, lambda spent, reached: reached >= TARGET or spent > longest)
    print(f"DDPM reaches {ours['psnr']:.2f} dB after {ours['seconds']:.0f} s ({ours['steps']:.0f} steps)", flush=True)
    peers = {"ours": METHODS["ddpm"].build(0)}
    if find_spec("monai") is not None:
        from tests.benchmarks.peer import MonaiUNet  # a package that only `make bench` installs

        peers["MONAI"] = seeded(MonaiUNet, 0)
    results = {}
    for name, network in peers.items():
        results[name] = row = trained_until(network, pairs, lambda spent, reached: spent > limit)
        millions, speed = sum(p.numel() for p in network.parameters()) / 1e6, 8 * row["steps"] / row["seconds"]
        print(
            f"U-Net, {name:6} {millions:.2f} M: {speed:7.1f} volumes/s training, {1 / row['call']:7.1f} per call; "
            f"{row['psnr']:.2f} dB after {row['seconds']:.0f} s ({row['steps']:.0f} steps)",
            flush=True,
        )
    if len(results) == 2:
        steps = [results[name]["seconds"] / results[name]["steps"] for name in ("MONAI", "ours")]
        calls = [results[name]["call"] for name in ("MONAI", "ours")]
        ratios = f"{steps[0] / steps[1]:.1f}× and samples {calls[0] / calls[1]:.1f}×"
        print(f"                       ours trains {ratios} as many volumes per second")


if __name__ == "__main__":
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    print(f"torch {torch.__version__}, {name}")
    bench_training()
