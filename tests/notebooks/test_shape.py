"""The shape that readers, Colab and papermill rely on: cells, sections, exercises and their solutions."""

import ast
import importlib
import json
import re
from collections import Counter

import pytest

from tests.chapters import CHAPTERS, NOTEBOOKS, blocks, cells, prose, solution_code

GRADES = ("Easy", "Medium", "Open")
MEASURED = re.compile(r"\d\.\d+ ?(?:dB|%|ms|s|min)(?![\w/])")
KNOWN = {"3.01 dB"}
"""Numbers that follow from mathematics alone, and do not change with a run."""

TEXTBOOK = [path for path in CHAPTERS if "## What we now know" in prose(path)]
"""Chapters in the form of the textbook."""

each_textbook_chapter = pytest.mark.parametrize("path", TEXTBOOK, ids=lambda path: path.stem)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@each_notebook
def test_the_first_code_cell_holds_the_parameters(path):
    first = cells(path, "code")[0]
    assert first["metadata"]["tags"] == ["parameters"]
    names = [target.id for statement in ast.parse(first["source"]).body for target in statement.targets]
    assert names == ["profile", "seed"]


@each_notebook
def test_no_run_has_left_anything(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells(path, "code"))


@each_notebook
def test_code_cells_fit_a_screen(path):
    long = {cell["id"]: n for cell in cells(path, "code") if (n := len(cell["source"].splitlines())) > 25}
    assert long == {}


@each_notebook
def test_something_is_asserted(path):
    assert any("assert " in cell["source"] for cell in cells(path, "code"))


