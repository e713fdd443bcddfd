"""Every chapter runs from nothing in the smoke profile, its own asserts included."""

from pathlib import Path

import papermill
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "book").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_in_the_smoke_profile(path, tmp_path):
    papermill.execute_notebook(
        path, tmp_path / path.name, {"profile": "smoke"}, cwd=tmp_path, kernel_name="python3", progress_bar=False
    )


def test_without_real_data_a_chapter_says_so_in_a_visible_line(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDMNIST_ROOT", str(tmp_path))
    path = next(path for path in NOTEBOOKS if "degradation" in path.stem)
    notebook = papermill.execute_notebook(
        path, tmp_path / path.name, {"profile": "smoke"}, cwd=tmp_path, kernel_name="python3", progress_bar=False
    )
    printed = [o.get("text", "") for c in notebook.cells for o in c.get("outputs", []) if o.get("name") == "stdout"]
    assert any("SYNTHETIC vessels" in text for text in printed)
