"""The rules of the Makefile, run on a tiny book: what they build, and that pages never show old numbers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml

import mpinotes

ROOT = Path(__file__).parent.parent
CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
BIN = Path(sys.executable).parent
TEXT = """# Page

````{exercise}
:label: count

Easy. Count.
````

````{solution} count
:class: dropdown

It is seven, as [nobody](http://127.0.0.1:9/answers) says.
````"""


@pytest.fixture
def project(tmp_path):
    """The real Makefile and a book of one page in an empty folder; the environment is this one."""
    if not (BIN / "jupyter-book").is_file():
        pytest.skip("Needs jupyter-book beside this Python.")
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".installed").touch()
    configure(tmp_path, {"book.tools.variants": ".", "book.tools.costs": "."})
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: page\n", encoding="utf-8")
    write_page(tmp_path, "print('it is', 6 * 7)")
    return tmp_path


def configure(project, extensions):
    kept = {name: CONFIG[name] for name in ("execute", "repository", "launch_buttons")}
    sphinx = {"extra_extensions": ["sphinx_exercise"], "local_extensions": extensions}
    (project / "_config.yml").write_text(yaml.safe_dump({"title": "Small", "sphinx": sphinx, **kept}), encoding="utf-8")


def write_page(project, code):
    cells = [nbformat.v4.new_markdown_cell(TEXT), nbformat.v4.new_code_cell(code)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), project / "page.ipynb")


def settings(project):
    return os.environ | {"PYTHONPATH": f"{project}:{ROOT}", "MEDMNIST_ROOT": "", "VARIANT": ""}


def run(project, *command):
    ended = subprocess.run(command, cwd=project, env=settings(project), capture_output=True, encoding="utf-8")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def rule(*targets):
    return ["make", *targets, f"BIN={BIN}", "STAMP=.installed"]


def read(page):
    return page.read_text(encoding="utf-8")


def test_make_alone_prints_what_it_can_do():
    (targets,) = re.findall(r"(?m)^\.PHONY: (.+)$", read(ROOT / "Makefile"))
    lines = run(ROOT, "make", "--no-print-directory").splitlines()
    assert sorted(line.split()[1] for line in lines) == sorted(targets.split())
    assert all(len(line.split()) > 3 for line in lines)


def test_a_page_shows_the_number_of_the_package_as_it_is(project):
    package, page = project / "mpinotes", project / "_build/html/page.html"
    shutil.copytree(ROOT / "mpinotes", package, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    write_page(project, "from mpinotes.constant import CONSTANT\n\nprint('it is', CONSTANT)")
    for number in (1001, 22222):
        (package / "constant.py").write_text(f"CONSTANT = {number}\n", encoding="utf-8")
        run(project, *rule("book"))
        assert f"it is {number}" in read(page)
    # And not without the extension: the cache alone sees the notebook, which stays the same.
    configure(project, {})
    run(project, *rule("book"))
    (package / "constant.py").write_text("CONSTANT = 333\n", encoding="utf-8")
    run(project, str(BIN / "jupyter-book"), "build", ".", "--all")
    assert "it is 22222" in read(page)


def test_a_build_says_what_each_chapter_cost_and_what_came_from_the_cache(project):
    costs = project / "_build/costs.txt"
    lines = (
        (r" +(\S+) s  page\n +\1 s  together, \1 s of them in this build\n", []),
        (r" +(\S+) s  page \(from the cache\)\n +\1 s  together, 0.0 s of them in this build\n", ["--all"]),
    )
    for expected, options in lines:
        printed = run(project, str(BIN / "jupyter-book"), "build", ".", *options)
        assert re.fullmatch(expected, costs.read_text(encoding="utf-8")), costs.read_text(encoding="utf-8")
        assert costs.read_text(encoding="utf-8") in printed


def test_the_wheel_holds_weights_records_and_scripts_of_this_version(project):
    shutil.copytree(ROOT / "mpinotes", project / "mpinotes", ignore=shutil.ignore_patterns("__pycache__"))
    (project / "README.md").touch()
    run(project, *rule("wheel"))
    (wheel,) = (project / "dist").iterdir()
    assert wheel.name == f"mpinotes-{mpinotes.__version__}-py3-none-any.whl"
    packed = set(zipfile.ZipFile(wheel).namelist())
    for pattern in (
        "*.py",
        "pretrained/*.safetensors",
        "pretrained/*.json",
        "studies/records/*.json",
        "display/page_scripts/*",
    ):
        files = {f"mpinotes/{path.relative_to(ROOT / 'mpinotes')}" for path in ROOT.glob(f"mpinotes/{pattern}")}
        assert files and files <= packed, pattern


def test_the_book_for_a_class_holds_no_solutions_and_no_sources(project):
    run(project, *rule("book", "book-without-solutions"))
    html, for_a_class = project / "_build/html", project / "_build/without-solutions/_build/html"
    for folder, holds in ((html, True), (for_a_class, False)):
        page = read(folder / "page.html")
        assert "Easy. Count." in page and "it is 42" in page
        assert ("It is seven" in page) == holds
        assert ("download-buttons" in page) == holds
        assert (folder / "_sources/page.ipynb").is_file() == holds


def test_broken_links_are_reported_and_fail_nothing(project):
    write_page(project, "raise RuntimeError('no notebook runs')")
    assert "[broken] http://127.0.0.1:9/answers" in run(project, *rule("links"))
    assert not (project / "_build/.jupyter_cache").exists()


def test_the_preview_builds_again_when_a_page_or_the_configuration_changes(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def wait_for(text):
        last = time.monotonic() + 120
        while time.monotonic() < last:
            time.sleep(0.5)
            try:
                page = urllib.request.urlopen(f"http://127.0.0.1:{port}/page.html").read().decode()
            except OSError:
                continue
            if text in page:
                return
        pytest.fail(f"no {text!r} on the page\n" + read(log))

    log = project / "_build/log"
    log.parent.mkdir()
    with log.open("w", encoding="utf-8") as file:
        preview = subprocess.Popen(
            rule("preview", f"PORT={port}"), cwd=project, env=settings(project),
            stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for("it is 42")
        write_page(project, "print('it is', 6 * 8)")
        wait_for("it is 48")
        (project / "_config.yml").write_text(read(project / "_config.yml").replace("Small", "Larger"), encoding="utf-8")
        wait_for("Larger</title>")
        time.sleep(3)  # what a build writes would be seen by now
        changes = ", ".join(re.findall(r"Detected changes \((.+)\)", read(log))).split(", ")
        assert set(changes) == {"page.ipynb", "_config.yml"}
    finally:
        os.killpg(preview.pid, signal.SIGTERM)
        preview.wait()
