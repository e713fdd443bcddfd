"""The how-tos run as they are printed: on the files that they make themselves, and on a stranger's."""

import ast
import importlib
import os
import re
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import yaml
from myst_nb.core.read import read_myst_markdown_notebook

from mpinotes.data import synthetic_vessels
from mpinotes.training import train
from tests.scanner_files.scanners import PERIOD, Robot, calibration, phantom, voltage_of, write

BOOK = Path(__file__).parent.parent / "book"
HOWTOS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("howto_*.md"))}
each_howto = pytest.mark.parametrize("page", HOWTOS)


def code_of(page, *, stand_in):
    """Source of the code cells, with or without the one that writes the files of the page."""
    found = [cell for cell in read_myst_markdown_notebook(HOWTOS[page]).cells if cell.cell_type == "code"]
    return [cell.source for cell in found if stand_in or "stand-in" not in cell.metadata.get("tags", [])]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a page in an empty folder, or one that holds the reader's files; returns what its cells leave behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "chdir", lambda folder: None)
    monkeypatch.setattr(plt, "show", plt.close)

    def go(page, *, stand_in):
        names = {}
        for source in code_of(page, stand_in=stand_in):
            exec(compile(source, page, "exec"), names)
        return names

    return go


ROBOT, VIEW, GRADIENT, DRIVE, BETA = Robot((9, 9, 3), every=9), (24e-3, 24e-3, 3e-3), (-1.0, -1.0, 2.0), 12e-3, 2e3
DIAMETER = (6 * BETA * 1.380649e-23 * 293 / (474e3 * np.pi)) ** (1 / 3)
"""Core of magnetite whose moment over k_B T is BETA, m = M_s π d³ / 6."""


def scanned(lines):
    """Volts of a Langevin sample that fills one voxel after the other, summed in the time domain, (channel, line,
    voxel): right in the plane of the figure, and anything beside it."""
    t, (nx, ny, nz), fine = np.arange(PERIOD[2]) / PERIOD[2], ROBOT.size, 4
    drive = DRIVE * np.stack([np.cos(2 * np.pi * 16 * t), np.cos(2 * np.pi * 17 * t)])
    x, y = (((np.arange(fine * n) + 0.5) / (fine * n) - 0.5) * edge for n, edge in zip((nx, ny), VIEW[:2], strict=True))
    static = np.stack(np.meshgrid(GRADIENT[0] * x, GRADIENT[1] * y))
    field = BETA * (static[..., None] + drive[:, None, None])
    strength = np.maximum(np.sqrt((field**2).sum(0)), 1e-2)
    moment = field * ((1 / np.tanh(strength) - 1 / strength) / strength)
    moment = moment.reshape(2, ny, fine, nx, fine, -1).mean((2, 4))
    plane = np.moveaxis(np.fft.rfft(moment)[..., lines] * lines * -1e-6j / PERIOD[2], -1, 1)
    plane = np.concatenate([plane, 1e-3 * plane[:1]])  # the third coil is almost silent
    planes = np.stack([plane[..., ::-1], plane, 3 * plane], axis=2)
    return planes.reshape(3, len(lines), nz * ny * nx)


@pytest.fixture
def files(tmp_path):
    """A calibration of a 2D sequence over a 3D grid with its background, and raw counts of a phantom."""
    generator = np.random.default_rng(0)
    lines = np.unique([0] + [16 * n + 17 * m for n in range(9) for m in range(9) if 2 <= n + m <= 8])
    clean = scanned(lines)
    level = 1e-4 * np.abs(clean).max()
    frames = len(ROBOT.voxel_times) + len(ROBOT.empty_times)
    noise = level * (generator.normal(size=(3, len(lines), frames, 2)) @ np.array([1, 1j]))
    constant = 1e3 * level * generator.normal(size=(3, len(lines), 1))
    content = calibration(clean, constant + noise, lines, ROBOT, PERIOD[2], view=VIEW)
    write(tmp_path / "matrix.mdf", content | {"calibration/snr": np.abs(clean).mean(-1)[None] / level})
    truth = np.zeros((9, 9))
    truth[2, 3:7], truth[6, 2] = 1.0, 2.0
    spectrum = np.einsum("clyx,yx->cl", clean.reshape(3, len(lines), 3, 9, 9)[:, :, 1], truth)
    counts = voltage_of(lines, spectrum[None] * np.array([0, 1, 1, 0])[:, None, None], PERIOD[2])
    write(tmp_path / "phantom.mdf", phantom(counts, 2, [1, 0, 0, 1]))
    return truth, clean.reshape(3, len(lines), 3, 9, 9)[:2, :, 1]


