"""Every page for readers who use a keyboard, a screen reader, a small screen or the dark theme.

What is looked at is the article: bars, buttons and menus around it come from the theme. Two lists in it
are made by Sphinx in a form that axe refuses, the parameters of a long signature (descriptions without
terms) and the bibliography (entries that are not list items); what they say is read out all the same.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.rendered.conftest import PAGES

WIDTHS = {"desk": 1440, "phone": 390}
OURS = {"include": [["article.bd-article"]], "exclude": [["dt.sig dl"], [".citation-list"]]}
AXE = Axe()


@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious_in_what_we_wrote(visit, path):
    page = visit(path)
    found = set()
    for width in WIDTHS.values():
        page.set_viewport_size({"width": width, "height": 1000})
        for theme in ("light", "dark"):
            page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            page.wait_for_timeout(300)  # colours fade over
            for finding in AXE.run(page, context=OURS).response["violations"]:
                if finding["impact"] in ("serious", "critical"):
                    places = sorted(node["html"][:200] for node in finding["nodes"])
                    found.add((width, theme, finding["id"], len(places), places[0]))
    assert found == set()


@pytest.mark.parametrize("path", PAGES)
def test_every_picture_is_described_in_words(visit, path):
    texts = visit(path).eval_on_selector_all("article.bd-article img", "all => all.map(i => i.getAttribute('alt'))")
    assert all(text and " " in text.strip() and not text.endswith((".png", ".svg")) for text in texts), texts


@pytest.mark.parametrize("path", PAGES)
def test_no_page_is_wider_than_a_phone(visit, path):
    page = visit(path)
    page.set_viewport_size({"width": WIDTHS["phone"], "height": 844})
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_figures_keep_their_colours_in_the_dark_theme(visit):
    # The theme's own filter raises the contrast: the haze and noise of an image, nearly black, would be black.
    for path in PAGES:
        if path.split("/")[1][:2].isdigit():
            page = visit(path)
            page.evaluate("document.documentElement.dataset.theme = 'dark'")
            page.wait_for_timeout(300)  # colours fade from one theme to the other
            style = "all => all.map(i => getComputedStyle(i)).map(s => [s.backgroundColor, s.filter])"
            for ground, kept in page.eval_on_selector_all(".cell_output img", style):
                assert kept == "brightness(0.85)", path
                assert min(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) > 200, path
