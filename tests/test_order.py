"""Nothing is used before it is introduced: the page of notation says where each symbol and each term stands first.

A symbol is introduced by its key, the word that its row sets in italics, or else the equation of the row: one of the
passages around a use must say it. That the passage then explains the symbol remains to be read.
"""

import re
from collections import Counter
from dataclasses import dataclass

import pytest
import yaml

from mpinotes.methods import METHODS
from tests.chapters import BOOK
from tests.symbols import SYMBOL, formulas, passages, tokens, uses

CHAPTERS = [
    BOOK.parent / f"{chapter['file']}.ipynb"
    for part in yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))["parts"]
    for chapter in part["chapters"]
    if re.match(r"book/\d\d_", chapter["file"])
]
"""In the order of the table of contents."""

PASSAGES = {path.stem: list(passages(path)) for path in CHAPTERS}
NOTATION = (BOOK / "notation.md").read_text(encoding="utf-8")


def says(word, text):
    """Whether a text has a word or its plural; a name in capitals is looked for as it is written."""
    flags = 0 if word.isupper() else re.IGNORECASE
    return re.search(rf"(?<![\w-]){re.escape(word)}(?:s|es)?(?!\w)", text, flags) is not None


def places(symbol, chapter):
    """Of all passages of the chapter that use the symbol."""
    return [i for i, text in enumerate(PASSAGES[chapter]) if any(uses(symbol, tex) for tex in formulas(text))]


def first_chapter(words):
    """The first chapter that says one of the words."""
    return next((c for c, texts in PASSAGES.items() if any(says(word, text) for word in words for text in texts)), None)


@dataclass(frozen=True)
class Meaning:
    """What a symbol means from one chapter on."""

    symbol: str
    word: str
    equation: str
    chapter: str

    def told_by(self, text):
        if self.word:
            return says(self.word, text)
        return any(uses(self.equation, tex) for tex in formulas(text))

    def introductions(self, chapter):
        """Places of the passages that use the symbol with its key in them, in the one before or the two behind."""
        texts = PASSAGES[chapter]
        return [i for i in places(self.symbol, chapter) if any(map(self.told_by, texts[max(0, i - 1) : i + 3]))]


def table_rows():
    """Symbols, meaning and chapter's cell of the rows of all tables with a column of chapters."""
    for head, body in re.findall(r"^\|(.+)\|\n\|[-|]+\n((?:\|.*\n)+)", NOTATION, re.MULTILINE):
        columns = [name.strip() for name in head.split("|")]
        for line in body.splitlines() if "first in" in columns else ():
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if cells[0]:
                yield cells[0], cells[1], cells[columns.index("first in")]


def meanings():
    for symbols, meaning, place in table_rows():
        (chapter,) = re.findall(r"^\{doc\}`[a-z]+ <(\w+)>`$", place)
        words = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", meaning)
        (key,) = words or [tex for tex in formulas(meaning) if "=" in tex]
        for symbol in formulas(symbols):
            yield Meaning(symbol, key if words else "", key, chapter)


MEANINGS = list(meanings())
SYMBOLS = {tokens(one.symbol): one.symbol for one in MEANINGS}


@pytest.mark.parametrize("symbol", SYMBOLS.values())
def test_no_chapter_uses_a_symbol_before_the_one_that_the_table_names(symbol):
    listed = [one for one in MEANINGS if tokens(one.symbol) == tokens(symbol)]
    first = next(chapter for chapter in PASSAGES if places(symbol, chapter))
    assert min((one.chapter for one in listed), key=list(PASSAGES).index) == first
    # Title, goals and needs may name what the page has yet to introduce, and may introduce it.
    opening = next(i for i, text in enumerate(PASSAGES[first]) if text.startswith("## "))
    behind = next(i for i in places(symbol, first) if i > opening)
    introduced = {i for one in listed if one.chapter == first for i in one.introductions(first)}
    assert any(i <= behind for i in introduced)


@pytest.mark.parametrize("one", MEANINGS, ids=lambda one: f"{one.symbol} {one.chapter}")
def test_a_meaning_is_introduced_in_the_chapter_that_the_table_names(one):
    assert next(chapter for chapter in PASSAGES if one.introductions(chapter)) == one.chapter


def test_names_of_metrics_stand_first_in_the_chapter_that_the_table_names():
    named = {symbols: place for symbols, _, place in table_rows() if not formulas(symbols)}
    assert len(named) == 3
    assert [name for name, place in named.items() if f"<{first_chapter([name])}>" not in place] == []


def test_letters_of_several_meanings_are_listed():
    tables, several = NOTATION.split("## One letter, several things")
    several = several.split("Some derivations")[0]
    listed = {tokens(tex) for row in re.findall(r"^\|([^|]+)\|", several, re.MULTILINE) for tex in formulas(row)}
    rows = re.findall(r"^\|([^|]+)\|", tables, re.MULTILINE)
    found = [tokens(tex) for row in rows for tex in formulas(row)]
    assert {symbol for symbol in found if found.count(symbol) > 1} <= listed


def test_a_symbol_of_three_chapters_stands_on_the_page():
    used = [{token for text in texts for tex in formulas(text) for token in tokens(tex)} for texts in PASSAGES.values()]
    listed = {token for tex in formulas(NOTATION) for token in tokens(tex)}
    chapters = Counter(token for found in used for token in found if SYMBOL.fullmatch(token))
    assert [token for token, number in chapters.items() if number > 2 and token not in listed] == []


def entries():
    """Terms and definition of every entry of the glossary."""
    (glossary,) = re.findall(r"```\{glossary\}\n(.*?)\n```", NOTATION, re.DOTALL)
    for entry in glossary.split("\n\n"):
        lines = entry.split("\n")
        yield [line for line in lines if not line.startswith(" ")], " ".join(lines)


@pytest.mark.parametrize(
    ("terms", "definition"), list(entries()), ids=lambda value: value[0] if isinstance(value, list) else ""
)
def test_no_chapter_uses_a_term_before_the_one_that_the_glossary_names(terms, definition):
    named = re.findall(r"First in \{doc\}`(\w+)`\.", definition)
    expected = first_chapter(terms)
    assert named == ([expected] if expected else [])


def test_most_terms_of_the_glossary_stand_in_a_chapter():
    assert sum("First in" in definition for _, definition in entries()) > 40


def test_every_trained_method_is_in_the_glossary():
    terms = " · ".join(term.lower() for listed, _ in entries() for term in listed)
    parts = {part.removeprefix("3D ").lower() for method in METHODS.values() for part in method.title.split(", ")}
    assert [part for part in sorted(parts) if part not in terms] == []
