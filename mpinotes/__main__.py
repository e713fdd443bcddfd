"""Command line: ``python -m mpinotes train METHOD --profile full --out runs/METHOD``."""

import argparse
import io
import os
import signal
import sys
from pathlib import Path

import mpinotes
from mpinotes.methods import METHODS
from mpinotes.studies import PROFILES, RECORDS, STUDIES, get_profile, run_study, train_all, train_method
from mpinotes.training import best_device, parallel, usable_device


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command and its options."""
    parser = argparse.ArgumentParser(prog="mpinotes", description=mpinotes.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "train", help="train a method and write its weights and card; resumes when run again, runs under torchrun"
    )
    command.add_argument("method", help=", ".join(METHODS))
    command.add_argument("--profile", default="full", help=", ".join(PROFILES))
    command.add_argument("--out", type=_folder, required=True, help="folder for checkpoint, weights and card")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", help="cpu, cuda, cuda:1, ...; by default the GPU, if there is one")
    several = commands.add_parser(
        "train-all", help="train methods side by side, on one machine or on several that share a disk; resumes"
    )
    several.add_argument("methods", nargs="+", help=", ".join(METHODS))
    several.add_argument("--profile", default="full", help=", ".join(PROFILES))
    several.add_argument("--runs", type=_folder, default=Path("runs"), help="folder that holds a folder for each")
    several.add_argument("--at-once", type=int, default=1, help="how many run side by side")
    several.add_argument("--seed", type=int, default=0)
    several.add_argument("--device", help="of all; by default they take turns on the GPUs, if there are any")
    study = commands.add_parser("study", help="run a study and rewrite its record; resumes when run again")
    study.add_argument("study", help=", ".join(STUDIES))
    study.add_argument("--profile", default="full", help=", ".join(PROFILES))
    study.add_argument("--runs", type=_folder, default=Path("runs"), help="folder of trained methods and checkpoints")
    study.add_argument("--records", type=_folder, default=RECORDS, help="folder the record goes to")
    return parser.parse_args(arguments)


def _folder(text: str) -> Path:
    return Path(os.path.expanduser(text))


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status. Wrong use, known failures and Ctrl-C end with one clear line."""
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # a title with a Greek letter must not end a study on an ASCII terminal
        sys.stdout.reconfigure(errors="backslashreplace")
    options = parse(arguments)
    try:
        if options.command == "study":
            path = run_study(options.study, get_profile(options.profile), options.runs, options.records)
            print(f"wrote {path}")
        elif options.command == "train-all":
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as a scheduler ends it: its trainings end, too
            if options.device is not None:
                usable_device(options.device)
            failed = train_all(
                options.methods, get_profile(options.profile), options.runs,
                seed=options.seed, at_once=options.at_once, device=options.device,
            )  # fmt: skip
            return 1 if failed else 0
        else:
            wanted = usable_device(options.device) if options.device is not None else None
            device = parallel.join(wanted) or wanted or best_device()
            train_method(options.method, get_profile(options.profile), options.out, options.seed, device)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"mpinotes: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mpinotes: stopped; the same command goes on from the last checkpoint", file=sys.stderr)
        return 130
    finally:
        parallel.leave()
    return 0


if __name__ == "__main__":
    sys.exit(main())
