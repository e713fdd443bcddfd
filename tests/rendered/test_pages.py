"""Every page of the built book, as a reader without a network sees it."""

import base64
import json
import re

import pytest
import torch

from mpinotes.physics import FWHM, Particle, langevin, langevin_derivative, langevin_ratio
from tests.rendered.conftest import HTML, PAGES, is_chapter

CHAPTERS = list(filter(is_chapter, PAGES))

EXPLORERS = {
    "book/11_mpi_physics.html": 2,
    "book/12_system_matrix.html": 1,
    "book/13_real_scanner.html": 1,
    "book/21_diffusion.html": 3,
    "book/32_frequency_masks.html": 1,
    "book/33_training_dccdm.html": 1,
    "book/41_sm_diffusion.html": 2,
    "book/42_condition_decay.html": 12,
    "book/intro.html": 2,
}
"""Pages with widgets, and how many sliders each has."""


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_whole_without_a_network(visit, path):
    page = visit(path)
    assert page.problems == []
    formulas = page.locator(".math").count()
    page.wait_for_function("n => document.querySelectorAll('mjx-container').length >= n", arg=formulas)
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("input[type=search]:visible, .search-button-field:visible").count() == 1
    if "/api/" not in path:
        description = page.locator("meta[name=description]").get_attribute("content")
        assert 40 < len(description) <= 200 and "\\" not in description
    broken = page.eval_on_selector_all("img", "images => images.filter(i => !i.complete || !i.naturalWidth).length")
    assert broken == 0
    assert page.locator(".mpinotes-explorer input").count() == EXPLORERS.get(path, 0)
    if is_chapter(path):
        assert formulas > 0 and page.locator(".cell_output img").count() > 0


@pytest.mark.parametrize("path", EXPLORERS)
def test_every_slider_moves_its_figure_by_keyboard_and_mouse(visit, path):
    """Those of a network that samples have tests of their own."""
    page = visit(path)
    sampling = page.locator("[data-role=sample]")
    for explorer in page.locator(".mpinotes-explorer", has_not=sampling).all():
        figure = "e => e.querySelector('svg.curves')?.innerHTML ?? e.querySelector('img.frame:not([hidden])').src"
        for slider in explorer.locator("input").all():
            before = explorer.evaluate(figure)
            slider.focus()
            page.keyboard.press("ArrowRight")
            page.keyboard.press("ArrowRight")
            assert explorer.evaluate(figure) != before
            before = explorer.evaluate(figure)
            box = slider.bounding_box()
            page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + box["height"] / 2)
            assert explorer.evaluate(figure) != before
    assert page.problems == []


def test_a_vessel_is_turned_by_the_mouse_and_goes_round(visit):
    page = visit("book/33_training_dccdm.html")
    explorer = page.locator(".mpinotes-explorer")
    explorer.scroll_into_view_if_needed()
    angle = explorer.locator("input")
    start, box = float(angle.input_value()), explorer.locator(".moving").bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - box["width"] / 10, middle[1])
    page.mouse.up()
    turned = float(angle.input_value())
    assert 0 <= turned <= 350 and turned not in (start, 0)  # to the left of 0° lie 350°, 340°, …
    page.mouse.move(*middle)
    assert float(angle.input_value()) == turned  # the vessel was let go


