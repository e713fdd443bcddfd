"""What search engines and link previews show of a page."""

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from book.tools.page_head import LONGEST, describe


def page(*paragraphs):
    document = new_document("page", get_default_settings(Parser))
    document += [paragraph if isinstance(paragraph, nodes.Node) else nodes.paragraph("", paragraph)
                 for paragraph in paragraphs]  # fmt: skip
    return document


QUESTION = "How does a scanner that has no lens make an image of what flows through a vessel?"


def test_a_page_is_described_by_its_first_paragraph_of_some_length():
    assert describe(page("What you need", QUESTION, "Another " * 20)) == QUESTION


def test_formulas_are_left_out():
    formula = nodes.paragraph("", "", nodes.Text("It is long enough to be taken, were there not the symbol "),
                              nodes.math("", r"\alpha"))  # fmt: skip
    assert describe(page(formula, QUESTION)) == QUESTION


@pytest.mark.parametrize("end", [". ", "? "])
def test_a_long_paragraph_ends_with_a_sentence(end):
    first = "This sentence is long enough to stand for the page by itself" + end.strip()
    assert describe(page(first + " " + "And so on " * 30)) == first


def test_a_long_sentence_ends_between_two_words():
    text = describe(page("word " * 100))
    assert len(text) <= LONGEST and text.endswith("word…")


def test_a_page_without_text_has_no_description():
    assert describe(page("short")) == ""
