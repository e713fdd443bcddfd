"""The built book, served locally, in headless Chromium with every other request refused."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from book.tools.print import served

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(path.relative_to(HTML).as_posix() for path in (HTML / "book").rglob("*.html"))


def is_chapter(path):
    """Whether a page is one of the numbered chapters."""
    return path.split("/")[1][:2].isdigit()


THEME_MESSAGES = ("Got invalid theme mode",)
"""Complaints of the theme's own scripts on every page: they concern nothing that we write."""


@pytest.fixture(scope="session")
def address():
    if not PAGES:
        pytest.fail("no built book in _build/html: run 'make book' first")
    with served(HTML) as found:
        yield found


@pytest.fixture(scope="session")
def browser():
    executable = shutil.which("chromium")
    if executable is None:
        pytest.fail("no chromium: install your distribution's chromium package")
    options = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """Open a page of the book; `visit.problems` collects refused and failed requests and console errors."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.problems = []

    def route(request):
        if request.request.url.startswith((address, "data:")):
            request.continue_()
        else:
            page.problems.append(f"request to {request.request.url}")
            request.abort()

    page.route("**/*", route)

    def complain(message):
        if not any(known in message for known in THEME_MESSAGES):
            page.problems.append(message)

    page.on("console", lambda m: complain(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complain(str(e)))
    page.on("response", lambda r: page.problems.append(f"{r.status} {r.url}") if r.status >= 400 else None)

    def go(path):
        page.goto(address + path, wait_until="networkidle")
        return page

    yield go
    context.close()
