"""A report is written as a whole or not at all: a full disk leaves the old one as it was."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cnx_mock.cli.report_file import ReportFile
from cnx_mock.errors import UsageError
from cnx_mock.sweep.reproduction import write_scenario

resource = pytest.importorskip("resource", reason="Windows has no such limit")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file may be longer than 100 bytes; the system's error for that is another one than for a full disk.

    Not a fixture: pytest reports while fixtures still stand, and its own output may be a file.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)  # Python would leave 100 bytes of it
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("name", ["report.json", "report.html", "report.xml"])
def test_a_full_disk_leaves_the_old_report_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("the old report")
    with full_disk(), pytest.raises(UsageError, match=f"^the report {path} cannot be written: File too large$"):
        ReportFile(str(path)).write(b"new" * 100)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [(name, "the old report")]


def test_a_full_disk_leaves_the_old_scenario_whole(tmp_path: Path) -> None:
    path = tmp_path / "cell.yaml"
    path.write_text("name: old\n")
    with full_disk(), pytest.raises(OSError, match="File too large") as failure:
        write_scenario(path, ["a comment " * 20], {"name": "new"})
    assert failure.value.filename == str(path)
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("cell.yaml", "name: old\n")]


def test_a_report_is_stored_without_live_keys(tmp_path: Path) -> None:
    ReportFile(str(tmp_path / "report.json")).write(b'{"command": ["cnx_live_4f3b2c1d"]}')
    assert (tmp_path / "report.json").read_text() == '{"command": ["cnx_live_redacted"]}'


def test_a_report_has_no_live_key_in_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the name contains a live key"):
        ReportFile(str(tmp_path / "cnx_live_4f3b2c1d.json"))
    assert list(tmp_path.iterdir()) == []
