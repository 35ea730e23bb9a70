"""Files are on the disk before anybody says so; a full disk is told, a failed fsync ends the process."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from server.errors import Problem
from server.store.files import Busy, FileStore


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    """An empty store."""
    return FileStore(tmp_path / "media")


def leftovers(store: FileStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file()]


def test_bytes_are_found_under_their_digest(store: FileStore) -> None:
    sha256, size = store.put([b"ab", b"", b"c"])
    assert (sha256, size) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert store.path(sha256).read_bytes() == b"abc"
    assert store.path(sha256).relative_to(store.root).parts == (sha256[:2], sha256)
    assert leftovers(store) == [store.path(sha256)]


@pytest.mark.parametrize("name", ["", "..", "../x", "A" * 64, "0" * 63, "0" * 64 + "\n", "0" * 63 + "/"])
def test_no_other_name_than_a_digest_leads_to_a_file(store: FileStore, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.path(name)
    with pytest.raises(ValueError, match="upload"):
        store.length(name)


def test_the_file_is_synced_before_it_gets_its_name_and_the_folder_after(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(fd: int) -> None:
        log.append("folder" if Path(f"/proc/self/fd/{fd}").is_dir() else "file")
        fsync(fd)

    def noted_rename(source: str, target: str) -> None:
        log.append("rename")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    store.put([b"abc"])
    assert log == ["file", "rename", "folder"]


def test_a_full_disk_refuses_and_leaves_nothing_behind(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(Problem) as refused:
        patched.setattr(os, "write", full)
        store.put([b"abc"])
    assert (refused.value.code, refused.value.status) == ("disk_full", 507)
    assert leftovers(store) == []
    store.put([b"abc"])


def test_a_failed_fsync_ends_the_process(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(BaseException):
        pass

    def broken(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def ended(code: int) -> None:
        raise Ended(code)

    monkeypatch.setattr(os, "fsync", broken)
    monkeypatch.setattr(os, "_exit", ended)
    with pytest.raises(Ended):
        store.put([b"abc"])


def test_an_upload_has_one_writer_and_its_length_is_its_offset(store: FileStore) -> None:
    id = store.new_id()
    assert store.length(id) == 0
    first = store.resume(id)
    first.write(b"abc")
    with pytest.raises(Busy):
        store.resume(id)
    assert store.length(id) == 3
    first.close()
    second = store.resume(id)
    second.write(b"def")
    assert second.sha256() == hashlib.sha256(b"abcdef").hexdigest()
    store.keep([second])
    second.close()
    assert store.length(id) == 6  # it stays until the row is committed, should the process die before that
    store.drop_upload(id)
    assert leftovers(store) == [store.path(hashlib.sha256(b"abcdef").hexdigest())]