def test_the_first_how_to_finds_the_phantom_in_its_own_files(run):
    names = run("howto_reconstruct", stand_in=True)
    tracer = names["tracer"]
    errors = [(image - tracer).norm() / tracer.norm() for image in names["images"]]
    assert min(errors) < 0.5 and Path("images.mdf").is_file()


def test_the_first_how_to_finds_the_phantom_in_files_of_a_scanner(run, files):
    truth, _ = files
    names = run("howto_reconstruct", stand_in=False)
    assert names["images"].shape == (3, 9, 9)
    assert (names["images"][-1] - torch.tensor(truth)).norm() < 0.4 * np.linalg.norm(truth)


def test_the_second_how_to_trains_resumes_and_applies(run):
    names = run("howto_train", stand_in=True)
    assert names["state"].step == names["method"].training.steps
    assert names["enhanced"].shape == names["test_pairs"].x_hr.shape
    assert names["method"].config.degradation != names["METHODS"]["dccdm"].config.degradation
    method, data = names["method"], names["data"]
    again = list(train(method.build(seed=0), method, data.tensors, method.training, folder="runs/mine"))
    assert [state.step for state in again] == [method.training.steps]
    kept = names["enhance"].model.state_dict()
    assert all(torch.equal(kept[name], value.half().float()) for name, value in again[0].average.state_dict().items())


def test_the_second_how_to_takes_volumes_of_other_values_and_sides(run):
    np.save("volumes.npy", 300 * torch.nn.functional.pad(synthetic_vessels(8, side=8), (0, 8))[:, 0].numpy())
    names = run("howto_train", stand_in=False)
    assert names["train_pairs"].x_hr.shape == (4, 1, 8, 8, 16) and names["train_pairs"].x_hr.max() == 1


def test_the_second_how_to_trains_the_regression_where_it_is_named(run, monkeypatch):
    assert HOWTOS["howto_train"].count('"dccdm"') == 2
    monkeypatch.setitem(HOWTOS, "howto_train", HOWTOS["howto_train"].replace('"dccdm"', '"unet"'))
    assert run("howto_train", stand_in=True)["enhance"].method.name == "unet"


def test_the_third_how_to_finds_a_core_between_the_two_that_it_mixes(run):
    names = run("howto_compare", stand_in=True)
    assert 20e-9 < names["fit"].x < 32e-9
    assert names["correlations"](names["fit"].x).median() > 0.98
    assert names["unexplained"](names["fit"].x) < min(map(names["unexplained"], (20e-9, 32e-9)))


def test_the_third_how_to_finds_the_core_of_a_scanner_s_file(run, files, monkeypatch):
    _, clean = files
    names = run("howto_compare", stand_in=False)
    assert names["matrix"].components.shape[2:] == clean.shape[2:]
    assert names["fit"].x == pytest.approx(DIAMETER, rel=0.02)
    assert names["fit"].fun < 1e-2
    monkeypatch.setitem(HOWTOS, "howto_compare", HOWTOS["howto_compare"].replace("least_snr=5.0", "least_snr=0.0"))
    every = run("howto_compare", stand_in=False)  # the offset as well, which no simulation has
    assert every["fit"].x == pytest.approx(DIAMETER, rel=0.02)
    point = HOWTOS["howto_compare"].replace("integrals=integrals", "integrals=integrals, integrate_pixels=False")
    monkeypatch.setitem(HOWTOS, "howto_compare", point)
    assert run("howto_compare", stand_in=False)["fit"].x != pytest.approx(DIAMETER, rel=0.1)


