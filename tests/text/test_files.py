"""A file is written as a whole or not at all, and folders for what cnx-mock writes."""

import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnx_mock.errors import UsageError
from cnx_mock.sweep.reproduction import write_scenario
from cnx_mock.text.files import check_file_name, create_file, make_folder, replace_file


@pytest.fixture
def wide_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_has_the_permissions_that_files_get(tmp_path: Path, wide_umask: None) -> None:
    replace_file(tmp_path / "new", b"content")
    create_file(tmp_path / "created", b"content")
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()] == [0o666, 0o666]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_bytes(b"old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o640)


def test_a_file_that_is_there_is_not_created_again(tmp_path: Path) -> None:
    (tmp_path / "story").write_bytes(b"mine")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "story", b"other")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("story", b"mine")]


@pytest.mark.parametrize("write", [replace_file, create_file])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.chmod", full)
    with pytest.raises(OSError, match="No space left") as failure:
        write(tmp_path / "report", b"new")
    assert failure.value.filename == str(tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_a_live_key_is_not_the_name_of_a_file() -> None:
    with pytest.raises(UsageError, match=r"^out/cnx_live_redacted\.json: the name contains a live key"):
        check_file_name("out/cnx%5Flive_4f3b2c1d.json")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is what is asked")
@pytest.mark.parametrize("name", [".cnx-mock/shrunk.yaml", ".cnx-mock/sweep/a.yaml", ".cnx-mock/deep/er/b.yaml"])
def test_git_does_not_see_what_is_written_into_our_folder(tmp_path: Path, name: str) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    write_scenario(tmp_path / name, ["why"], {"name": "a"})
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, cwd=tmp_path, capture_output=True, check=True).stdout == b""


def test_a_relative_folder_is_ignored_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(Path(".cnx-mock"))
    assert (tmp_path / ".cnx-mock" / ".gitignore").read_text().endswith("\n*\n")


def test_what_people_wrote_there_stays(tmp_path: Path) -> None:
    ignored = tmp_path / ".cnx-mock" / ".gitignore"
    ignored.parent.mkdir()
    ignored.write_text("!*\n")
    make_folder(tmp_path / ".cnx-mock" / "sweep")
    assert ignored.read_text() == "!*\n"


def test_a_folder_of_the_users_own_gets_no_file_of_ours(tmp_path: Path) -> None:
    make_folder(tmp_path / "cells" / "sweep")
    assert list(tmp_path.rglob(".gitignore")) == []


def test_a_folder_of_ours_that_finds_a_full_disk_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(OSError, match="No space left") as failure:
        make_folder(tmp_path / ".cnx-mock" / "sweep")
    assert failure.value.filename == str(tmp_path / ".cnx-mock" / ".gitignore")
