"""The arrows of the house: imports only run downwards (design, section 2)."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mpinotes"
GROUND = {"physics", "operators", "diffusion", "networks"}
BELOW_METHODS = GROUND | {"data", "training", "evaluation", "pretrained"}
MAY_IMPORT = {
    "physics": set(),
    "operators": set(),
    "diffusion": set(),
    "networks": set(),
    "data": {"physics"},
    "training": {"networks", "diffusion", "operators"},
    "evaluation": set(),
    "pretrained": {"networks"},
    "methods": BELOW_METHODS,
    "display": BELOW_METHODS,
    "studies": BELOW_METHODS | {"methods"},
}
FILE_CALLS = {"open", "load", "save", "savez", "read_text", "read_bytes", "write_text", "write_bytes"}

files_of = {room: sorted((PACKAGE / room).rglob("*.py")) for room in MAY_IMPORT}
every_file = [(room, path) for room, paths in files_of.items() for path in paths]
ground_files = [path for room in sorted(GROUND) for path in files_of[room]]


def modules_imported(source, package):
    """Full names of everything imported, `from x import y` as x.y, relative imports resolved."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            names += [f"{base}.{alias.name}" for alias in node.names]
    return names


def rooms_imported(path):
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    names = [name.split(".") for name in modules_imported(path.read_text(encoding="utf-8"), package)]
    return {name[1] for name in names if name[0] == "mpinotes" and len(name) > 1}


def short(value):
    return str(value.relative_to(PACKAGE)) if isinstance(value, Path) else value


def test_every_way_to_write_an_import_is_understood():
    source = "import a.b, c\nfrom ..physics import x\ndef f():\n    from . import y\nfrom .. import data\n"
    found = modules_imported(source, "mpinotes.methods")
    assert sorted(found) == ["a.b", "c", "mpinotes.data", "mpinotes.methods.y", "mpinotes.physics.x"]


def test_every_room_has_a_floor():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize("room, path", every_file, ids=short)
def test_imports_only_run_downwards(room, path):
    assert rooms_imported(path) <= MAY_IMPORT[room] | {room, "validation", "files", "__version__"}


@pytest.mark.parametrize("module", ["validation.py", "files.py"])
def test_what_every_floor_may_use_imports_nothing_of_the_package(module):
    assert rooms_imported(PACKAGE / module) == set()


@pytest.mark.parametrize("path", ground_files, ids=short)
def test_the_ground_floor_neither_plots_nor_touches_files_nor_prints(path):
    source = path.read_text(encoding="utf-8")
    roots = {name.split(".")[0] for name in modules_imported(source, "mpinotes.room")}
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    called = {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}
    assert not roots & {"matplotlib", "logging", "IPython", "ipywidgets"} and "print" not in called
    if short(path) != "physics/mdf.py":  # what that module is for
        assert not roots & {"pathlib", "os", "io"} and not called & FILE_CALLS
    assert "tqdm" not in roots or short(path) == "diffusion/sampler.py"
