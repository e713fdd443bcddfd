"""A Sphinx extension: settings that `_config.yml` cannot hold, because they differ from build to build.

`VARIANT=without-solutions` makes the book for a class, `VARIANT=unexecuted` one whose notebooks do not run.
"""

import hashlib
import os
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from mpinotes.data.scanner_data import measured_folder
from mpinotes.data.vessels import vessels_file
from mpinotes.pretrained import package_hash


def choose_variant(app: Sphinx, config: Config) -> None:
    """Settings of the variant that the environment names."""
    match os.environ.get("VARIANT", ""):
        case "":
            pass
        case "without-solutions":
            config.hide_solutions = True
            # The sources hold the solutions, too.
            config.html_copy_source = False
            config.html_theme_options = config.html_theme_options | {"use_download_button": False}
        case "unexecuted":
            config.nb_execution_mode = "off"
        case unknown:
            raise ConfigError(f"VARIANT is {unknown!r}; there are 'without-solutions' and 'unexecuted'")


def choose_cache(app: Sphinx, config: Config) -> None:
    """A folder of results for this state of package, weights, data and of the packages that compute and draw;
    those of another state are dropped.

    The cache itself compares notebooks alone. When the folder changes, Sphinx reads all pages again, as it
    does for any setting.
    """
    if config.nb_execution_mode == "off":
        return
    versions = [f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "scikit-image", "matplotlib")]
    measured = sorted(measured_folder().glob("*")) if measured_folder() else []
    inputs = " ".join([package_hash(), _state(vessels_file()), *map(_state, measured), *versions])
    cache = Path(app.srcdir, "_build/.jupyter_cache", hashlib.sha256(inputs.encode()).hexdigest()[:16])
    if not cache.exists():
        shutil.rmtree(cache.parent, ignore_errors=True)
    config.nb_execution_cache_path = str(cache)


def _state(path: Path) -> str:
    """Where a file lies and what it holds, or that it is not there."""
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
    return f"{path} {content}"


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("config-inited", choose_variant)
    app.connect("config-inited", choose_cache)
    return {"parallel_read_safe": True}
