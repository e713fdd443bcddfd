"""The profile "full" trains what a chapter shows: run with the sizes of "smoke"."""

import os
import re
from pathlib import Path

import papermill
import pytest

from mpinotes.data import image_split
from mpinotes.evaluation import psnr
from mpinotes.methods import load
from mpinotes.studies import get_profile
from tests.chapters import BOOK
from tests.notebooks.test_notebooks import printed_by

TINY = Path(__file__).parent / "tiny_full"
CHAPTER = BOOK / "33_training_dccdm.ipynb"


def run(folder, **parameters):
    out = folder.with_suffix(".ipynb")
    options = {"cwd": folder, "kernel_name": "python3", "progress_bar": False}
    return "".join(printed_by(papermill.execute_notebook(CHAPTER, out, {"profile": "full"} | parameters, **options)))


@pytest.fixture(scope="module")
def kernels():
    """Their "full" is tiny."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TINY), *filter(None, [os.environ.get("PYTHONPATH")])]))
        yield


@pytest.fixture(scope="module")
def first(kernels, tmp_path_factory):
    """A folder in which the chapter ran, and what it printed."""
    folder = tmp_path_factory.mktemp("full")
    return folder, run(folder)


def wrote(name):
    """What is printed once it is trained and evaluated."""
    return f"wrote {Path('runs', name, name)}.safetensors and its card"


def row(printed, title):
    """Mean PSNR of a row of the chapter's table."""
    return float(re.search(rf"^{re.escape(title)} +([\d.]+) \[", printed, re.MULTILINE)[1])


def test_the_networks_it_samples_are_those_it_trained(first):
    folder, printed = first
    pairs = image_split("test", get_profile("smoke").test_volumes)
    for title, name in (("DDPM", "ddpm"), ("DCCDM, live", "dccdm")):
        own, released = (
            psnr(trained(pairs.x_lr), pairs.x_hr).mean().item()
            for trained in (load(name, folder / "runs" / name), load(name))
        )
        assert row(printed, title) == pytest.approx(own, abs=2e-3)
        assert abs(own - released) > 0.1, "the two cannot be told apart"
    assert row(printed, "DCCDM") == pytest.approx(released, abs=2e-3)


def test_it_says_before_it_starts_what_it_will_train_and_for_how_long(first):
    _, printed = first
    lines = printed.splitlines()
    announced = [line for line in lines if line.startswith("to be trained here: ")]
    assert [re.search(r": (.+), 12 steps, about [\d.]+ min", line)[1] for line in announced] == ["DCCDM", "3D DDPM"]
    assert lines.index(announced[0]) < lines.index(wrote("ddpm"))


def test_a_second_run_goes_on_where_the_first_was_cut_off(first):
    """Its DCCDM was trained, but not evaluated: no step is repeated, and the weights are the same."""
    folder, printed = first
    weights = {name: folder / "runs" / name / f"{name}.safetensors" for name in ("ddpm", "dccdm")}
    before = {name: path.read_bytes() for name, path in weights.items()}
    weights["dccdm"].unlink()
    again = run(folder)
    assert {name: path.read_bytes() for name, path in weights.items()} == before
    assert wrote("ddpm") not in again.splitlines() and wrote("dccdm") in again.splitlines()
    assert row(again, "DCCDM, live") == row(printed, "DCCDM, live")


def test_another_seed_in_the_same_folder_is_refused(first):
    folder, _ = first
    with pytest.raises(papermill.PapermillExecutionError, match=r"runs/ddpm is of another run \(seed 0, not 1\)"):
        run(folder, seed=1)
