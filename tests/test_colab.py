"""The imitated Colab: what it brings is enough for the package, without running it."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from tests.colab.__main__ import brought

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_colab_s_versions_are_within_the_ranges_of_the_package():
    """Otherwise its first cell would replace what Colab brings."""
    packages = brought([])
    needed = {Requirement(text).name: Requirement(text).specifier for text in PROJECT["dependencies"]}
    assert set(needed) - set(packages) == {"medmnist"}
    assert [name for name, specifier in needed.items() if name in packages and packages[name] not in specifier] == []


def test_a_replacement_takes_the_place_of_its_line():
    assert brought(["torch==9.8.7"]) == brought([]) | {"torch": "9.8.7"}
