"""Build the book, serve it on this machine, and build again whenever a source changes: `make preview`.

It runs `make book` itself, so that pages never show numbers of another package than the present one.
"""

import contextlib
import functools
import http.server
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PORT = int(os.environ.get("PORT", "8000"))
WATCHED = ("_config.yml", "_toc.yml", "_static/*", "book/**/*", "mpinotes/**/*")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


def state(root: Path = ROOT) -> dict[Path, float]:
    """When each source was last written. What a run leaves behind (checkpoints, byte code) is no source."""
    left, found = {".ipynb_checkpoints", "__pycache__"}, {}
    for path in (path for pattern in WATCHED for path in root.glob(pattern)):
        if path.is_file() and not left & set(path.parts):
            with contextlib.suppress(FileNotFoundError):  # an editor's file for a moment
                found[path] = path.stat().st_mtime
    return found


def main() -> None:
    serve = functools.partial(Quiet, directory=str(ROOT / "_build/html"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    built: dict[Path, float] = {}
    while True:
        if (now := state()) != built:
            changed = sorted(path.relative_to(ROOT).as_posix() for path, _ in set(now.items()) ^ set(built.items()))
            if built:
                print("changed:", ", ".join(dict.fromkeys(changed)), flush=True)
            built = now
            status = subprocess.run(["make", "book", *sys.argv[1:]], cwd=ROOT).returncode
            result = "built" if status == 0 else "the build FAILED, the last pages stay"
            print(f"{result}; http://127.0.0.1:{PORT}/ — stop with Ctrl-C", flush=True)
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print()
