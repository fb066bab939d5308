"""How programs are started, and what their end is called: the same for `run`, `sweep` and `shrink`."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cnx_mock.errors import ProgramError
from cnx_mock.programs import environment
from cnx_mock.programs.environment import Destination, bundle_of, trust_bundle
from cnx_mock.programs.start import ProgramResult, start


def refusing(error: OSError, started: list[list[str]]) -> Callable[[list[str]], int]:
    """A `spawn` that refuses the first command with this error, and notes every one."""

    def spawn(words: list[str]) -> int:
        started.append(words)
        if len(started) == 1:
            raise error
        return 42

    return spawn


def test_a_script_without_a_first_line_is_given_to_the_shell() -> None:
    started: list[list[str]] = []
    assert start(["./plain", "a b"], refusing(OSError(errno.ENOEXEC, "Exec format error"), started)) == 42
    assert started == [["./plain", "a b"], ["/bin/sh", "./plain", "a b"]]


@pytest.mark.parametrize(
    ("number", "status"), [(errno.ENOENT, 127), (errno.ENOTDIR, 127), (errno.EACCES, 126), (errno.E2BIG, 126)]
)
def test_what_cannot_be_started_has_the_status_that_shells_give(number: int, status: int) -> None:
    with pytest.raises(ProgramError) as raised:
        start(["nobody"], refusing(OSError(number, os.strerror(number)), []))
    assert raised.value.status == status


def test_a_shell_that_is_not_there_is_an_error_as_well() -> None:
    def spawn(words: list[str]) -> int:
        raise OSError(errno.ENOEXEC if words[0] == "plain" else errno.ENOENT, "cannot")

    with pytest.raises(ProgramError):
        start(["plain"], spawn)


def test_no_name_at_all_is_never_handed_to_the_system() -> None:
    started: list[list[str]] = []
    with pytest.raises(ProgramError, match="command not found"):
        start([""], refusing(OSError(), started))
    assert started == []


@pytest.mark.parametrize(("status", "shown"), [(0, 0), (5, 5), (-9, 137), (-15, 143)])
def test_a_signal_is_128_and_its_number_as_in_shells(status: int, shown: int) -> None:
    assert ProgramResult(status, 1.5).shell_status == shown


def test_a_bundle_that_several_variables_name_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, others = tmp_path / "ca.pem", tmp_path / "others.pem"
    own.write_text("-----BEGIN OURS")
    others.write_text("-----BEGIN THEIRS")
    read: list[Path] = []

    def read_one(path: Path, most: int) -> bytes:
        read.append(path)
        return path.read_bytes()

    monkeypatch.setattr(environment, "read_regular", read_one)
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    assert (
        bundle_of(own, dict.fromkeys(names, str(others)), tmp_path / "bundle") == b"-----BEGIN THEIRS\n-----BEGIN OURS"
    )
    assert read == [others]


def test_the_bundle_of_trust_lasts_as_long_as_it_is_needed(tmp_path: Path) -> None:
    own, others = tmp_path / "ca.pem", tmp_path / "others.pem"
    own.write_text("-----BEGIN CERTIFICATE-----\nown\n")
    others.write_text("-----BEGIN CERTIFICATE-----\nothers\n")
    with trust_bundle(own, {"SSL_CERT_FILE": str(others)}) as bundle:
        assert bundle is not None
        assert bundle.read_text() == f"{others.read_text()}\n{own.read_text()}"
    assert not bundle.exists()


def test_a_server_without_https_needs_no_bundle() -> None:
    with trust_bundle(None, {}) as bundle:
        assert bundle is None
    environment = Destination("http://127.0.0.1:1", "key", bundle=bundle).environment({"HOME": "/"})
    assert environment == {"HOME": "/", "CLOUDNEXUS_BASE_URL": "http://127.0.0.1:1", "CLOUDNEXUS_API_KEY": "key"}
