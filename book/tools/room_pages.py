"""A Sphinx extension: docstrings as we write them, on pages that autodoc makes.

autodoc documents what a room lists in `__all__`. Three things it cannot know: that the string below a
constant may stand in another module of the room, that our prose has |moduli| and `name`² and no other
markup than backticks, and that a default may have no form in which it can be written.
"""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

import mpinotes

LONGEST_VALUE = 100
"""Characters of a constant's value that are worth showing."""


def adopt_constants(app: Sphinx) -> None:
    """Copy the strings to the rooms, with a note for autodoc to leave out values that fill the page,
    and folders, which are this machine's."""
    for _, name, is_package in pkgutil.iter_modules(mpinotes.__path__, "mpinotes."):
        if not is_package:
            continue
        room = importlib.import_module(name)
        analyzer = ModuleAnalyzer.for_module(name)
        analyzer.analyze()
        for _, module, _ in pkgutil.iter_modules(room.__path__, f"{name}."):
            for (owner, constant), lines in ModuleAnalyzer.for_module(module).find_attr_docs().items():
                if not owner and constant in room.__all__:
                    analyzer.attr_docs["", constant] = list(lines)
        for (owner, constant), lines in analyzer.attr_docs.items():
            value = getattr(room, constant)
            if not owner and (len(repr(value)) > LONGEST_VALUE or isinstance(value, Path)):
                lines += [":meta hide-value:", ""]


def keep_prose(app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """Take the meaning from all characters before the example but backticks, which may touch others."""
    for place, line in enumerate(lines):
        if line.startswith(">>>"):
            return
        parts = re.split(r"(``[^`]+``|`[^`]+`)", line)
        parts[::2] = [re.sub(r"([*|])|(?<=\w)(_)(?!\w)", r"\\\1\2", text) for text in parts[::2]]
        for i in range(1, len(parts), 2):
            before, after = parts[i - 1][-1:].strip(), parts[i + 1][:1].strip()
            parts[i] = ("\\ " if before else "") + parts[i] + ("\\ " if after else "")
        lines[place] = "".join(parts)


def shorten_defaults(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Three dots for <factory> and <function …>, which are no Python."""
    return re.sub(r"<(?:function [^>]*<lambda>|[^<>]*)>", "...", signature) if signature else signature, returns


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", adopt_constants)
    app.connect("autodoc-process-docstring", keep_prose)
    app.connect("autodoc-process-signature", shorten_defaults)
    return {"parallel_read_safe": True}
