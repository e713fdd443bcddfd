"""The sliders of the front page: before and after of a real vessel and of a system matrix, one over the other."""

import pytest

from tests.rendered.conftest import HTML

FRONT = "book/intro.html"
CUT = "e => getComputedStyle(e.querySelectorAll('img')[1]).clipPath"


def test_the_network_that_samples_stands_on_the_first_screen(visit):
    page = visit(FRONT)
    button = page.locator("[data-role=sample]").bounding_box()
    assert button["y"] + button["height"] < 1000


@pytest.mark.parametrize("size", [(1440, 1000), (390, 844)])
def test_the_sliders_cover_their_pictures(visit, size):
    page = visit(FRONT)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    sliders = page.locator(".before-after").all()
    assert len(sliders) == 2
    for slider in sliders:
        before, after = (image.bounding_box() for image in slider.locator("img").all())
        handle = slider.locator("input").bounding_box()
        assert before == after == handle
        assert handle["width"] > 300


@pytest.mark.parametrize("index", range(2))
def test_a_slider_moves_by_keyboard_and_mouse(visit, index):
    page = visit(FRONT)
    pictures = page.locator(".before-after").nth(index)
    slider = pictures.locator("input")
    middle = pictures.evaluate(CUT)
    slider.focus()
    page.keyboard.press("ArrowRight")
    right = pictures.evaluate(CUT)
    assert (middle, right) == ("inset(0px 0px 0px 50%)", "inset(0px 0px 0px 51%)")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    assert float(pictures.evaluate(CUT).split()[-1].rstrip("%)")) == pytest.approx(20, abs=1)
    page.keyboard.press("End")
    assert pictures.evaluate(CUT).endswith("100%)")
    assert page.problems == []


def test_the_front_page_is_light():
    assert sum(path.stat().st_size for path in (HTML / "_images").glob("front_*.png")) < 300e3
