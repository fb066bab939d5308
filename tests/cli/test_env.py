"""`cnx-mock env`: the exports of a running server, loaded into real shells."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnx_mock import MockServer, Settings
from tests import commands
from tests.cases import cases
from tests.commands import COMMAND

KEY = "cnx_test_" + "ab" * 16
EXAMPLE_KEY = "cnx_test_4f3b2c1d0e9a8f7e6d5c4b3a2f1e0d9c"
TRUST = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
TAKEN_OUT = (*TRUST, "NODE_EXTRA_CA_CERTS", "NO_PROXY", "no_proxy", "SHELL")


def environment(**more: str) -> dict[str, str]:
    """The test's own, but for what would change how the command behaves."""
    return {name: value for name, value in os.environ.items() if name not in TAKEN_OUT} | more


def env(url: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [COMMAND, "env", "--url", url, *arguments]
    options = {"env": environment()} | more
    return commands.run(command, capture_output=True, text=True, timeout=30, check=False, **options)


def printed(url: str, *arguments: str, **more: Any) -> str:
    done = env(url, *arguments, **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(url: str, *arguments: str) -> str:
    """The one line that it says when it cannot."""
    done = env(url, *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    """A server with everything, its CA in a folder whose name every shell must quote."""
    folder = tmp_path_factory.mktemp("data") / 'it\'s "a" $HOME `ls` \\ ’folder'
    with MockServer(settings=Settings(port=0, proxy=True, ca_dir=str(folder))) as running:
        yield running


def test_a_plain_server_has_a_url_and_a_key() -> None:
    with MockServer() as plain:
        assert json.loads(printed(plain.url, "--json")) == {
            "CLOUDNEXUS_BASE_URL": plain.url,
            "CLOUDNEXUS_API_KEY": EXAMPLE_KEY,
        }
        assert printed(f"{plain.url}/", "--key", KEY) == (
            f"export CLOUDNEXUS_BASE_URL={plain.url}\nexport CLOUDNEXUS_API_KEY={KEY}\n"
        )


def test_a_server_with_a_proxy_has_that_and_its_ca(full: MockServer) -> None:
    found = json.loads(printed(full.url, "--json"))
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        assert found[name] == full.proxy_url
    assert found["NO_PROXY"] == found["no_proxy"] == "localhost,127.0.0.1,::1"
    assert (found["NODE_USE_ENV_PROXY"], found["NODE_EXTRA_CA_CERTS"]) == ("1", str(full.ca_path))
    assert {found[name] for name in TRUST} == {str(full.ca_path.with_name("ca-bundle.pem"))}


def test_the_bundle_adds_to_what_is_trusted_and_does_not_grow(full: MockServer, tmp_path: Path) -> None:
    """Asked again in the shell that it has set, and asked with a private CA at hand."""
    first = json.loads(printed(full.url, "--json"))
    bundle = Path(first["SSL_CERT_FILE"])
    text = bundle.read_text()
    assert text.endswith(full.ca_path.read_text())
    again = json.loads(printed(full.url, "--json", env=environment(**first)))
    assert (again["SSL_CERT_FILE"], again["NO_PROXY"], bundle.read_text()) == (str(bundle), first["NO_PROXY"], text)
    private = tmp_path / "private.pem"
    private.write_text("-----BEGIN CERTIFICATE-----\nprivate\n-----END CERTIFICATE-----\n")
    printed(full.url, env=environment(SSL_CERT_FILE=str(private)))
    assert bundle.read_text() == f"{private.read_text()}\n{full.ca_path.read_text()}"


def test_a_server_that_requires_tls_is_named_by_its_https_url() -> None:
    with MockServer(settings=Settings(port=0, require_tls=True)) as strict:
        assert json.loads(printed(strict.url, "--json"))["CLOUDNEXUS_BASE_URL"] == strict.tls_url


@pytest.mark.parametrize("shell", ["bash", "sh", "zsh", "fish", "pwsh"])
def test_a_shell_gets_every_value_as_it_is(full: MockServer, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"needs {shell}")
    lines = printed(full.url, env=environment(SHELL=program))
    show = f"{shlex.quote(sys.executable)} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    show = f"& {show}" if shell == "pwsh" else show
    done = subprocess.run(
        [program, "-c", f"{lines}\n{show}"], capture_output=True, text=True, env=environment(), timeout=30, check=True
    )
    expected = json.loads(printed(full.url, "--json"))
    assert {name: value for name, value in json.loads(done.stdout).items() if name in expected} == expected


def test_every_syntax_quotes_in_its_own_way(full: MockServer) -> None:
    """What the machine has no shell for is compared with the shell's own rules."""
    path = str(full.ca_path)
    by_name = {
        "bash": "export NODE_EXTRA_CA_CERTS=" + shlex.quote(path),
        "fish": "set -gx NODE_EXTRA_CA_CERTS '" + path.replace("\\", "\\\\").replace("'", "\\'") + "'",
        "powershell": "$env:NODE_EXTRA_CA_CERTS = '" + path.replace("'", "''").replace("’", "’’") + "'",
    }
    for shell, line in by_name.items():
        assert line in printed(full.url, "--shell", shell).splitlines()


@pytest.mark.parametrize(
    ("shell", "begins"),
    [
        ("/usr/bin/fish", "set -gx "),
        ("/usr/bin/pwsh", "$env:"),
        ("/bin/zsh", "export "),
        ("", "export "),
    ],
)
def test_the_syntax_is_that_of_the_users_shell(full: MockServer, shell: str, begins: str) -> None:
    assert printed(full.url, env=environment(SHELL=shell)).startswith(begins)


def test_dotenv_quotes_only_where_it_must(full: MockServer, tmp_path: Path) -> None:
    lines = printed(full.url, "--dotenv").splitlines()
    assert lines[:2] == [f"CLOUDNEXUS_BASE_URL={full.url}", f"CLOUDNEXUS_API_KEY={EXAMPLE_KEY}"]
    escaped = str(full.ca_path).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    assert f'NODE_EXTRA_CA_CERTS="{escaped}"' in lines
    with MockServer(settings=Settings(port=0, tls=True, ca_dir=str(tmp_path / "a folder"))) as spaced:
        assert f"NODE_EXTRA_CA_CERTS='{spaced.ca_path}'" in printed(spaced.url, "--dotenv").splitlines()


def test_without_a_server_it_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = refused(f"http://127.0.0.1:{port}")
    assert line.startswith(f"cnx-mock: no cnx-mock answers at http://127.0.0.1:{port}: Connection refused; ")
    assert line.endswith("start one with `cnx-mock serve`, or give the URL of a running one\n")


@cases(
    ("url", "meant"),
    [
        ("127.0.0.1:4270", "http://127.0.0.1:4270"),
        ("[::1]:4270", "http://[::1]:4270"),
        ("https://localhost:1", "http://localhost:1"),
        ("http://h:1/v1", "http://h:1"),
        ("http://h:1/_mock/", "http://h:1"),
    ],
)
def test_what_is_almost_a_servers_url_is_told_as_it_must_be(url: str, meant: str) -> None:
    assert refused(url).endswith(f"{url!r} is not the URL of a server: write {meant}\n")


@cases("url", ["http://h:port", "http://", "http://h/v1", "http://h?x", "h", "ftp://h:1", ""])
def test_what_is_no_servers_url_is_refused(url: str) -> None:
    assert f"{url!r} is not the URL of a server: write one like http://127.0.0.1:4269" in refused(url)


def test_another_server_is_told_apart(full: MockServer) -> None:
    """The proxy's port speaks HTTP too, the HTTPS port refuses plain HTTP with a page of its own."""
    for url in (full.proxy_url, full.tls_url.replace("https", "http")):
        assert "Traceback" not in refused(url)


def test_a_live_key_is_refused_and_not_repeated(full: MockServer) -> None:
    done = env(full.url, "--key", "cnx_live_" + "ab" * 16)
    assert done.returncode == 2
    assert "a live key is never accepted" in done.stderr
    assert "abab" not in done.stderr


def test_a_ca_that_is_on_another_machine_is_left_out_and_said(tmp_path: Path) -> None:
    with MockServer(settings=Settings(port=0, proxy=True, ca_dir=str(tmp_path))) as server:
        server.ca_path.unlink()
        done = env(server.url, "--json")
    assert (done.returncode, "SSL_CERT_FILE" in json.loads(done.stdout)) == (0, False)
    assert done.stderr == f"cnx-mock: the CA is left out, because {tmp_path / 'ca.pem'} cannot be read here: " + (
        "No such file or directory\n"
    )


def test_the_bundle_goes_with_the_ca(full: MockServer, tmp_path: Path) -> None:
    with MockServer(settings=Settings(port=0, tls=True, ca_dir=str(tmp_path))) as server:
        printed(server.url)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca-bundle.pem", "ca-key.pem", "ca.pem"]
    commands.run([COMMAND, "ca", "--ca-dir", tmp_path, "reset"], capture_output=True, check=True, timeout=30)
    assert list(tmp_path.iterdir()) == []


def test_the_help_has_examples() -> None:
    shown = commands.run([COMMAND, "env", "-h"], capture_output=True, text=True, check=True, timeout=30).stdout
    assert 'eval "$(cnx-mock env)"' in shown
    assert "cnx-mock env | source" in shown
