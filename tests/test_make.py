"""The rules of the Makefile, run on a copy: pages never show numbers of another package, paths are found."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path):
    """The real Makefile and configuration in an empty folder; the environment is this one."""
    if not (BIN / "jupyter-book").is_file():
        pytest.skip("Needs jupyter-book beside this Python.")
    for name in ("Makefile", "_config.yml", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".installed").touch()
    return tmp_path


def run(project, *command):
    settings = os.environ | {"PYTHONPATH": str(project), "MEDMNIST_ROOT": ""}
    ended = subprocess.run(command, cwd=project, env=settings, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def make(project, target):
    run(project, "make", target, f"BIN={BIN}", "STAMP=.installed")


@pytest.mark.parametrize("name", ["links", "without-solutions"])
def test_configurations_in_the_build_folder_find_the_extensions(project, name):
    make(project, f"_build/{name}.yml")
    config = yaml.safe_load((project / f"_build/{name}.yml").read_text(encoding="utf-8"))
    found = {key: (project / "_build" / path).resolve() for key, path in config["sphinx"]["local_extensions"].items()}
    paths = CONFIG["sphinx"]["local_extensions"].items()
    assert found == {key: (project / path).resolve() for key, path in paths}


def test_a_page_shows_the_number_of_the_package_as_it_is(project):
    """And not without the Makefile's rule: the cache alone sees the notebook, which stays the same."""
    package = project / "mpinotes"
    shutil.copytree(ROOT / "mpinotes", package, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    (package / "constant.py").write_text("CONSTANT = 1001\n")
    (project / "_config.yml").write_text(yaml.safe_dump({"title": "Small", "execute": CONFIG["execute"]}))
    (project / "_toc.yml").write_text("format: jb-book\nroot: page\n")
    heading = nbformat.v4.new_markdown_cell("# Page")
    cell = nbformat.v4.new_code_cell("from mpinotes.constant import CONSTANT\n\nprint('it is', CONSTANT)")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[heading, cell], metadata=kernel), project / "page.ipynb")
    page = project / "_build/html/page.html"

    make(project, "book")
    assert "it is 1001" in page.read_text(encoding="utf-8")
    (package / "constant.py").write_text("CONSTANT = 22222\n")
    run(project, str(BIN / "jupyter-book"), "build", ".", "--all")
    assert "it is 1001" in page.read_text(encoding="utf-8")
    make(project, "book")
    assert "it is 22222" in page.read_text(encoding="utf-8")
