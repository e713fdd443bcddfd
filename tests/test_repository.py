"""What the files around the package promise."""

import re
import tomllib
from pathlib import Path

import yaml

import mpinotes

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ADDRESS = PROJECT["project"]["urls"]["Repository"]
NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))


def test_the_repository_has_one_address_everywhere():
    slug = ADDRESS.removeprefix("https://github.com/")
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["repository"]["url"] == ADDRESS
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["repository-code"] == ADDRESS
    texts = [ROOT / "README.md", ROOT / "book/intro.md", *NOTEBOOKS]
    for path in texts:
        found = set(re.findall(r"github(?:\.com)?/([\w-]+/[\w-]+)", path.read_text()))
        assert found <= {slug}, path
    colab = f"https://colab.research.google.com/github/{slug}/blob/v{mpinotes.__version__}/book/"
    assert all(colab + path.name in (ROOT / "README.md").read_text() for path in NOTEBOOKS)


def test_the_version_is_one():
    assert str(yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]) == mpinotes.__version__
    assert f"## {mpinotes.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_readers_are_told_the_pythons_of_the_package():
    classifiers = PROJECT["project"]["classifiers"]
    first, *_, last = (text.removeprefix("Programming Language :: Python :: ") for text in classifiers)
    assert PROJECT["project"]["requires-python"] == f">={first}"
    for page in ("README.md", "book/intro.md", "book/teachers.md"):
        assert set(re.findall(r"Python (3\.\d+ to 3\.\d+)", (ROOT / page).read_text())) == {f"{first} to {last}"}


def test_every_chapter_is_in_the_table_of_contents():
    contents = (ROOT / "_toc.yml").read_text()
    assert all(f"book/{path.stem}" in contents for path in NOTEBOOKS)


def test_releases_stay_small():
    total = sum(path.stat().st_size for path in (ROOT / "mpinotes/pretrained").glob("*.safetensors"))
    assert 0 < total < 25e6
