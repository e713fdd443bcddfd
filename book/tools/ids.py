"""Give cells of the notebooks that have no id of their own a new one of eight hex digits: `make ids`.

A copied chapter brings the ids of the other along, and JupyterLab's are longer. Other ids stay as they are.
"""

import json
import re
import secrets
from pathlib import Path


def renew(notebooks: list[dict]) -> int:
    """Change ids that are no eight hex digits or stand twice (the later one); returns how many."""
    taken: set[str] = set()
    changed = 0
    for cell in (cell for notebook in notebooks for cell in notebook["cells"]):
        name = cell.get("id", "")
        while name in taken or not re.fullmatch("[0-9a-f]{8}", name):
            name = secrets.token_hex(4)
        changed += name != cell.get("id")
        taken.add(name)
        cell["id"] = name
    return changed


def main() -> None:
    paths = sorted(Path(__file__).parents[1].glob("*.ipynb"), key=lambda path: (path.stat().st_mtime, path.name))
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    before = [json.dumps(notebook) for notebook in notebooks]
    print(f"{renew(notebooks)} new ids")
    for path, notebook, text in zip(paths, notebooks, before, strict=True):
        if json.dumps(notebook) != text:
            path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
