"""What is built, and from which results: settings that the environment, the package and the data decide."""

from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from sphinx.errors import ConfigError

from book.tools import variants


@pytest.fixture
def config():
    return SimpleNamespace(
        hide_solutions=False,
        html_copy_source=True,
        html_theme_options={"launch_buttons": {}},
        nb_execution_mode="cache",
        nb_execution_cache_path="",
    )


@pytest.fixture
def cache(tmp_path, config, monkeypatch):
    """Choose the cache for a package of this hash and data in this folder."""

    def choose(package, data=""):
        monkeypatch.setattr(variants, "package_hash", lambda: package)
        monkeypatch.setenv("MEDMNIST_ROOT", data)
        variants.choose_cache(SimpleNamespace(srcdir=tmp_path), config)
        return config.nb_execution_cache_path

    return choose


def test_without_a_variant_nothing_changes(config, monkeypatch):
    monkeypatch.delenv("VARIANT", raising=False)
    before = dict(vars(config))
    variants.choose_variant(None, config)
    assert vars(config) == before


def test_the_variant_for_a_class_gives_no_solutions_and_no_sources(config, monkeypatch):
    monkeypatch.setenv("VARIANT", "without-solutions")
    variants.choose_variant(None, config)
    assert config.hide_solutions and not config.html_copy_source
    assert config.html_theme_options == {"launch_buttons": {}, "use_download_button": False}
    assert config.nb_execution_mode == "cache"


def test_the_unexecuted_variant_runs_nothing_and_leaves_results_alone(config, monkeypatch, cache, tmp_path):
    folder = tmp_path / "_build/.jupyter_cache/results"
    folder.mkdir(parents=True)
    monkeypatch.setenv("VARIANT", "unexecuted")
    variants.choose_variant(None, config)
    assert config.nb_execution_mode == "off" and not config.hide_solutions
    assert cache("another") == "" and folder.exists()


def test_an_unknown_variant_is_refused_with_the_known_ones(config, monkeypatch):
    monkeypatch.setenv("VARIANT", "solved")
    with pytest.raises(ConfigError, match="'solved'; there are 'without-solutions' and 'unexecuted'"):
        variants.choose_variant(None, config)


def test_results_stay_while_package_and_data_do(cache):
    folder = Path(cache("one", "here"))
    folder.mkdir(parents=True)
    assert cache("one", "here") == str(folder) and folder.exists()


def test_results_without_the_data_are_dropped_when_its_file_appears_or_changes(cache, tmp_path):
    """The folder's name stays the same."""
    keys = [cache("one", str(tmp_path))]
    for content in (b"the data", b"data of another edition"):
        (tmp_path / "vesselmnist3d.npz").write_bytes(content)
        keys.append(cache("one", str(tmp_path)))
    assert len(set(keys)) == 3 and cache("one", str(tmp_path)) == keys[-1]


def test_the_file_in_the_home_folder_counts_where_no_folder_is_named(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    before = cache("one")
    (tmp_path / ".medmnist").mkdir()
    (tmp_path / ".medmnist/vesselmnist3d.npz").write_bytes(b"the data")
    assert cache("one") != before


@pytest.mark.parametrize("package", ["torch", "numpy", "scipy", "scikit-image", "matplotlib"])
def test_results_of_another_release_of_what_computes_and_draws_are_dropped(cache, monkeypatch, package):
    before = cache("one")
    monkeypatch.setattr(variants, "version", lambda name: "0.0" if name == package else version(name))
    assert cache("one") != before


@pytest.mark.parametrize("package, data", [("two", "here"), ("one", "there")])
def test_results_of_another_package_or_other_data_are_dropped(cache, package, data):
    folder = Path(cache("one", "here"))
    folder.mkdir(parents=True)
    assert cache(package, data) != str(folder) and not folder.exists()
