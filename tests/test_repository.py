"""What the files around the package promise."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import mpinotes

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ADDRESS = PROJECT["project"]["urls"]["Repository"]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def test_the_repository_has_one_address_everywhere():
    slug = ADDRESS.removeprefix("https://github.com/")
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["repository"]["url"] == ADDRESS
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["repository-code"] == ADDRESS
    texts = [ROOT / "README.md", ROOT / "book/intro.md", *NOTEBOOKS]
    for path in texts:
        found = set(re.findall(r"github(?:\.com)?/([\w-]+/[\w-]+)", path.read_text(encoding="utf-8")))
        assert found <= {slug}, path
    colab = f"https://colab.research.google.com/github/{slug}/blob/v{mpinotes.__version__}/book/"
    assert all(colab + path.name in (ROOT / "README.md").read_text(encoding="utf-8") for path in NOTEBOOKS)


def test_the_version_is_one():
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"]) == mpinotes.__version__
    assert f"## {mpinotes.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_readers_are_told_the_pythons_of_the_package():
    classifiers = PROJECT["project"]["classifiers"]
    first, *_, last = (text.removeprefix("Programming Language :: Python :: ") for text in classifiers)
    assert PROJECT["project"]["requires-python"] == f">={first}"
    for page in ("README.md", "book/intro.md", "book/teachers.md"):
        assert set(re.findall(r"Python (3\.\d+ to 3\.\d+)", (ROOT / page).read_text(encoding="utf-8"))) == {
            f"{first} to {last}"
        }


def test_every_chapter_is_in_the_table_of_contents():
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    assert all(f"book/{path.stem}" in contents for path in NOTEBOOKS)


def test_releases_stay_small():
    total = sum(path.stat().st_size for path in (ROOT / "mpinotes/pretrained").glob("*.safetensors"))
    assert 0 < total < 25e6


SOURCES = sorted(path for room in ("mpinotes", "book", "tests") for path in (ROOT / room).rglob("*.py"))


def calls_in_the_encoding_of_the_machine(source):
    """Lines that read or write text, of a file or a process, and name no encoding."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or any(keyword.arg == "encoding" for keyword in node.keywords):
            continue
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if method else getattr(node.func, "id", "")
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        place = 0 if method else 1  # of the mode in open()
        mode = keywords.get("mode", node.args[place] if len(node.args) > place else None)
        text = not (isinstance(mode, ast.Constant) and "b" in str(mode.value))
        expected = {"read_text": 0, "write_text": 1}.get(name)  # arguments before the encoding
        if (
            (expected is not None and len(node.args) <= expected)
            or (name == "open" and text)
            or {"text", "universal_newlines"} & set(keywords)
        ):
            yield node.lineno


def test_calls_without_an_encoding_are_found():
    source = (
        "open(p)\nopen(p, 'rb')\np.open('w')\np.read_text()\np.read_text('utf-8')\np.write_text(t)\nrun(c, text=True)"
    )
    assert list(calls_in_the_encoding_of_the_machine(source)) == [1, 3, 4, 6, 7]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_read_and_written_in_an_encoding_that_is_named(path):
    """The machine's own may be another: records full of Greek letters were read as cp1252."""
    assert not list(calls_in_the_encoding_of_the_machine(path.read_text(encoding="utf-8")))
