"""Folders for what cnx-mock writes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from cnx_mock.sweep.reproduction import write_scenario
from cnx_mock.text.files import make_folder


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
