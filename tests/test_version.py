"""A chapter, its links and what it installs are of one version, that of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

import mpinotes
from book.tools import version as book_version
from tests.colab.__main__ import redirected

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_notebook_installs_the_package_of_its_own_version(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    second = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][1]
    assert "".join(second["source"]) == book_version.install_cell(mpinotes.__version__), "run: make version"
    assert book_version.find_install_cell(notebook) is second
    assert second["metadata"]["tags"] == ["hide-input"]


@pytest.fixture
def first_run(monkeypatch, tmp_path):
    """Run the install cell in an empty folder where there is no mpinotes yet and pip ends with this status.
    Returns what pip was asked to install."""
    monkeypatch.chdir(tmp_path)

    def run(status):
        commands = []

        def pip(command, **_):
            commands.append(command)
            return SimpleNamespace(returncode=status, stderr="fatal: unable to access the address")

        with monkeypatch.context() as patch:
            patch.setattr("importlib.util.find_spec", lambda name: None if name == "mpinotes" else True)
            patch.setattr("importlib.metadata.version", lambda name: "9.9")
            patch.setattr("subprocess.run", pip)
            exec(book_version.install_cell("1.2.3"), {"profile": "smoke"})
        (command,) = commands
        assert command[:5] == [sys.executable, "-m", "pip", "install", "-q"]
        return command[5:]

    return run


def test_the_install_cell_takes_the_tag_and_keeps_what_colab_brings(first_run):
    kept = ["torch==9.9", "torchvision==9.9", "numpy==9.9"]
    assert first_run(0) == [f"mpinotes @ git+{book_version.ADDRESS}@v1.2.3", *kept]


def test_the_install_cell_takes_a_wheel_of_its_version_that_lies_beside_the_notebook(first_run, tmp_path):
    for version in ("1.2.2", "1.2.3", "1.2.30"):
        (tmp_path / f"mpinotes-{version}-py3-none-any.whl").touch()
    assert first_run(0)[0] == "mpinotes-1.2.3-py3-none-any.whl"


def test_the_install_cell_ends_in_a_sentence_that_says_what_to_do(first_run, capsys):
    with pytest.raises(SystemExit, match="make wheel.*repository on Drive.*fork.*pyproject.toml"):
        first_run(1)
    assert "fatal: unable to access" in capsys.readouterr().out


def test_what_opens_on_colab_and_what_the_readme_installs_is_of_that_version_too():
    tag, readme = f"v{mpinotes.__version__}", (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"/blob/([^/]+)/", readme)) == {tag}
    assert f'pip install "mpinotes @ git+{book_version.ADDRESS}@{tag}"' in readme
    assert yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["branch"] == tag


def test_one_command_writes_a_new_version_everywhere(tmp_path):
    (tmp_path / "book").mkdir()
    for path in (NOTEBOOKS[0], ROOT / "README.md", ROOT / "_config.yml", ROOT / "CITATION.cff"):
        shutil.copy(path, tmp_path / path.relative_to(ROOT))
    book_version.write(tmp_path, "7.8.9")
    notebook = json.loads((tmp_path / "book" / NOTEBOOKS[0].name).read_text(encoding="utf-8"))
    assert "mpinotes@v7.8.9" in "".join(book_version.find_install_cell(notebook)["source"])
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "/blob/v7.8.9/book/" in readme and f"mpinotes @ git+{book_version.ADDRESS}@v7.8.9" in readme
    assert yaml.safe_load((tmp_path / "_config.yml").read_text(encoding="utf-8"))["repository"]["branch"] == "v7.8.9"
    assert yaml.safe_load((tmp_path / "CITATION.cff").read_text(encoding="utf-8"))["version"] == "7.8.9"
    book_version.write(tmp_path, book_version.current())
    for name in ("README.md", f"book/{NOTEBOOKS[0].name}"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")


def test_the_address_redirects_to_a_clone_as_the_colab_imitation_does(tmp_path):
    """The first cell stays as it is while git takes its address from a folder."""
    environment = {"PATH": os.environ["PATH"], **redirected(ROOT)}
    command = ["git", "ls-remote", book_version.ADDRESS, "HEAD"]
    head = subprocess.run(command, env=environment, capture_output=True, check=True, encoding="utf-8").stdout.split()[0]
    assert re.fullmatch("[0-9a-f]{40}", head)