@each_notebook
def test_nothing_is_imported_past_the_list_of_a_room(path):
    """Neither in cells nor in solutions: what a reader copies holds from release to release."""
    code = [cell["source"] for cell in cells(path, "code")] + [code for _, code in solution_code(path)]
    lines = [line for source in code for line in source.splitlines() if not line.lstrip().startswith("%")]
    for node in ast.walk(ast.parse("\n".join(lines))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("mpinotes"):
            room = importlib.import_module(node.module)
            assert node.module.count(".") == 1 and {alias.name for alias in node.names} <= set(room.__all__), (
                node.module
            )


def test_ids_of_cells_are_eight_hex_digits_and_unique():
    ids = [cell["id"] for path in NOTEBOOKS for kind in ("code", "markdown") for cell in cells(path, kind)]
    assert [i for i in ids if not re.fullmatch("[0-9a-f]{8}", i)] == [], "run: make ids"
    assert [i for i, times in Counter(ids).items() if times > 1] == [], "run: make ids"


@each_chapter
def test_a_chapter_has_its_sections(path):
    text = prose(path)
    assert "**What you will be able to do**" in text
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    expected = ["What can go wrong", "Exercises", "Sources"]
    if path in TEXTBOOK:
        expected = ["What can go wrong", "Check yourself", "Exercises", "What we now know", "Sources"]
    assert headings[-len(expected) :] == expected


@each_textbook_chapter
def test_a_chapter_begins_with_a_question_a_picture_and_what_it_needs(path):
    opening = prose(path).split("\n## ")[0]
    assert "?" in opening and "**What you need**" in opening
    first_figure = next(cell for cell in cells(path, "code") if "figure" in cell["metadata"].get("mystnb", {}))
    everything = json.loads(path.read_text(encoding="utf-8"))["cells"]
    place = [cell["id"] for cell in everything].index(first_figure["id"])
    assert not any("## " in "".join(cell["source"]) for cell in everything[1:place] if cell["cell_type"] == "markdown")


@each_textbook_chapter
def test_five_questions_to_check_yourself_have_folded_answers(path):
    part = prose(path).split("\n## Check yourself\n")[1].split("\n## ")[0]
    questions = blocks(part, "dropdown")
    assert len(questions) == 5
    assert all(title.rstrip().endswith("?") and len(answer.split()) > 15 for title, answer in questions)


@each_textbook_chapter
def test_derivations_are_folded(path):
    for title, text in blocks(prose(path), "dropdown"):
        assert title.startswith("Derivation: ") or title.rstrip().endswith("?")
        assert len(text.strip()) > 0


@each_textbook_chapter
def test_figures_are_numbered_and_have_captions(path):
    figures = [cell for cell in cells(path, "code") if re.search(r"^plt\.show\(\)$", cell["source"], re.MULTILINE)]
    described = [cell["metadata"].get("mystnb", {}) for cell in figures]
    assert [cell["id"] for cell, one in zip(figures, described, strict=True)
            if not (one.get("figure", {}).get("caption") and one.get("image", {}).get("alt"))] == []  # fmt: skip
    names = [one["figure"]["name"] for one in described]
    assert all(name.startswith("fig-") for name in names) and len(set(names)) == len(names)
    assert [name for name in names if f"{{numref}}`{name}`" not in prose(path)] == []


@each_textbook_chapter
def test_labels_of_figures_can_be_read(path):
    """A figure has 100 px an inch, and a page of 1,280 px has 672 px for it: no text comes out below 9 px."""
    small = {}
    for cell in cells(path, "code"):
        width = max(map(float, re.findall(r"figsize=\(([\d.]+),", cell["source"])), default=6.4)
        points = min(map(float, re.findall(r"(?:fontsize|labelsize)=([\d.]+)", cell["source"])), default=10)
        if (pixels := points * 100 / 72 * min(1, 672 / (100 * width))) < 9:
            small[cell["id"]] = round(pixels, 1)
    assert small == {}


@each_textbook_chapter
def test_visible_code_fits_the_page(path):
    visible = [cell for cell in cells(path, "code") if "hide-input" not in cell["metadata"].get("tags", [])]
    wide = {cell["id"]: line for cell in visible for line in cell["source"].splitlines() if len(line) > 88}
    assert wide == {}
    drawing = {"imshow(", "subplots(", ".plot(", "semilogy(", "set_xlabel("}
    assert [cell["id"] for cell in visible if any(call in cell["source"] for call in drawing)] == []


@each_textbook_chapter
def test_sentences_are_short_enough_to_be_read_once(path):
    """Of the running text: no formulas, directives, tables and links."""
    text = prose(path)
    for directive in ("math", "exercise", "solution", "dropdown", "figure", "image", "list-table"):
        for _, content in blocks(text, directive):
            text = text.replace(content, "")
    text = re.sub(r"^(#|\||```|:).*$", "", text, flags=re.MULTILINE)
    sentences = re.split(r"(?<=[.?!:])\s+|\n\s*\n|\n- ", text)
    assert [s for s in sentences if len(s.split()) > 40] == []


@each_chapter
def test_exercises_are_graded_from_easy_to_open(path):
    """That each has one folded solution is tested with the other pages."""
    exercises = [content.split("\n", 1)[1].lstrip() for _, content in blocks(prose(path), "exercise")]
    grades = [text.split(". ")[0] for text in exercises]
    assert len(exercises) >= 3
    assert set(grades) == set(GRADES), grades
    assert grades == sorted(grades, key=GRADES.index)


@each_notebook
def test_code_in_solutions_can_run(path):
    """It does, at the end of the chapter's own run; here no block is overlooked for its fence or its syntax."""
    fenced = sum(
        len(re.findall(r"^(?:~~~|```)+ *py", text, re.MULTILINE)) for _, text in blocks(prose(path), "solution")
    )
    found = solution_code(path)
    assert fenced == prose(path).count("~~~python")
    assert (fenced == 0) == (found == [])
    for label, code in found:
        ast.parse(code, label)
        assert max(map(len, code.splitlines())) <= 120, label


@each_chapter
def test_measured_numbers_are_printed_by_cells(path):
    """Decimals with the unit of a result stand in no prose, but in solutions and in what a paper is quoted for."""
    text = prose(path)
    for directive in ("exercise", "solution", "math"):
        for _, content in blocks(text, directive):
            text = text.replace(content, "")
    lines = [line for line in text.splitlines() if "{cite" not in line and "paper" not in line]
    assert {number for line in lines for number in MEASURED.findall(line)} <= KNOWN


def test_a_name_of_a_figure_stands_once_in_the_book():
    found = [cell["metadata"].get("mystnb", {}).get("figure", {}).get("name")
             for path in NOTEBOOKS for cell in cells(path, "code")]  # fmt: skip
    assert [name for name, times in Counter(filter(None, found)).items() if times > 1] == []
