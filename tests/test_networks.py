"""The files of the networks that sample in pages."""

from types import SimpleNamespace

import pytest

from book.tools import networks


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setattr(networks, "NAMES", ("sm_aware",))
    return SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))


def test_a_file_is_written_once_for_each_state_of_code_and_weights(app, tmp_path, monkeypatch):
    path = tmp_path / "_static" / "networks" / "sm_aware.js"
    networks.write_networks(app, None)
    first = path.read_text(encoding="utf-8")
    assert "window.mpinotesNetworks" in first
    path.write_text(first.splitlines()[0] + "\nkept", encoding="utf-8")
    networks.write_networks(app, None)
    assert path.read_text(encoding="utf-8").endswith("kept")
    monkeypatch.setattr(networks, "package_hash", lambda: "other code")
    networks.write_networks(app, None)
    assert path.read_text(encoding="utf-8").splitlines()[1:] == first.splitlines()[1:]


def test_nothing_is_written_by_a_build_that_failed_or_makes_no_pages(app, tmp_path):
    networks.write_networks(app, RuntimeError("of the build"))
    app.builder.format = "latex"
    networks.write_networks(app, None)
    assert list(tmp_path.iterdir()) == []
