"""A Sphinx extension: the networks that sample in the pages, as files that a page fetches when a reader asks."""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from mpinotes.display import network_file
from mpinotes.methods import load
from mpinotes.pretrained.code import package_hash

NAMES = ("sm_algorithm1", "sm_aware")
"""Those that chapters give to `explore_sampling`."""


def write_networks(app: Sphinx, exception: Exception | None) -> None:
    """Write the files that are not of this code and these weights already."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "networks"
    folder.mkdir(parents=True, exist_ok=True)
    mark = f"// {package_hash()}\n"
    for name in NAMES:
        path = folder / f"{name}.js"
        if not (path.exists() and path.read_text(encoding="utf-8").startswith(mark)):
            path.write_text(mark + network_file(name, load(name)), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", write_networks)
    return {"parallel_read_safe": True}
