"""The assignment: unsolved it says so, right answers pass, and a slip is named in a sentence."""

import copy
from pathlib import Path

import nbformat
import pytest
from assignment_solutions import RIGHT, WRONG
from nbclient import NotebookClient

PATH = Path(__file__).parents[2] / "book/assignment.ipynb"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What the checks print, by task: without answers, with slips, with right answers, in one run."""
    notebook = nbformat.read(PATH, as_version=4)
    first = next(i for i, cell in enumerate(notebook.cells) if "task-1" in cell.metadata.get("tags", []))
    setup, tasks = notebook.cells[:first], notebook.cells[first:]
    setup[1].source = 'profile = "smoke"\nseed = 0'
    notebook.cells = setup
    rounds = []
    for answers in ({}, {task: answer for task, (answer, _) in WRONG.items()}, RIGHT):
        cells = copy.deepcopy([cell for cell in tasks if cell.cell_type == "code"])
        for cell in cells:
            for task, answer in answers.items():
                if f"task-{task}" in cell.metadata.get("tags", []):
                    cell.source = answer
        notebook.cells = notebook.cells + cells
        rounds.append(cells)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell{number}"
    folder = str(tmp_path_factory.mktemp("here"))
    NotebookClient(notebook, resources={"metadata": {"path": folder}}, kernel_name="python3").execute()
    return [printed(cells) for cells in rounds]


def printed(cells):
    text = "".join(o.text for c in cells for o in c.outputs if o.output_type == "stream" and o.name == "stdout")
    lines = [line.removeprefix("task ").split(": ", 1) for line in text.splitlines() if line.startswith("task ")]
    return {int(task): verdict for task, verdict in lines}


def test_unsolved_it_says_so(verdicts):
    assert verdicts[0] == dict.fromkeys(RIGHT, "not solved yet")


def test_a_slip_is_named_in_a_sentence(verdicts):
    assert all(sentence in verdicts[1][task] for task, (_, sentence) in WRONG.items()), verdicts[1]


def test_right_answers_pass_every_check(verdicts):
    assert verdicts[2].keys() == RIGHT.keys()
    assert all(verdict.startswith("solved") for verdict in verdicts[2].values()), verdicts[2]
    assert "dB over x_LR on" in verdicts[2][6]


def test_solutions_are_for_all_tasks_and_nowhere_in_the_book():
    tasks = [t for c in nbformat.read(PATH, as_version=4).cells for t in c.metadata.get("tags", []) if "task-" in t]
    assert tasks == [f"task-{task}" for task in RIGHT] and RIGHT.keys() == WRONG.keys()
    text = PATH.read_text(encoding="utf-8")
    assert all(answer.strip().splitlines()[-1].strip() not in text for answer in RIGHT.values())


@pytest.mark.parametrize("task", RIGHT)
def test_an_answer_names_what_the_task_asks_for(task):
    (cell,) = (c for c in nbformat.read(PATH, as_version=4).cells if f"task-{task}" in c.metadata.get("tags", []))
    name = cell.source.split("def ")[-1].split("(")[0]
    assert f"def {name}(" in RIGHT[task] and f"def {name}(" in WRONG[task][0]
