"""The slider of the front page: two pictures of a real vessel, one over the other."""

import pytest

from tests.rendered.conftest import HTML

FRONT = "book/intro.html"
CUT = "e => getComputedStyle(e.querySelectorAll('img')[1]).clipPath"


@pytest.mark.parametrize("size", [(1440, 1000), (390, 844)])
def test_the_slider_stands_on_the_first_screen(visit, size):
    page = visit(FRONT)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    before, after = (image.bounding_box() for image in page.locator(".before-after img").all())
    slider = page.locator(".before-after input").bounding_box()
    assert before == after == slider
    assert slider["y"] + slider["height"] < size[1] and slider["width"] > 0.8 * min(size[0], 700)


def test_the_slider_moves_by_keyboard_and_mouse(visit):
    page = visit(FRONT)
    slider, pictures = page.locator(".before-after input"), page.locator(".before-after")
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
