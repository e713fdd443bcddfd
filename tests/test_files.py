import errno
import os

import pytest

from mpinotes.files import save_atomically


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
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="another output folder"):
        save_atomically(tmp_path / "file" / "inside", b"content")


def test_a_device_that_is_full_gives_a_clear_error(tmp_path):
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    (tmp_path / "file.partial").symlink_to("/dev/full")
    with pytest.raises(OSError, match="free space"):
        save_atomically(tmp_path / "file", b"content")
    assert not (tmp_path / "file").exists()
