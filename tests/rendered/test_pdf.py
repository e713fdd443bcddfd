"""The book on paper."""

import os
import re
import subprocess
import sys
import unicodedata

import pytest
import yaml
from filelock import FileLock
from pypdf import PdfReader

from tests.rendered.conftest import HTML, PAGES, is_chapter

ROOT = HTML.parents[1]
CHAPTERS = list(filter(is_chapter, PAGES))


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    """Printed once for all processes of a run: it takes a minute."""
    own = tmp_path_factory.getbasetemp()
    out = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "mpinotes.pdf"
    with FileLock(f"{out}.lock"):
        if not out.exists():
            subprocess.run([sys.executable, ROOT / "book/tools/print.py", "--html", HTML, "--out", out], check=True)
    return PdfReader(out)


@pytest.fixture(scope="module")
def texts(pdf):
    return [page.extract_text() for page in pdf.pages]


def heading(path):
    return re.search(r"<title>(.*?) &#8212;", (HTML / path).read_text(encoding="utf-8")).group(1)


def test_the_outline_holds_every_chapter_in_order(pdf):
    titles = [entry.title for entry in pdf.outline if not isinstance(entry, list)]
    headings = [heading(path) for path in CHAPTERS]
    assert [title for title in titles if title in headings] == headings


def test_there_are_more_pages_than_chapters_and_each_has_its_number(pdf, texts):
    assert len(pdf.pages) > 3 * len(CHAPTERS)
    assert all(text.split()[-1].endswith(str(number)) for number, text in enumerate(texts, 1))


def test_headings_formulas_and_solutions_are_on_paper(texts):
    whole = " ".join(unicodedata.normalize("NFKC", "".join(texts)).split())  # no ligatures
    assert yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"] in whole
    assert "From moment to voltage" in whole and "(1)" in whole
    assert "The FWHM of" in whole and "Solution to" in whole


def test_links_stay_in_the_document(pdf):
    inside, outside = 0, []
    for page in pdf.pages:
        for link in page.get("/Annots", []):
            action = link.get_object().get("/A", {})
            inside += "/URI" not in action
            outside += [action["/URI"]] if "/URI" in action else []
    assert inside > 100
    assert not [address for address in outside if "127.0.0.1" in address]
