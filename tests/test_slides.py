"""Slides of a tiny built book: one file, nothing fetched, the first figure of every section."""

import base64
import re
import subprocess
import sys

import pytest

from book.tools import slides

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CHAPTER = r"""<html><body><div><h1>header of the theme</h1><img alt="logo" src="logo.png"></div><article>
<h1>1. Of &lt;fields&gt;<a class="headerlink">#</a></h1><ul><li>read <span class="math">\(\bar\alpha_t\)</span> of
<span class="math">\(x_{LR}\)</span></li></ul>
<h2>A first section<a class="headerlink">#</a></h2><img alt="prose" src="../_images/a.png">
<div class="cell_output"><img alt="A curve &amp; its slope" src="../_images/a.png"></div>
<div class="cell_output"><img alt="another one" src="../_images/a.png"></div>
<h2>A slider<a class="headerlink">#</a></h2>
<div class="cell_output"><img class="frame" alt="t = 1" hidden src="data:image/png;base64,AAAA">
<img class="frame" alt="t = 2" src="data:image/png;base64,BBBB"></div>
<h2>A number<a class="headerlink">#</a></h2>
<figure class="cell_output"><div class="cell_output"><img alt="Two curves" src="../_images/a.png"></div>
<figcaption><p><span>Fig. 1.2 </span><span>What to see.</span><a class="headerlink">#</a></p></figcaption></figure>
<h2>No words<a class="headerlink">#</a></h2>
<div class="cell_output"><img alt="../_images/a.png" src="../_images/a.png"></div>
</article></body></html>"""


@pytest.fixture
def built(tmp_path):
    for folder in ("book", "_images"):
        (tmp_path / "html" / folder).mkdir(parents=True)
    (tmp_path / "html/_images/a.png").write_bytes(PNG)
    for name in ("02_second.html", "01_first.html"):
        (tmp_path / "html/book" / name).write_text(CHAPTER, encoding="utf-8")
    (tmp_path / "html/book/intro.html").write_text("<h1>The <em>book</em>#</h1>", encoding="utf-8")
    return tmp_path


def run(built):
    return subprocess.run(
        [sys.executable, slides.__file__, built / "html", built / "slides.html"],
        capture_output=True,
        encoding="utf-8",
    )


def test_a_chapter_gives_its_goals_and_the_first_shown_figure_of_each_section(built):
    chapter = slides.read_chapter(built / "html/book/01_first.html")
    assert chapter.title == "1. Of <fields>" and chapter.goals == ["read α̅_t of x_LR"]
    assert [(f.section, f.caption, f.alt) for f in chapter.figures] == [
        ("A first section", "A curve & its slope", "A curve & its slope"),
        ("A slider", "t = 2", "t = 2"),
        ("A number", "Fig. 1.2 What to see.", "Two curves"),
        ("No words", "", ""),
    ]
    assert base64.b64decode(chapter.figures[0].source.removeprefix("data:image/png;base64,")) == PNG
    assert chapter.figures[1].source == "data:image/png;base64,BBBB"


def test_one_file_holds_all_and_fetches_nothing(built):
    done = run(built)
    assert done.returncode == 0 and "2 chapters, 8 figures" in done.stdout
    text = (built / "slides.html").read_text(encoding="utf-8")
    assert text.count("<section>") == 1 + 2 * (1 + 4) + 1
    assert "<h1>1. Of &lt;fields&gt;</h1>" in text and 'alt="A curve &amp; its slope"' in text
    assert all(source.startswith("data:") for source in re.findall(r'src="([^"]*)"', text))
    assert not re.search(r"https?:|url\(|@import|<link", text)
    assert 'alt="No words"' in text  # a picture without words is named by its section


def test_without_a_book_it_says_what_to_do(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 1 and done.stderr.strip().endswith("run 'make book' first")
