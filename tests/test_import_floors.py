"""The arrows of the house: imports only run downwards, and never in a circle (CONTRIBUTING, where things live)."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mpinotes"
EVERYWHERE = {"checks", "draw", "files", "numerics", "__version__"}
BELOW_DATA = {"physics", "operators", "diffusion", "networks", "reconstruction"}
BELOW_METHODS = BELOW_DATA | {"scanner_files", "data", "training", "evaluation", "pretrained"}
MAY_IMPORT = {
    "physics": set(),
    "operators": set(),
    "diffusion": set(),
    "networks": set(),
    "reconstruction": {"physics"},
    "scanner_files": {"physics"},
    "data": {"physics", "reconstruction"},
    "training": {"networks"},
    "evaluation": set(),
    "pretrained": set(),
    "methods": BELOW_METHODS,
    "display": BELOW_METHODS | {"methods"},
    "studies": BELOW_METHODS | {"methods"},
}
FILE_CALLS = {"open", "load", "save", "savez", "read_text", "read_bytes", "write_text", "write_bytes"}

files_of = {room: sorted((PACKAGE / room).rglob("*.py")) for room in MAY_IMPORT}
every_file = [(room, path) for room, paths in files_of.items() for path in paths]
files_below_data = [path for room in sorted(BELOW_DATA) for path in files_of[room]]


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


def names_imported(path):
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    names = modules_imported(path.read_text(encoding="utf-8"), package)
    return [name for name in names if name.startswith("mpinotes.")]


def rooms_imported(path):
    return {name.split(".")[1] for name in names_imported(path)}


def file_of(name):
    """The file of the module that a name is or lies in, for an import of it: the package's own file only where
    there is no module of that name."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py", path.parent.with_suffix(".py")):
        if candidate.is_file():
            return candidate
    return path.parent / "__init__.py"


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
    assert rooms_imported(path) <= MAY_IMPORT[room] | EVERYWHERE | {room}


@pytest.mark.parametrize("module", ["checks.py", "draw.py", "files.py", "numerics.py"])
def test_what_every_floor_may_use_imports_nothing_of_the_package(module):
    assert rooms_imported(PACKAGE / module) == set()


def test_no_module_imports_in_a_circle():
    """Imports inside functions and under TYPE_CHECKING included; ``static_order`` names the circle it finds."""
    graph = {path: {file_of(name) for name in names_imported(path)} - {path} for path in PACKAGE.rglob("*.py")}
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


@pytest.mark.parametrize("path", files_below_data, ids=short)
def test_nothing_below_the_data_plots_or_touches_files_or_prints(path):
    source = path.read_text(encoding="utf-8")
    roots = {name.split(".")[0] for name in modules_imported(source, "mpinotes.room")}
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    called = {call.id if isinstance(call, ast.Name) else getattr(call, "attr", "") for call in calls}
    assert not roots & {"matplotlib", "logging", "IPython", "ipywidgets", "pathlib", "os", "io"}
    assert not called & (FILE_CALLS | {"print"})
    assert "tqdm" not in roots or short(path) == "diffusion/sampler.py"
