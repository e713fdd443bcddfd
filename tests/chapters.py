"""What several tests read from the notebooks: prose, exercises, and the code in their solutions."""

import json
import re
from pathlib import Path

BOOK = Path(__file__).parent.parent / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name[:2].isdigit()]


def cells(path, kind):
    """Notebook cells of one kind ("code" or "markdown"), with their source as one text."""
    found = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]
    return [cell | {"source": "".join(cell["source"])} for cell in found]


def prose(path):
    return "\n\n".join(cell["source"] for cell in cells(path, "markdown"))


def blocks(text, directive):
    """(argument, content) of every directive of this name; the fence may have three backticks or more."""
    pattern = rf"^(```+)\{{{directive}\}} ?([^\n]*)\n(.*?)^\1$"
    return [(argument, content) for _, argument, content in re.findall(pattern, text, re.MULTILINE | re.DOTALL)]


def solution_code(path):
    """Label and Python code of every solution that has some, in order."""
    codes = [(label, re.findall(r"^~~~python\n(.*?)^~~~$", content, re.MULTILINE | re.DOTALL))
             for label, content in blocks(prose(path), "solution")]  # fmt: skip
    return [(label, "\n".join(parts)) for label, parts in codes if parts]
