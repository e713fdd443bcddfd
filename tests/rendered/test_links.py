"""Every internal address of the built book leads somewhere, anchors included. Needs neither network nor browser."""

import functools
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.rendered.conftest import HTML

FOUND = (path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html"))
PAGES = sorted(page for page in FOUND if not page.startswith("_static/"))  # the theme keeps templates there


class Addresses(HTMLParser):
    """The anchors that a page has, and the addresses that it names."""

    def __init__(self):
        super().__init__()
        self.anchors, self.named = {"", "top"}, set()

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes[key] for key in ("id", "name") if attributes.get(key)}
        self.named |= {attributes[key] for key in ("href", "src") if attributes.get(key)}


@functools.cache
def read(path):
    page = Addresses()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def test_the_book_is_there():
    assert len(PAGES) > 10, "no built book in _build/html: run 'make book' first"


@pytest.mark.parametrize("page", PAGES)
def test_internal_links_lead_somewhere(page):
    broken = []
    for address in read(HTML / page).named:
        link = urlsplit(address)
        if link.scheme or link.netloc:
            continue
        # An absolute path would break under a folder of a web server, and is resolved outside the book here.
        target = (HTML / page).parent / unquote(link.path) if link.path else HTML / page
        anchors = read(target).anchors if target.is_file() and target.suffix == ".html" else {unquote(link.fragment)}
        if not target.is_file() or unquote(link.fragment) not in anchors:
            broken.append(address)
    assert broken == []
