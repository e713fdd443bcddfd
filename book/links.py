"""Print what Sphinx's linkcheck found, as a table of broken and moved addresses: `links.py output.json`.

Links of others break without our doing, and publishers turn robots away: this reports and never fails.
"""

import json
import sys
from pathlib import Path


def rows(report: str) -> list[tuple[str, str, str, str]]:
    """Kind, address, place and reason of each address worth a look, broken ones first."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for line in report.splitlines():
        entry = json.loads(line)
        if entry["status"] in {"broken", "timeout", "redirected"}:
            permanent = entry["code"] in {301, 308}
            kind = "moved" if entry["status"] == "redirected" else entry["status"]
            if kind != "moved" or permanent:
                places = found.setdefault((kind, entry["uri"], entry["info"]), [])
                places.append(f"{entry['filename']}:{entry['lineno']}")
    return sorted((kind, address, ", ".join(sorted(places)), why) for (kind, address, why), places in found.items())


def main() -> None:
    path = Path(sys.argv[1])
    if not path.is_file():
        sys.exit("the build ended before it checked a link: see _build/links.log")
    report = path.read_text(encoding="utf-8")
    table = rows(report)
    for kind, address, places, why in table:
        print(f"{kind:8} {address}\n{'':8}   in {places}\n{'':8}   {why[:110]}")
    checked = len({json.loads(line)["uri"] for line in report.splitlines()})
    print(f"{checked} addresses checked, {len({row[1] for row in table})} to look at")


if __name__ == "__main__":
    main()
