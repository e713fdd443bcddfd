"""The API pages: every public name has a docstring, an example that runs, and an entry."""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import posixpath
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import torch
import yaml

import mpinotes
from tests.test_import_floors import MAY_IMPORT

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "book" / "api"
MODULES = [module.name for module in pkgutil.walk_packages(mpinotes.__path__, "mpinotes.")]
PUBLIC = [(room, name) for room in MAY_IMPORT for name in importlib.import_module(f"mpinotes.{room}").__all__]


def documented_constants(room):
    """Names of the room's modules that a string follows."""
    found = set()
    for path in (Path(mpinotes.__file__).parent / room).glob("*.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        for before, after in pairwise(body):
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            if is_text and isinstance(before, ast.Assign | ast.AnnAssign):
                targets = before.targets if isinstance(before, ast.Assign) else [before.target]
                found |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return found


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name, capsys):
    """With what a reader of the page has imported: torch and the public names of the room."""
    module = importlib.import_module(name)
    room = importlib.import_module(".".join(name.split(".")[:2]))
    known = {"torch": torch} | {public: getattr(room, public) for public in getattr(room, "__all__", ())}
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, name, globs=known):
        runner.run(test)
    plt.close("all")
    assert runner.summarize(verbose=False).failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("room, name", PUBLIC, ids=map(".".join, PUBLIC))
def test_every_public_name_is_explained(room, name):
    value = getattr(importlib.import_module(f"mpinotes.{room}"), name)
    if inspect.isfunction(value) or inspect.isclass(value):
        assert value.__doc__ and ">>>" in value.__doc__, "wants a docstring with an example"
    elif inspect.ismodule(value):
        assert value.__doc__
    else:
        assert name in documented_constants(room), "wants a string below it"


def described(owner, name, value):
    """Every function, class and method of a public name, with the parameters of its own."""
    if inspect.ismodule(value):
        for inner, found in vars(value).items():
            if not inner.startswith("_") and getattr(found, "__module__", "") == value.__name__:
                yield from described(f"{owner}.{name}", inner, found)
    elif inspect.isclass(value):
        inherited = {field.name for base in value.__mro__[1:] if is_dataclass(base) for field in fields(base)}
        own = [field.name for field in fields(value)] if is_dataclass(value) else []
        yield f"{owner}.{name}", value, [field for field in own if field not in inherited]
        for inner, found in vars(value).items():
            if inspect.isfunction(found) and not inner.startswith("_"):
                yield f"{owner}.{name}.{inner}", found, [p for p in inspect.signature(found).parameters if p != "self"]
    elif inspect.isfunction(value):
        yield f"{owner}.{name}", value, list(inspect.signature(value).parameters)


@pytest.mark.parametrize("room, name", PUBLIC, ids=map(".".join, PUBLIC))
def test_five_parameters_and_more_have_a_line_each(room, name):
    for path, value, parameters in described(room, name, getattr(importlib.import_module(f"mpinotes.{room}"), name)):
        missing = [p for p in parameters if f":param {p}:" not in (value.__doc__ or "")]
        assert len(parameters) < 5 or not missing, f"{path}: no line for {', '.join(missing)}"


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """Names with an entry on the API pages, by page: the pages alone, built with the book's configuration."""
    pytest.importorskip("myst_parser")
    from sphinx.util.inventory import InventoryFile

    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("out")
    shutil.copytree(PAGES, source / "book/api")
    for chapter in ROOT.glob("book/*.ipynb"):  # the pages link to them
        (source / "book" / chapter.name).with_suffix(".md").write_text("# A chapter\n", encoding="utf-8")
    (source / "contents.md").write_text("# Contents\n\n```{toctree}\n:glob:\n\nbook/**\n```\n", encoding="utf-8")
    for page in (source / "book/api").glob("*.md"):
        page.write_text(page.read_text(encoding="utf-8").replace(".ipynb)", ".md)"), encoding="utf-8")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]
    chosen = {
        key: settings[key] for key in settings if key.startswith(("autodoc", "python", "default_role", "nitpick"))
    }
    lines = [f"{key} = {value!r}" for key, value in chosen.items()]
    lines += [
        "extensions = ['myst_parser', 'sphinx.ext.autodoc', 'book.tools.room_pages']",
        "root_doc, html_theme = 'contents', 'basic'",
    ]
    (source / "conf.py").write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-n", "--keep-going", str(source), str(out)]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONPATH": path}, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    with open(out / "objects.inv", "rb") as file:
        inventory = InventoryFile.load(file, "", posixpath.join)
    kinds = [kind for kind in inventory if kind.startswith("py:")]
    return {name: entry[2].split("#")[0] for kind in kinds for name, entry in inventory[kind].items()}


@pytest.mark.parametrize("room, name", PUBLIC, ids=map(".".join, PUBLIC))
def test_every_public_name_is_on_the_page_of_its_room(entries, room, name):
    assert entries.get(f"mpinotes.{room}.{name}") == f"book/api/{room}.html"


def test_the_api_pages_are_in_the_table_of_contents():
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert {page.stem for page in PAGES.glob("*.md")} == {"index", *MAY_IMPORT}
    assert all(f"file: book/api/{page.stem}\n" in contents for page in PAGES.glob("*.md"))
