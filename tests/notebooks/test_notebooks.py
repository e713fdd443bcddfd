"""Every chapter runs alone in the smoke profile, its own asserts included: from nothing, in an empty
folder, with every connection refused. The code in its solutions runs after its cells, in the same run."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest

from tests.chapters import NOTEBOOKS, solution_code

OFFLINE = Path(__file__).parent / "offline"


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """Kernels, and what they start, have no network."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])]))


def run(path, folder):
    """Execute the notebook in `folder`; the result lies beside it, not in it."""
    folder.mkdir()
    out = folder.with_suffix(".ipynb")
    options = {"cwd": folder, "kernel_name": "python3", "progress_bar": False}
    return papermill.execute_notebook(path, out, {"profile": "smoke"}, **options)


def printed_by(notebook):
    return [o.get("text", "") for c in notebook.cells for o in c.get("outputs", []) if o.get("name") == "stdout"]


def with_solutions(path, folder):
    """A copy of the notebook that runs its solutions at the end: each on what the chapter left, not on another's."""
    notebook = nbformat.read(path, as_version=4)
    for label, code in solution_code(path):
        source = f"exec(compile({code!r}, 'solution of {label}', 'exec'), dict(globals()))"
        notebook.cells.append(nbformat.v4.new_code_cell(source))
    copy = folder / path.name
    nbformat.write(notebook, copy)
    return copy


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_alone_in_the_smoke_profile(path, tmp_path):
    run(with_solutions(path, tmp_path), tmp_path / "here")
    assert not list((tmp_path / "here").iterdir()), "leaves files where it runs"


def test_without_real_data_a_chapter_says_so_in_a_visible_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    path = next(path for path in NOTEBOOKS if "degradation" in path.stem)
    assert any("SYNTHETIC vessels" in text for text in printed_by(run(path, tmp_path / "here")))


@pytest.mark.parametrize(
    "attempt",
    [
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1', timeout=1)",
        "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "import socket; socket.getaddrinfo('example.org', 443)",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 53))",
        "import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80, 0, 0))",
    ],
)
def test_every_way_out_is_refused(attempt):
    ended = subprocess.run([sys.executable, "-c", attempt], capture_output=True, encoding="utf-8")
    assert ended.returncode == 1 and "the network is refused in this test" in ended.stderr


def test_this_machine_may_be_talked_to():
    code = "import socket; s = socket.create_server(('localhost', 0)); socket.create_connection(s.getsockname()[:2])"
    subprocess.run([sys.executable, "-c", code], check=True)
