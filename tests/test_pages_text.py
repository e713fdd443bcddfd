"""What the pages of prose say of the package: names, defaults, commands, sections, exercises."""

import ast
import importlib
import importlib.util
import inspect
import json
import re
import subprocess
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest

from mpinotes.studies import STUDIES
from tests.test_import_floors import MAY_IMPORT

ROOT = Path(__file__).parent.parent
ROOMS = tuple(MAY_IMPORT)
# Names that a room keeps in a module of its own.
MODULES = ("diffusion.condition_decay", "methods.regression")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("*.md"))}
NOTEBOOKS = {
    path.stem: "\n\n".join(
        "".join(cell["source"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
    )
    for path in sorted((ROOT / "book").glob("*.ipynb"))
}
DRAWING = re.compile(r"^(?:plt\.show|show_(?!table|source)\w+|draw_\w+)\(", re.MULTILINE)
FIGURES = {
    f"{path.stem} {cell['id']}": cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
    for path in sorted((ROOT / "book").glob("*.ipynb"))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code" and DRAWING.search("".join(cell["source"]))
}
"""Cells that draw a figure, with their text for readers who cannot see it."""
NAME = r"[A-Za-z_][A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*(?:\([a-z_0-9]+\))?"


def member(owner, name):
    """An attribute, or the default of a dataclass's field."""
    if is_dataclass(owner):
        for field in fields(owner):
            if field.name == name:
                return field.default_factory() if field.default_factory is not MISSING else field.default
    return getattr(owner, name)


def resolve(name):
    """What a name of the pages stands for. Raises ``AttributeError`` where there is no such thing."""
    path, _, parameter = name.removesuffix(")").partition("(")
    first, *rest = path.split(".")
    for room in (*ROOMS, *MODULES):
        module = importlib.import_module(f"mpinotes.{room}")
        if hasattr(module, first):
            found = getattr(module, first)
        elif hasattr(module, "__path__") and importlib.util.find_spec(f"mpinotes.{room}.{first}"):
            found = importlib.import_module(f"mpinotes.{room}.{first}")
        else:
            continue
        for part in rest:
            found = member(found, part)
        if parameter and parameter not in inspect.signature(found).parameters:
            raise AttributeError(f"{path} has no parameter {parameter}")
        return found
    raise AttributeError(f"no {first} in the rooms")


def code_of(text):
    """The names of a page, and those that are written with their default."""
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"\{\w+(?::\w+)?\}`[^`]*`", "", text))
    names = [span for span in spans if re.fullmatch(NAME, span)]
    defaults = [match.groups() for span in spans if (match := re.fullmatch(rf"({NAME}) = (.+)", span))]
    return names, defaults


def test_every_name_of_the_notation_exists():
    rows = [line for line in PAGES["notation"].splitlines() if line.startswith("|") and line.count("|") == 6]
    rows = [line for line in rows if "in the code" not in line and not line.startswith("|---")]
    assert len(rows) > 100
    for row in rows:
        names, _ = code_of(row.split("|")[5])
        assert names or row.split("|")[5] == " – ", row
        for name in names:
            resolve(name)


def test_names_and_defaults_of_the_reading_are_the_package_s():
    names, defaults = code_of(PAGES["reading_the_papers"])
    records = {path.stem for path in (ROOT / "mpinotes/studies/records").glob("*.json")}
    for name in {*names} - records - {"runs"} - set(STUDIES):
        resolve(name)
    assert len(defaults) > 10
    for name, value in defaults:
        assert resolve(name) == ast.literal_eval(value), name


def test_verdicts_name_records_that_are_released():
    text = PAGES["reading_the_papers"]
    named = set(re.findall(r"\(record `(\w+)`\)", text))
    assert named and all((ROOT / f"mpinotes/studies/records/{name}.json").is_file() for name in named)


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_pages_exist(page):
    studies = set(re.findall(r"`python -m mpinotes study (\w+)`", PAGES[page]))
    targets = set(re.findall(r"`make ([\w-]+)`", PAGES[page]))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert studies <= set(STUDIES)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_teachers_page_names_sections_that_exist():
    headings = set(re.findall(r"^## (.+)$", "\n".join(NOTEBOOKS.values()), re.MULTILINE))
    named = set(re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", PAGES["teachers"]))
    assert len(named) > 20
    assert named <= headings


def test_the_glossary_is_in_order_and_has_each_term_once():
    (glossary,) = re.findall(r"```\{glossary\}\n(.*?)\n```", PAGES["notation"], re.DOTALL)
    entries = [re.findall(r"^\S.*$", entry, re.MULTILINE) for entry in glossary.split("\n\n")]
    terms = [term.lower() for entry in entries for term in entry]
    firsts = [entry[0].lower() for entry in entries]
    assert len(terms) == len(set(terms))
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("text", [*NOTEBOOKS.values(), *PAGES.values()], ids=[*NOTEBOOKS, *PAGES])
def test_every_exercise_has_one_folded_solution(text):
    exercises = re.findall(r"^```+\{exercise\}[^\n]*\n:label: (\S+)", text, re.MULTILINE)
    solutions = re.findall(r"^```+\{solution\} (\S+)\n:class: dropdown", text, re.MULTILINE)
    assert len(exercises) == text.count("{exercise}") and len(solutions) == text.count("{solution}")
    assert exercises == solutions
    # sphinx-exercise hides the content of {solution} alone: that of the gated form would stay.
    assert "{solution-start}" not in text


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_is_described_in_words(figure):
    assert len(FIGURES[figure].split()) >= 10 and FIGURES[figure].endswith(".")


def test_every_description_is_one_figure_s_own():
    described = [text for text in FIGURES.values() if text]
    assert len(described) == len(set(described)) > 20


def test_one_command_builds_the_book_without_solutions():
    command = ["make", "--dry-run", "--always-make", "book-without-solutions"]
    lines = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, encoding="utf-8").stdout
    (build,) = [line for line in lines.splitlines() if "jupyter-book build" in line]
    assert "VARIANT=without-solutions" in build and "--path-output _build/without-solutions" in build
