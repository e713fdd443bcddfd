"""Every page for readers who use a keyboard, a screen reader, a small screen or the dark theme.

What is looked at is the article: bars, buttons and menus around it come from the theme. Two lists in it
are made by Sphinx in a form that axe refuses, the parameters of a long signature (descriptions without
terms) and the bibliography (entries that are not list items); what they say is read out all the same.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.rendered.conftest import PAGES, is_chapter

PHONE = {"width": 390, "height": 844}
OURS = {"include": [["article.bd-article"]], "exclude": [["dt.sig dl"], [".citation-list"]]}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""All that the dark theme can change."""
WIDTH = {"runOnly": ["scrollable-region-focusable", "target-size"]}
"""All that a small screen can change: axe takes half a minute for the whole of a long chapter."""
AXE = Axe()


def serious(page, options=None):
    """What axe finds, as (rule, number of places, the first of them)."""
    found = set()
    for finding in AXE.run(page, context=OURS, options=options).response["violations"]:
        if finding["impact"] in ("serious", "critical"):
            places = sorted(node["html"][:200] for node in finding["nodes"])
            found.add((finding["id"], len(places), places[0]))
    return found


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_open_to_all(visit, path):
    page = visit(path)
    texts = page.eval_on_selector_all("article.bd-article img", "all => all.map(i => i.getAttribute('alt'))")
    assert all(text and " " in text.strip() and not text.endswith((".png", ".svg")) for text in texts), texts

    assert serious(page) == set()
    page.set_viewport_size(PHONE)
    page.wait_for_timeout(500)  # the theme looks again, after a moment, at what has become scrollable
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert serious(page, WIDTH) == set()

    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(300)  # colours fade from one theme to the other
    assert serious(page, COLOURS) == set()
    # The theme's own filter raises the contrast: the haze and noise of an image, nearly black, would be black.
    style = "all => all.map(i => getComputedStyle(i)).map(s => [s.backgroundColor, s.filter])"
    for ground, kept in page.eval_on_selector_all(".cell_output img", style) if is_chapter(path) else ():
        assert kept == "brightness(0.85)"
        assert min(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) > 200
