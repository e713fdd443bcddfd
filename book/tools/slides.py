"""Slides from the built book: `make slides` writes one file, `_build/slides.html`, that needs no network.

Each chapter gives a title, what one will be able to do, and the first figure of each of its sections, as
the page shows it, with its caption; where it has none, its alternative text stands there.
"""

import argparse
import base64
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

STYLE = """
html { scroll-snap-type: y mandatory; font: 2.6vmin/1.5 system-ui, sans-serif; color: #16202c; background: #fff }
body { margin: 0 }
section { box-sizing: border-box; height: 100vh; padding: 5vmin 7vmin; scroll-snap-align: start; break-after: page;
  display: flex; flex-direction: column; justify-content: center; position: relative }
h1 { font-size: 6vmin; line-height: 1.15; margin: 0 0 3vmin }
h2 { font-size: 4vmin; line-height: 1.2; margin: 0 0 2vmin }
figure { flex: 1; min-height: 0; margin: 0; display: flex; flex-direction: column }
img { flex: 1; min-height: 0; width: 100%; object-fit: contain }
figcaption { padding: 2vmin 0 3vmin; text-align: center }
footer { position: absolute; left: 7vmin; right: 7vmin; bottom: 2vmin; font-size: 1.8vmin; color: #5a6674 }
"""
SCRIPT = """
const slides = [...document.querySelectorAll("section")];
const here = () => slides.findIndex(s => s.getBoundingClientRect().bottom > innerHeight / 2);
const keys = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1,
  Home: -Infinity, End: Infinity};
addEventListener("keydown", event => {
  const move = keys[event.key];
  if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  const next = Math.min(Math.max(here() + (event.shiftKey ? -move : move), 0), slides.length - 1);
  slides[next].scrollIntoView();
});
"""
MATHEMATICS = {
    r"\bar\alpha": "α̅",
    r"\hat x": "x̂",
    r"\gamma": "γ",
    r"\eta": "η",
    r"\lambda": "λ",
    r"\sigma": "σ",
    r"\mathcal ": "",
    r"\,": " ",
}


@dataclass(frozen=True)
class Figure:
    """A figure of a page: the `section` it is in, its `source` as a data URI, its `caption`, and what it shows
    in words, `alt`."""

    section: str
    source: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Chapter:
    """What the slides take from a page."""

    title: str
    goals: list[str]
    figures: list[Figure]


def text_of(tag: Tag) -> str:
    """The words of an element; the formulas that our titles and goals hold, as letters."""
    text = " ".join(tag.get_text().split()).removesuffix("#").strip()
    for tex, letters in MATHEMATICS.items():
        text = text.replace(tex, letters)
    return re.sub(r"_\{(\w+)\}", r"_\1", re.sub(r"\\\((.*?)\\\)", r"\1", text))


def read_chapter(page: Path) -> Chapter:
    """Title, goals and the first figure of each section of a built page."""
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find("article")
    assert isinstance(article, Tag), f"{page}: no article in it"
    title, goals, figures, section = article.find("h1"), article.find("ul"), [], ""
    for tag in article.find_all(["h1", "h2", "img"]):
        if tag.name != "img":
            section = text_of(tag)
        elif (
            tag.find_parent(class_="cell_output")
            and not tag.has_attr("hidden")  # of a slider's pictures the page shows one
            and all(figure.section != section for figure in figures)
        ):
            alt, numbered = _words(tag.get("alt", "")), tag.find_parent("figure")
            caption = text_of(numbered.find("figcaption")) if numbered else alt
            figures.append(Figure(section, _embed(tag["src"], page.parent), caption, alt))
    return Chapter(text_of(title), [text_of(item) for item in goals("li")] if goals else [], figures)


def _embed(source: str, folder: Path) -> str:
    if source.startswith("data:"):
        return source
    path = folder / source
    kind = {".svg": "svg+xml", ".jpg": "jpeg"}.get(path.suffix, path.suffix[1:])
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _words(alt: str) -> str:
    """The alternative text; where a notebook gives none, the page names the file instead."""
    return "" if re.search(r"\.(png|svg|jpe?g)$", alt) else alt


def render(chapters: list[Chapter], title: str) -> str:
    """One page with all slides, styles, pictures and script in it."""
    keys = "Arrow keys, space or scrolling turn the slides; printing gives one a page."
    slides = [f"<h1>{escape(title)}</h1><p>{keys}</p>"]
    for chapter in chapters:
        foot = f"<footer>{escape(chapter.title)}</footer>"
        goals = "".join(f"<li>{escape(goal)}</li>" for goal in chapter.goals)
        slides.append(f"<h1>{escape(chapter.title)}</h1><ul>{goals}</ul>")
        for figure in chapter.figures:
            image = f'<img src="{figure.source}" alt="{escape(figure.alt or figure.section)}">'
            picture = f"<figure>{image}<figcaption>{escape(figure.caption)}</figcaption></figure>"
            slides.append(f"<h2>{escape(figure.section)}</h2>{picture}{foot}")
    slides.append(f"<h1>Thank you</h1><p>{escape(title)}: text and figures under CC BY 4.0, code under MIT.</p>")
    body = "\n".join(f"<section>{slide}</section>" for slide in slides)
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n' + (
        f"<body>\n{body}\n<script>{SCRIPT}</script></body></html>\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("html", type=Path, help="folder of the built book")
    parser.add_argument("out", type=Path, help="the file to write")
    options = parser.parse_args()
    pages = sorted((options.html / "book").glob("[0-9]*.html"))
    if not pages:
        parser.exit(1, f"slides: no chapters in {options.html}/book: run 'make book' first\n")
    chapters = [read_chapter(page) for page in pages]
    index = BeautifulSoup((options.html / "book/intro.html").read_text(encoding="utf-8"), "html.parser")
    options.out.write_text(render(chapters, text_of(index.find("h1"))), encoding="utf-8")
    figures = sum(len(chapter.figures) for chapter in chapters)
    size = options.out.stat().st_size / 1e6
    print(f"wrote {options.out}: {len(chapters)} chapters, {figures} figures, {size:.1f} MB")


if __name__ == "__main__":
    main()
