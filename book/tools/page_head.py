"""A Sphinx extension: what stands in the head of a page for search engines, link previews and the browser."""

import html
import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

LONGEST = 200  # characters: search engines show no more of a description

STYLE = """<style>div.highlight pre { font-size: 0.76rem; white-space: pre-wrap; overflow-wrap: anywhere;
text-indent: 4ch hanging each-line }</style>"""
"""88 characters of code fit a screen of 1,280 pixels; a longer line, or any on a phone, goes on below, indented."""


def describe(doctree: nodes.document) -> str:
    """The first sentences of a page, as many as a search engine shows."""
    plain = (node for node in doctree.findall(nodes.paragraph) if not any(node.findall(nodes.math)))
    text = next((text for node in plain if len(text := node.astext().replace("\n", " ")) > 60), "")
    while len(text) > LONGEST and re.search(r"[.?!] ", text):
        text = text[: list(re.finditer(r"[.?!] ", text))[-1].start() + 1]
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def write_head(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Add the description, and leave out the scripts of Thebe: the book has no live cells, and the theme adds
    them twice, which is an error in every browser."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in str(getattr(script, "filename", script)).lower()
        and "THEBE" not in str(getattr(script, "attributes", {}).get("body", ""))
    ]
    context["metatags"] = context.get("metatags", "") + STYLE
    if doctree is None:
        return
    title, description = (html.escape(re.sub("<[^>]+>", "", text)) for text in (context["title"], describe(doctree)))
    context["metatags"] += "".join(
        f'\n<meta {kind}="{name}" content="{content}">'
        for kind, name, content in (
            ("name", "description", description),
            ("property", "og:title", title),
            ("property", "og:description", description),
            ("property", "og:type", "article"),
        )
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-page-context", write_head, priority=900)  # after the theme's own
    return {"parallel_read_safe": True, "parallel_write_safe": True}