def assert_refused(page, words, call, *arguments, **keywords):
    """A call is refused in the words that the page prints; "…" stands for any."""
    assert f"`{words}`" in HOWTOS[page]
    with pytest.raises(ValueError, match=".*".join(re.escape(part.strip()) for part in words.split("…"))):
        call(*arguments, **keywords)


def test_the_first_how_to_prints_what_is_refused(run, files):
    page, names = "howto_reconstruct", run("howto_reconstruct", stand_in=False)
    matrix, measurement, pair = names["matrix"], names["measurement"], names["pair_rows"]
    frames = len(ROBOT.voxel_times) + len(ROBOT.empty_times)
    write("silent.mdf", calibration(np.ones((3, 1, 243)), np.zeros((3, 1, frames)), [33], ROBOT, PERIOD[2], view=VIEW))
    lack = "least_snr: … without a measured SNR"
    assert_refused(page, lack, names["load_matrix"], "silent.mdf", least_snr=5.0)
    all_channels = names["load_measurement"]("phantom.mdf")
    assert_refused(page, "measurement: got 3 channels …", pair, matrix, all_channels)
    for words, changed in (
        ("got dividers …", {"dividers": (102, 99)}),
        ("an amplitude …", {"amplitude": (12e-3, 9e-3)}),
        ("a gradient …", {"gradient": (-1.0, -2.0)}),
    ):
        assert_refused(page, words, pair, matrix, replace(measurement, drives=replace(measurement.drives, **changed)))
    few = replace(measurement, voltage=measurement.voltage[..., :9], frequencies=measurement.frequencies[:9])
    assert_refused(page, "… lines … lack", pair, matrix, few)


def test_the_second_how_to_prints_what_is_refused(run):
    page, names = "howto_train", run("howto_train", stand_in=True)
    accepted = "volumes: got … accepted is one channel of values in [0, 1]"
    assert_refused(page, accepted, names["image_pairs"], 2 * names["volumes"])
    method, odd = names["method"], torch.zeros(4, 1, 12, 12, 12)
    network = method.build(seed=1)
    assert_refused(page, "x: got shape … multiples of 8", next, train(network, method, (odd, odd), method.training))
    again = train(network, method, names["data"].tensors, method.training, folder="runs/mine")
    assert_refused(page, "checkpoint.pt is of another run", next, again)


def test_the_third_how_to_prints_what_is_refused(run, files):
    names = run("howto_compare", stand_in=False)
    unknown = replace(names["matrix"].scan, gradient=(0.0, 0.0))
    words, particle = "scan: got a gradient of (0.0, 0.0) T/m", names["Particle"](20e-9)
    assert_refused("howto_compare", words, names["simulate_system_matrix"], unknown, particle)


@each_howto
def test_nothing_is_imported_past_the_list_of_a_room(page):
    for node in ast.walk(ast.parse("\n".join(code_of(page, stand_in=True)))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("mpinotes"):
            listed = importlib.import_module(node.module).__all__
            assert {alias.name for alias in node.names} <= set(listed), node.module


@each_howto
def test_a_how_to_begins_with_its_question_and_ends_with_what_can_go_wrong(page):
    text = HOWTOS[page]
    assert re.search(r"^# .+\n\n\*[^*]+\?\*\n", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE)[-1] == "What can go wrong"


@each_howto
def test_code_fits_the_page(page):
    cells = code_of(page, stand_in=True)
    assert all(len(line) <= 88 for source in cells for line in source.splitlines())
    assert all(len(source.splitlines()) <= 25 for source in cells)


def test_readers_are_led_to_every_how_to():
    parts = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    (listed,) = [part["chapters"] for part in parts if part["caption"] == "How-tos"]
    assert {Path(page["file"]).name for page in listed} == set(HOWTOS)
    for place in (BOOK / "intro.md", BOOK / "roadmap.md", BOOK.parent / "README.md"):
        text = place.read_text(encoding="utf-8")
        assert all(f"{page}.md)" in text for page in HOWTOS), place
