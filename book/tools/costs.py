"""A Sphinx extension: what each chapter costs, printed at the end of a build and kept in `_build/costs.txt`."""

import time
from functools import partial
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging


def table(results: dict[str, dict[str, Any]], started: float, ended: float) -> str:
    """One line per notebook: the seconds its execution took, and whether this build only read the result.

    `results` are myst-nb's, by page; what ran between `started` and `ended` ran in this build. (The cache gives
    its times in UTC, as if they were local: they may lie in the future.)
    """
    lines, now, together = [], 0.0, 0.0
    for page, result in sorted(results.items()):
        seconds, ran = result["runtime"], started <= result["mtime"] <= ended
        now, together = now + seconds * ran, together + seconds
        lines.append(f"{seconds:7.1f} s  {page}{'' if ran else ' (from the cache)'}")
    return "\n".join([*lines, f"{together:7.1f} s  together, {now:.1f} s of them in this build"])


def write_costs(app: Sphinx, exception: Exception | None, started: float) -> None:
    """Print and keep the table, for the notebooks whose execution ended well."""
    pages = getattr(app.env, "nb_metadata", {})  # myst-nb's, which is there once it has seen a notebook
    results = {page: data["exec_data"] for page, data in pages.items() if data.get("exec_data", {}).get("runtime")}
    if exception is None and results:
        costs = table(results, started, time.time())
        logging.getLogger(__name__).info("what the chapters cost, by the clock:\n%s", costs)
        Path(app.outdir).with_name("costs.txt").write_text(costs + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", partial(write_costs, started=time.time()))
    return {"parallel_read_safe": True}
