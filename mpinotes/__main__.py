"""Command line: ``python -m mpinotes train METHOD --profile full --out runs/METHOD``."""

import argparse
import hashlib
import json
import platform
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch

import mpinotes
from mpinotes.checks import check_choice
from mpinotes.data import HELD_OUT_TESTS, available_vessels, image_pairs, matrix_pairs
from mpinotes.display import IMAGE_MAP, show_projections
from mpinotes.evaluation import phase_of_peak
from mpinotes.files import save_atomically
from mpinotes.methods import METHODS, Recipe, dccdm, load, sm_synthesis
from mpinotes.methods.recipes import CALIBRATION_NOISE, TEST_SEED
from mpinotes.pretrained import save_release
from mpinotes.studies import STUDIES, get_profile, save_record
from mpinotes.studies.profiles import PROFILES
from mpinotes.studies.record_file import FOLDER as RECORDS
from mpinotes.training import TrainState, best_device, make_ema, parallel, train, with_bar


def train_method(name: str, profile: str, out: Path, seed: int, device: torch.device) -> None:
    """Train a method, judge it, and write its release (weights and card) to `out`. Resumes by itself."""
    check_choice("method", name, METHODS)
    sizes = get_profile(profile)
    run = {"method": name, "profile": profile, "seed": seed}
    if parallel.is_first():
        save_atomically(out / "run.json", json.dumps(run).encode())  # fails now rather than after hours
    recipe = METHODS[name](sizes, seed)
    model = recipe.model
    ema = make_ema(model, recipe.training.ema_decay)
    states = train(model, ema, recipe.loss, recipe.tensors, recipe.training, device=device, folder=out)
    *_, state = with_bar(states, recipe.training.steps, f"training {name}")
    if not parallel.is_first():
        return
    network = recipe.release(ema.module).half().float()  # as it will be stored
    print(f"judging {name} …", flush=True)
    card = _card(name, profile, seed, device, recipe, state, recipe.evaluate(network))
    save_release(name, network, card, out)
    print(f"wrote {out / name}.safetensors and its card")


def _card(
    name: str, profile: str, seed: int, device: torch.device, recipe: Recipe, state: TrainState,
    metrics: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    tensors = hashlib.md5(usedforsecurity=False)
    for tensor in recipe.tensors:
        tensors.update(tensor.numpy().tobytes())
    processor = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    workers = f"{parallel.processes()} × {torch.get_num_threads()}"
    return {
        "method": name,
        "profile": profile,
        "seed": seed,
        "version": mpinotes.__version__,
        "code": package_hash(),
        "device": f"{device.type} ({processor}, {workers} threads), torch {torch.__version__}",
        "data": {"source": recipe.data, "md5 of the training tensors": tensors.hexdigest()},
        "training": asdict(recipe.training),
        "seconds": round(state.seconds),
        "loss": state.curve(),
        "config": asdict(recipe.config),
        "metrics": metrics,
    }


def run_study(name: str, profile: str, runs: Path, records: Path) -> None:
    """Run a study and write its record."""
    check_choice("study", name, STUDIES)
    start = time.perf_counter()
    record = replace(
        STUDIES[name](get_profile(profile), runs),
        profile=profile,
        command=f"python -m mpinotes study {name} --profile {profile}",
        version=mpinotes.__version__,
        seconds=round(time.perf_counter() - start),
    )
    print(f"wrote {save_record(record, records)}")


def draw_pictures(out: Path) -> None:
    """The first test volume, its image and both enhancements, as in the README. For the front page, each
    alone: along z, y and x; and three noisy components of a core that no network saw."""
    volumes = available_vessels("test", 1).volumes
    pairs = image_pairs(volumes, seed=TEST_SEED)
    shown = {"x_HR": pairs.x_hr, "x_LR": pairs.x_lr}
    for name in ("ddpm", "dccdm"):
        trained = load(name)
        steps = trained.card["metrics"]["sampling_steps"]
        shown[name.upper()] = dccdm.enhance(trained.model, pairs.x_lr, trained.config, steps=steps)
    show_projections({title: volume[0, 0] for title, volume in shown.items()}).savefig(out, dpi=80)
    views = {
        name: torch.stack([shown[title][0, 0].amax(dim) for dim in range(3)])
        for name, title in (("truth", "x_HR"), ("before", "x_LR"), ("after", "DCCDM"))
    }
    orders = torch.tensor([[2, 4], [5, 5], [9, 4]])
    matrix = matrix_pairs([HELD_OUT_TESTS[1]], orders, noise=CALIBRATION_NOISE)
    trained = load("sm_algorithm1")
    steps = trained.card["metrics"]["sampling_steps"]
    made = sm_synthesis.synthesise(trained.model, matrix.low, orders, trained.config, steps=steps)
    turn = phase_of_peak(matrix.high)
    views |= {
        f"matrix_{name}": (1 + (images * turn)[:, 0].real) / 2
        for name, images in (("truth", matrix.high), ("before", matrix.low), ("after", made))
    }
    for name, images in views.items():
        pixels = torch.cat(list(images.flip(1)), dim=1).repeat_interleave(12, 0).repeat_interleave(12, 1)
        plt.imsave(out.with_name(f"front_{name}.png"), pixels.numpy(), vmin=0, vmax=1, cmap=IMAGE_MAP)


def package_hash() -> str:
    """Hash of the package's code and weights: what results and the book's cache depend on."""
    digest = hashlib.sha256()
    root = Path(mpinotes.__file__).parent
    for path in sorted(root.rglob("*")):
        if path.suffix in {".py", ".js", ".safetensors", ".json"}:
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status. Wrong use and known failures end with one clear line."""
    parser = argparse.ArgumentParser(prog="mpinotes", description=mpinotes.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "train", help="train a method and write its weights and card; resumes when run again, runs under torchrun"
    )
    command.add_argument("method", help=", ".join(METHODS))
    command.add_argument("--profile", default="full", help=", ".join(PROFILES))
    command.add_argument("--out", type=Path, required=True, help="folder for checkpoint, weights and card")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", type=torch.device, default=best_device(), help="cpu, cuda, cuda:1, …")
    study = commands.add_parser("study", help="run a study and rewrite its record; resumes when run again")
    study.add_argument("study", help=", ".join(STUDIES))
    study.add_argument("--profile", default="full", help=", ".join(PROFILES))
    study.add_argument("--runs", type=Path, default=Path("runs"), help="folder of trained methods and checkpoints")
    study.add_argument("--records", type=Path, default=RECORDS, help="folder the record goes to")
    picture = commands.add_parser(
        "picture", help="draw the pictures of README and front page from the released weights"
    )
    picture.add_argument("--out", type=Path, default=Path("book/result.png"))
    commands.add_parser("hash", help="print the hash of code and weights")
    options = parser.parse_args(arguments)
    if options.command == "hash":
        print(package_hash())
        return 0
    try:
        if options.command == "picture":
            draw_pictures(options.out)
            return 0
        if options.command == "study":
            run_study(options.study, options.profile, options.runs, options.records)
            return 0
        device = parallel.join() or options.device
        train_method(options.method, options.profile, options.out, options.seed, device)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"mpinotes: {error}", file=sys.stderr)
        return 1
    finally:
        parallel.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
