"""The bibliography: each entry is cited, each citation has an entry, and each entry says where to find the work."""

import re

import pytest

from tests.chapters import BOOK, NOTEBOOKS, prose

ENTRIES = dict(re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", (BOOK / "references.bib").read_text("utf-8"), re.M | re.S))
NOWHERE = {"qiu2026dccdm", "wei2026sm"}
"""Their texts name no address, and we invent none."""


def cited():
    texts = [prose(path) for path in NOTEBOOKS] + [path.read_text("utf-8") for path in BOOK.rglob("*.md")]
    found = ",".join(keys for text in texts for keys in re.findall(r"\{cite[^}]*\}`([^`]+)`", text))
    return {key.strip() for key in found.split(",")}


def test_citations_and_entries_are_the_same():
    assert len(ENTRIES) == (BOOK / "references.bib").read_text("utf-8").count("\n@") + 1
    assert cited() == set(ENTRIES)


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_says_where_to_find_the_work(key):
    fields = dict(re.findall(r"^ +(\w+) *= \{(.*)\},?$", ENTRIES[key], re.M))
    assert fields["author"] and fields["title"] and re.fullmatch(r"\d{4}", fields["year"])
    assert fields["year"] in key
    known = re.fullmatch(r"10\.\d{4,}/\S+", fields.get("doi", "")) or fields.get("url", "").startswith("https://")
    assert known or key in NOWHERE
