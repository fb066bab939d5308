"""`cnx-mock ca`: where the local CA is, how to trust it, and how to be rid of it."""

import os
import shlex
import ssl
import subprocess
from pathlib import Path

import pytest

from tests import commands
from tests.commands import COMMAND


def ca(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return commands.run(
        [COMMAND, "ca", *arguments],
        env=os.environ | {"CNX_MOCK_CA_DIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def printed(folder: Path, *arguments: str) -> str:
    done = ca(folder, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_path_makes_the_ca_once_and_prints_where_it_is(tmp_path: Path) -> None:
    path = Path(printed(tmp_path / "a folder", "path").removesuffix("\n"))
    assert path == tmp_path / "a folder" / "ca.pem"
    text = path.read_text()
    [known] = [ssl.create_default_context(cadata=text).get_ca_certs()[0]["subject"][1][0][1]]
    assert known.startswith("cnx-mock local CA ")
    printed(tmp_path / "a folder", "path")
    assert path.read_text() == text


def test_the_folder_may_be_an_option_too(tmp_path: Path) -> None:
    assert printed(tmp_path / "one", "--ca-dir", str(tmp_path / "two"), "path") == f"{tmp_path / 'two' / 'ca.pem'}\n"


def test_the_hint_names_every_system_and_variable_and_quotes_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "it's"
    said = printed(folder, "install-hint")
    for word in ("Debian", "Fedora", "macOS", "Windows", "update-ca-certificates", "update-ca-trust", "certutil"):
        assert word in said
    exports = [shlex.split(line, comments=True)[1] for line in said.splitlines() if "export" in line]
    variables = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
    assert exports == [f"{name}={folder / 'ca.pem'}" for name in variables]


def test_reset_removes_it_and_the_next_use_makes_another(tmp_path: Path) -> None:
    path = Path(printed(tmp_path, "path").removesuffix("\n"))
    first = path.read_text()
    assert printed(tmp_path, "reset") == f"removed the CA in {tmp_path}\n"
    assert list(tmp_path.iterdir()) == []
    assert printed(tmp_path, "reset") == f"there is no CA in {tmp_path}\n"
    printed(tmp_path, "path")
    assert path.read_text() != first


@pytest.mark.parametrize("command", ["path", "install-hint"])
def test_a_broken_folder_is_one_clear_line(tmp_path: Path, command: str) -> None:
    (tmp_path / "ca").touch()
    done = ca(tmp_path / "ca", command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"cnx-mock: the CA in {tmp_path / 'ca'} cannot be used: ")
    assert done.stderr.count("\n") == 1


def test_reset_mends_a_broken_key(tmp_path: Path) -> None:
    key = tmp_path / "ca-key.pem"
    key.touch(mode=0o600)
    key.write_text("nonsense")
    assert "`cnx-mock ca reset` removes it" in ca(tmp_path, "path").stderr
    printed(tmp_path, "reset")
    printed(tmp_path, "path")


# ---- names of one's own


def test_path_and_hint_show_the_ca_for_names(tmp_path: Path) -> None:
    given = ["--tls-name", "mock", "--tls-name", "cloudnexus.local"]
    both = Path(printed(tmp_path, "path", *given).removesuffix("\n"))
    assert both.read_text().count("BEGIN CERTIFICATE") == 2
    assert both == Path(printed(tmp_path, "path", *given[2:], *given[:2]).removesuffix("\n"))
    said = printed(tmp_path, "install-hint", *given)
    assert f"The CA is {both.with_name('ca.pem')}\n" in said
    assert "for mock, cloudnexus.local, localhost and loopback addresses, and for nothing else." in said
    assert f"export SSL_CERT_FILE={both} " in said
    assert f"sudo cp {both.with_name('ca.pem')} /usr/local" in said, "a system's store takes one certificate in a file"


def test_reset_removes_the_ca_for_names_too(tmp_path: Path) -> None:
    printed(tmp_path, "path", "--tls-name", "mock")
    printed(tmp_path, "reset")
    assert list(tmp_path.iterdir()) == []


def test_a_bad_name_is_one_clear_line(tmp_path: Path) -> None:
    done = ca(tmp_path, "path", "--tls-name", "mock:8443")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "cnx-mock: 'tls-name': 'mock:8443' has a port: a certificate's names have none\n"
