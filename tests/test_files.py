import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from mpinotes.files import alone_in, save_atomically


def test_replaces_the_whole_file(tmp_path):
    path = tmp_path / "new" / "file"
    save_atomically(path, b"one")
    save_atomically(path, b"two")
    assert path.read_bytes() == b"two" and os.listdir(path.parent) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "file"
    save_atomically(path, b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left.*free space"):
        save_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_made_gives_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OSError, match="another output folder"):
        save_atomically(tmp_path / "file" / "inside", b"content")


def test_a_file_that_may_not_grow_gives_a_clear_error(tmp_path):
    resource = pytest.importorskip("resource", reason="Needs a system that limits the size of files.")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="free space"):
            save_atomically(tmp_path / "file", bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_a_path_may_be_text(tmp_path):
    save_atomically(f"{tmp_path}/file", b"one")
    assert (tmp_path / "file").read_bytes() == b"one"


def test_a_link_stays_one_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "file"
    link.symlink_to(tmp_path / "disk" / "file")
    for content in (b"one", b"two"):
        save_atomically(link, content)
        assert link.is_symlink() and (tmp_path / "disk" / "file").read_bytes() == content
    assert os.listdir(tmp_path / "disk") == ["file"]


def test_what_is_written_may_be_read_as_any_new_file(tmp_path):
    save_atomically(tmp_path / "file", b"one")
    (tmp_path / "other").write_bytes(b"one")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


WRITER = """
import sys
from mpinotes.files import save_atomically
for _ in range(200):
    save_atomically(sys.argv[1], sys.argv[2].encode() * 100_000)
"""


def test_two_processes_may_write_one_file(tmp_path):
    """Every write succeeds, and a reader only ever meets whole files."""
    path = tmp_path / "file"
    save_atomically(path, b"a" * 100_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, letter]) for letter in "ab"]
    while any(writer.poll() is None for writer in writers):
        content = path.read_bytes()
        assert len(content) == 100_000 and len(set(content)) == 1
    assert [writer.returncode for writer in writers] == [0, 0] and os.listdir(tmp_path) == ["file"]


HOLDER = """
import sys, time
from mpinotes.files import alone_in
with alone_in(sys.argv[1]):
    print("in", flush=True)
    time.sleep(600)
"""


def test_a_folder_is_taken_until_who_holds_it_ends_even_when_killed(tmp_path):
    pytest.importorskip("fcntl", reason="Needs a system with locks on files.")
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"in\n"
    with pytest.raises(BlockingIOError), alone_in(tmp_path):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with alone_in(str(tmp_path)):
        pass


def test_who_waits_for_a_folder_gets_it(tmp_path):
    with alone_in(tmp_path):
        waiter = "from mpinotes.files import alone_in\nimport sys\nwith alone_in(sys.argv[1], wait=True): print('in')"
        process = subprocess.Popen([sys.executable, "-c", waiter, tmp_path], stdout=subprocess.PIPE)
        time.sleep(0.5)
        assert process.poll() is None
    assert process.communicate(timeout=60)[0] == b"in\n"


def test_where_there_are_no_locks_nobody_is_kept_out(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl", reason="Needs a system with locks on files.")

    def none(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", none)
    with alone_in(tmp_path), alone_in(tmp_path):
        pass


def test_a_folder_that_cannot_be_locked_gives_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OSError, match="another output folder"), alone_in(tmp_path / "file"):
        pass
