"""The built book as one PDF: ``python book/tools/print.py``, or ``make pdf``.

Chromium opens each page in the order of the table of contents, lets its mathematics and figures come,
and hands over the text; all of it is printed at once, so that links, page numbers and outline are one.
Solutions are printed unfolded: paper cannot be clicked.
"""

import argparse
import functools
import http.server
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from playwright.sync_api import Page, sync_playwright
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

ROOT = Path(__file__).parents[2]

COLLECT = r"""(path) => {
  // The article as it looks now. Names become unique in the whole book, links lead to those names.
  const article = document.querySelector("article.bd-article");
  const root = location.href.slice(0, -path.length);
  const name = (page, id) => page + "--" + id;
  article.querySelectorAll("script, .headerlink, button, .toggle-button").forEach((e) => e.remove());
  // Folded code is left out; folded tables are shown.
  article.querySelectorAll("details.above-input, details.below-input > summary").forEach((e) => e.remove());
  article.querySelectorAll("details").forEach((e) => (e.open = true));
  article.querySelectorAll(".toggle-hidden").forEach((e) => e.classList.remove("toggle-hidden"));
  article.querySelectorAll("a[href]").forEach((link) => {
    const [page, id] = link.href.split("#");
    link.setAttribute("href", page.startsWith(root) ? "#" + name(page.slice(root.length), id ?? "") : link.href);
  });
  article.querySelectorAll("img").forEach((image) => (image.src = image.src));
  // The styles of a table (its best values are bold) are bound to its name.
  for (const style of article.querySelectorAll("style")) {
    style.textContent = style.textContent.replace(/#(T_\w+)/g, (_, id) => "#" + CSS.escape(name(path, id)));
  }
  article.querySelectorAll("[id]").forEach((e) => (e.id = name(path, e.id)));
  article.id = name(path, "");
  const glyphs = document.querySelector("#MJX-CHTML-styles");
  return [article.outerHTML, glyphs ? [...glyphs.sheet.cssRules].map((rule) => rule.cssText) : []];
}"""

ASSEMBLE = """([title, articles, glyphs]) => {
  document.documentElement.dataset.theme = "light";
  document.title = title;
  document.body.innerHTML = `<main class="bd-main"><div class="bd-content">${articles.join("")}</div></main>`;
  document.head.insertAdjacentHTML("beforeend", `<style>${glyphs.join("")}</style>`);
}"""

PRINT = """
@page { size: A4; margin: 18mm 18mm 20mm; }
html, body { font-size: 10.5pt !important; background: white !important; overflow: visible !important; }
.bd-main .bd-content { display: block !important; margin: 0 !important; overflow: visible !important; }
article.bd-article { break-before: page; padding: 0 !important; width: 100%; overflow: visible !important; }
article.bd-article:first-of-type { break-before: auto; }
.bd-main .bd-content .bd-article h1:first-of-type { display: block !important; margin-top: 0; }
h1, h2, h3, h4 { break-after: avoid; }
p { orphans: 3; widows: 3; }
.cell_input, .sd-card, figure, img, svg.curves, mjx-container[display="true"], tr, dt { break-inside: avoid; }
details.sd-card { break-inside: auto; }
.admonition-title, summary { break-after: avoid; }
img { max-width: 100% !important; height: auto !important; }
pre { white-space: pre-wrap !important; overflow-wrap: anywhere; font-size: 8pt !important; }
.cell_output pre { overflow: visible !important; max-height: none !important; }
table { font-size: 9pt; }
.math, .output, .pst-scrollable-table-container { overflow: visible !important; }
input[type="range"] { print-color-adjust: exact; }
"""

HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) => h.innerText.trim())"""

FOOTER = """<div style="width: 100%; text-align: center; font-size: 8pt"><span class="pageNumber"></span></div>"""


def pages(contents: Path) -> list[str]:
    """The pages of a table of contents, in its order, without suffix."""

    def walk(entry: dict) -> Iterator[str]:
        yield from [entry[key] for key in ("root", "file") if key in entry]
        for key in ("parts", "chapters", "sections"):
            for child in entry.get(key, []):
                yield from walk(child)

    return list(walk(yaml.safe_load(contents.read_text(encoding="utf-8"))))


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder: fonts do not load from files."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def collect(page: Page, address: str, path: str) -> tuple[str, list[str]]:
    """The article of a page and the style rules of its formulas' glyphs."""
    page.goto(address + path, wait_until="networkidle")
    page.wait_for_function(
        "document.querySelectorAll('mjx-container').length >= document.querySelectorAll('.math').length"
    )
    article, glyphs = page.evaluate(COLLECT, path)
    return article, glyphs


def name_outline(pdf: Path, titles: list[str]) -> None:
    """Write the headings into the outline: Chromium drops blanks at line breaks and doubles some."""
    logging.getLogger("pypdf").setLevel(logging.ERROR)  # it miscounts Chromium's objects
    writer = PdfWriter(clone_from=pdf)
    remaining = iter(titles)

    def walk(entry: DictionaryObject | None) -> None:
        while entry is not None:
            if "/Title" in entry:
                entry[NameObject("/Title")] = TextStringObject(" ".join(next(remaining).split()))
            walk(entry["/First"].get_object() if "/First" in entry else None)
            entry = entry["/Next"].get_object() if "/Next" in entry else None

    walk(writer.root_object["/Outlines"].get_object())
    if next(remaining, None) is not None:
        raise SystemExit("the outline has fewer entries than the book has headings")
    writer.write(pdf)


def print_book(html: Path, out: Path, title: str) -> None:
    """Write the PDF of a built book."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("no chromium: install your distribution's chromium package")
    with served(html) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1400}, color_scheme="light")
        articles, glyphs = [], {}
        for name in pages(ROOT / "_toc.yml"):
            article, rules = collect(page, address, f"{name}.html")
            articles.append(article)
            glyphs.update(dict.fromkeys(rules))
        page.goto(f"{address}{pages(ROOT / '_toc.yml')[0]}.html", wait_until="networkidle")
        page.evaluate(ASSEMBLE, [title, articles, list(glyphs)])
        page.add_style_tag(content=PRINT)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready.then(() => true)")
        out.parent.mkdir(parents=True, exist_ok=True)
        titles = page.evaluate(HEADINGS)
        page.pdf(
            path=out, prefer_css_page_size=True, print_background=True, outline=True, tagged=True,
            display_header_footer=True, header_template="<span></span>", footer_template=FOOTER,
        )  # fmt: skip
        browser.close()
    name_outline(out, titles)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--html", type=Path, default=ROOT / "_build/html", help="folder of the built book")
    parser.add_argument("--out", type=Path, default=ROOT / "_build/mpinotes.pdf")
    options = parser.parse_args()
    if not (options.html / "book").is_dir():
        raise SystemExit(f"no built book in {options.html}: run 'make book' first")
    print_book(options.html, options.out, yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["title"])
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
