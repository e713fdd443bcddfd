"""Write the package's version wherever a reader of that version needs it: `make version`.

Its one place is `mpinotes/__init__.py`. A chapter opened on Colab must install the package it was
written for, so the version stands in the first cells and in the links to Colab; README installs it, and
CITATION.cff cites it.
"""

import json
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ADDRESS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]
CELL = """\
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

if find_spec("mpinotes") is None:  # on Colab: its own torch and numpy stay
    wheel = [str(path) for path in Path().glob("mpinotes-{version}-*.whl")]  # one that was uploaded
    source = [*wheel, "mpinotes @ git+{address}@v{version}"][0]
    kept = [f"{{name}}=={{version(name)}}" for name in ("torch", "torchvision", "numpy") if find_spec(name)]
    pip = subprocess.run([sys.executable, "-m", "pip", "install", "-q", source, *kept], capture_output=True, text=True)
    if pip.returncode:
        print(pip.stderr)
        sys.exit(
            f"{{source}} cannot be installed. Upload the wheel of `make wheel` beside this notebook and run this cell "
            "again, or `%pip install` the folder of the repository on Drive. A fork writes its own address into "
            "pyproject.toml and says `make version`."
        )

from mpinotes.studies import workplace

runs = workplace(profile)"""


def install_cell(version: str) -> str:
    """The second code cell of every notebook."""
    return CELL.format(address=ADDRESS, version=version)


def current() -> str:
    """The version as `mpinotes/__init__.py` states it."""
    source = (ROOT / "mpinotes/__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)[0]


def find_install_cell(notebook: dict) -> dict:
    """The one code cell of a notebook that installs the package."""
    (cell,) = (c for c in notebook["cells"] if c["cell_type"] == "code" and "mpinotes @ git+" in "".join(c["source"]))
    return cell


def write(root: Path, version: str) -> None:
    """Write `version` into everything below `root` that carries it."""
    for path in sorted(root.glob("book/*.ipynb")):
        text = path.read_text(encoding="utf-8")
        notebook = json.loads(text)
        find_install_cell(notebook)["source"] = install_cell(version).splitlines(keepends=True)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, pattern, replacement in (
        ("README.md", r"(/blob/|git\+\S+@)v[\w.]+", rf"\g<1>v{version}"),
        ("_config.yml", r"(?m)^(  branch: ).+$", rf"\g<1>v{version}"),
        ("CITATION.cff", r"(?m)^(version: ).+$", rf"\g<1>{version}"),
    ):
        path = root / name
        path.write_text(re.sub(pattern, replacement, path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write(ROOT, current())
    print(f"version {current()} written: commit, then `git tag v{current()}` and push the tag")
