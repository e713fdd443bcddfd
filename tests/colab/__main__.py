"""Colab, imitated: a fresh environment with Colab's versions of all that it brings, a folder with one notebook.

The versions stand in `packages.txt`. The first cell runs as it is. Git takes the book's address from a copy
of this working tree that has the version's tag, so the cell installs what would be released; what it needs
besides comes from the package index. What Colab brought must be afterwards what it was before.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import mpinotes
from book.tools.version import ADDRESS, ROOT

PACKAGES = Path(__file__).with_name("packages.txt")


def brought(replacements: list[str]) -> dict[str, str]:
    """The versions of `packages.txt`; a replacement, ``name==version``, takes the place of its line."""
    lines = [line for line in PACKAGES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split("==") for line in [*lines, *replacements])


def released(folder: Path) -> Path:
    """A bare repository in `folder`: its tag holds the working tree, uncommitted changes included, its
    branch nothing, so that only the tag installs."""

    def git(*arguments: str, **variables: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(
            command,
            env=os.environ | variables,
            check=True,
            capture_output=True,
            encoding="utf-8",
        ).stdout.strip()

    bare = folder / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(bare)], check=True)
    shutil.copy(git("rev-parse", "--absolute-git-dir") + "/index", folder / "index")
    index = {"GIT_INDEX_FILE": str(folder / "index")}  # a copy: the real one stays as it is
    git("add", "--all", **index)
    author = {f"GIT_{who}_{what}": "colab" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    nothing = git("hash-object", "-t", "tree", "-w", os.devnull)
    for tree, name in ((nothing, "heads/main"), (git("write-tree", **index), f"tags/v{mpinotes.__version__}")):
        commit = git("commit-tree", tree, "-m", name, **author)
        git("push", "--quiet", str(bare), f"{commit}:refs/{name}")
    return bare


def redirected(remote: Path) -> dict[str, str]:
    """Variables by which git fetches `remote` instead of the book's address."""
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.file://{remote}.insteadOf",
        "GIT_CONFIG_VALUE_0": ADDRESS,
    }


def machine(folder: Path, python: str, packages: dict[str, str]) -> Path:
    """A new environment of `python` with `packages`, and papermill to run notebooks; returns its Python."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    pins = [f"{name}=={version}" for name, version in packages.items()]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *pins, "papermill"], check=True)
    subprocess.run([python, "-m", "ipykernel", "install", "--sys-prefix"], check=True, capture_output=True)
    return python


def versions(python: Path, names: Iterable[str]) -> dict[str, str]:
    """Versions of the distributions `names` in the environment of `python`."""
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    return json.loads(subprocess.run([python, "-c", code, *names], check=True, capture_output=True).stdout)


def run(python: Path, notebook: Path, folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run a copy of `notebook`, alone in the new `folder`, in the smoke profile; returns its seconds, and
    those of processor time."""
    folder.mkdir()
    shutil.copy(notebook, folder)
    command = [python, "-m", "papermill", notebook.name, "out.ipynb", "--no-progress-bar", "-k", "python3"]
    start, used = time.perf_counter(), processor_seconds()
    ended = subprocess.run([*command, "-p", "profile", "smoke"], cwd=folder, env=environment, capture_output=True)
    if ended.returncode:
        cells = json.loads((folder / "out.ipynb").read_text(encoding="utf-8"))["cells"]
        printed = ["".join(o.get("text", ())) for c in cells for o in c.get("outputs", ())]
        raise RuntimeError("\n".join([*printed, ended.stderr.decode()[-1500:]]))
    return time.perf_counter() - start, processor_seconds() - used


def processor_seconds() -> float:
    """Of all processes that were started here and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.colab", description=__doc__)
    parser.add_argument("packages", nargs="*", help="versions instead of those of packages.txt: torch==… numpy==…")
    parser.add_argument("--python", default="python3.12", help="Colab's by default")
    parser.add_argument("--only", default="", help="notebooks whose name holds this")
    options = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    notebooks = sorted(path for path in (ROOT / "book").glob("*.ipynb") if options.only in path.name)
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment |= redirected(released(folder))
        packages = brought(options.packages)
        python = machine(folder / "machine", options.python, packages)
        environment["PATH"] = f"{python.parent}:{environment['PATH']}"
        before = versions(python, packages)
        print("the machine has", before, flush=True)
        for notebook in notebooks:
            try:
                seconds, used = run(python, notebook, folder / notebook.stem, environment)
            except RuntimeError as error:
                failed.append(notebook.name)
                print(f"{notebook.name}: FAILED\n{error}", flush=True)
            else:
                print(f"{notebook.name}: {seconds:.0f} s, processors {used:.0f} s", flush=True)
            after = versions(python, packages)
            if changed := {name: version for name, version in after.items() if version != before[name]}:
                failed.append(f"{notebook.name} changed versions: {changed}")
        print("after all of them", versions(python, ["mpinotes"]))
    print("\n".join(["failed:", *failed]) if failed else f"{len(notebooks)} notebooks passed")
    return len(failed) > 0


if __name__ == "__main__":
    sys.exit(main())