def test_the_response_widget_holds_what_the_package_computes(visit):
    page = visit("book/11_mpi_physics.html")
    script = page.locator(".mpinotes-explorer script").text_content()
    specification = json.loads(re.search(r"\nattach\((.*)\);\n}\)\(\);", script).group(1))
    diameters, gradients = (
        torch.arange(control["low"], control["high"] + control["step"] / 2, control["step"], dtype=torch.float64)
        for control in specification["controls"]
    )
    scale = torch.tensor([Particle(float(diameter) * 1e-9).beta for diameter in diameters], dtype=torch.float64)
    slope = scale[:, None] * gradients
    u = slope[:, :, None] * torch.tensor(specification["curves"]["x"], dtype=torch.float64) * 1e-3
    expected = [langevin(u), 3 * langevin_derivative(u), 3 * langevin_ratio(u), 1e3 * FWHM / slope[:, :, None]]
    for table, values in zip(specification["curves"]["lines"] + specification["readouts"], expected, strict=True):
        shares = torch.frombuffer(bytearray(base64.b64decode(table["table"])), dtype=torch.uint16).double()
        got = table["top"] * shares.view_as(values) / 65535
        torch.testing.assert_close(got, values, rtol=0, atol=1e-5 * table["top"])
    assert f"{1e3 * FWHM / (Particle(25e-9).beta * 1.5):.3g}" in page.locator(".readouts").inner_text()


@pytest.mark.parametrize("path", CHAPTERS)
def test_neither_code_nor_tables_scroll_sideways_on_a_small_screen(visit, path):
    page = visit(path)
    page.set_viewport_size({"width": 1280, "height": 800})
    for theme in ("light", "dark"):
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        cut = page.locator(".cell_input pre, .cell_output pre, .cell_output .text_html, article table").evaluate_all(
            "boxes => boxes.filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.innerText)"
        )
        assert cut == []
    broken = page.locator(".cell_input pre").evaluate_all(
        """boxes => boxes.filter(e => e.checkVisibility()).filter(e => {
          e.style.whiteSpace = "pre";
          return e.scrollWidth > e.clientWidth;
        }).map(e => e.innerText)"""
    )
    assert broken == []  # nor do the 88 characters of a line of code go on below


@pytest.mark.parametrize("path", CHAPTERS)
def test_figures_are_not_shrunk_until_their_labels_cannot_be_read(visit, path):
    page = visit(path)
    page.set_viewport_size({"width": 1280, "height": 800})
    shares = page.locator(".cell_output img").evaluate_all(
        "all => all.filter(i => i.checkVisibility()).map(i => i.width / i.naturalWidth)"
    )
    assert min(shares) > 2 / 3


FORMULAS = """() => [...document.querySelectorAll("div.math")].filter(e => e.checkVisibility()).map(box => {
  const formula = box.querySelector("mjx-container");
  const [shown, number] = [formula, box.querySelector(".eqno")].map(e => e?.getBoundingClientRect());
  return {
    text: box.innerText,
    cut: formula.scrollWidth > formula.clientWidth + 1,
    over: number !== undefined && shown.right > number.left && shown.bottom > number.top + 1,
    outside: box.getBoundingClientRect().right > innerWidth,
  };
})"""


@pytest.mark.parametrize("path", CHAPTERS)
def test_no_formula_runs_under_its_number_or_out_of_the_page(visit, path):
    page = visit(path)
    page.wait_for_function(
        "n => document.querySelectorAll('mjx-container').length >= n", arg=page.locator(".math").count()
    )
    page.evaluate("document.querySelectorAll('details:not(.hide)').forEach(e => (e.open = true))")
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(500)  # they are fitted after the page
        formulas = page.evaluate(FORMULAS)
        assert len(formulas) > 0
        assert [f["text"] for f in formulas if f["over"] or f["outside"] or (f["cut"] and width == 1280)] == []


def test_printed_tables_are_dark_in_the_dark(visit):
    page = visit("book/34_results.html")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    style = "all => all.map(e => getComputedStyle(e)).map(s => [s.backgroundColor, s.color])"
    grounds = page.locator(".cell_output .text_html:has(table)").evaluate_all(style)
    ((_, text),) = page.locator("article.bd-article").evaluate_all(style)
    assert len(grounds) > 3 and set(map(tuple, grounds)) == {("rgba(0, 0, 0, 0)", text)}


def test_no_page_is_heavy():
    heavy = {path: size for path in PAGES if (size := (HTML / path).stat().st_size) > 5e6}
    assert heavy == {}
