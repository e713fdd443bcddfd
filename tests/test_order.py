"""Nothing is used before it is introduced: the glossary says where each term stands first, in the order of the book."""

import re

import pytest
import yaml

from tests.chapters import BOOK, prose

CHAPTERS = [
    BOOK.parent / f"{chapter['file']}.ipynb"
    for part in yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    for chapter in part["chapters"]
    if re.match(r"book/\d\d_", chapter["file"])
]
"""In the order of the table of contents."""


def running_text(path):
    """Prose without links and citations, which may point ahead."""
    text = re.sub(r"\[[^\]\[]*\]\([^)]*\)", "", prose(path))
    return re.sub(r"\{(?:cite[^}]*|ref|numref|eq|doc)\}`[^`]*`", "", text)


TEXTS = {path.stem: running_text(path) for path in CHAPTERS}


def first_chapter(terms):
    """The first chapter that uses one of these terms; a name in capitals is looked for as it is written."""
    patterns = [
        re.compile(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?!\w)", 0 if term.isupper() else re.IGNORECASE)
        for term in terms
    ]
    return next((stem for stem, text in TEXTS.items() if any(pattern.search(text) for pattern in patterns)), None)


def entries():
    """Terms and definition of every entry of the glossary."""
    text = (BOOK / "notation.md").read_text(encoding="utf-8")
    (glossary,) = re.findall(r"```\{glossary\}\n(.*?)\n```", text, re.DOTALL)
    for entry in glossary.split("\n\n"):
        lines = entry.split("\n")
        yield [line for line in lines if not line.startswith(" ")], " ".join(lines)


@pytest.mark.parametrize(
    ("terms", "definition"), entries(), ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_no_chapter_uses_a_term_before_the_one_that_the_glossary_names(terms, definition):
    named = re.findall(r"First in \{doc\}`(\w+)`\.", definition)
    expected = first_chapter(terms)
    assert named == ([expected] if expected else [])


def test_most_terms_of_the_glossary_stand_in_a_chapter():
    assert sum("First in" in definition for _, definition in entries()) > 40
