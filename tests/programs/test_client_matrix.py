"""Real programs in several languages, each led to the mock in every way, with the environment of `cnx-mock env` and not
a changed line. Where the tool is not on the machine its tests are skipped; in .ci/run they are required."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cnx_mock import MockServer
from tests import commands
from tests.commands import COMMAND

from .client_matrix import CLIENTS, PROGRAMS, WAYS, Client

pytestmark = [pytest.mark.clients, pytest.mark.judge, pytest.mark.slow]

OBEYS = {"fetch.mjs": ((22, 21), (24, 0)), "https.mjs": ((22, 21), (24, 5))}
"""From which Node on the environment's proxy is obeyed: in its line 22, and in 24 and later."""

QUICK_JVM = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of a JVM that ends before they would slow it down."""
QUICK_TOOL = [f"-J{option}" for option in QUICK_JVM]
"""The same for the tools of the JDK."""


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(tls=True, proxy=True) as server:
        yield server


@pytest.fixture(scope="module")
def environment(server: MockServer) -> dict[str, str]:
    """What `cnx-mock env` sets, on top of this environment."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("CNX_MOCK_")}
    done = commands.run([COMMAND, "env", "--url", server.url, "--json"], capture_output=True, env=mine, check=True)
    return mine | json.loads(done.stdout)


@pytest.fixture(scope="module")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program in Go, built with nothing but the standard library."""
    program = tmp_path_factory.mktemp("go") / "client"
    environ = os.environ | {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "CGO_ENABLED": "0"}
    subprocess.run(["go", "build", "-o", program, PROGRAMS / "client.go"], env=environ, check=True)
    return str(program)


@pytest.fixture(scope="module")
def java_classes() -> str:
    """Where the program in Java is, compiled when it or its compiler is new."""
    source, compiler = PROGRAMS / "Client.java", Path(shutil.which("javac") or "").resolve()
    name = hashlib.sha256(f"{compiler} {compiler.stat().st_mtime_ns}\n{source.read_text()}".encode()).hexdigest()
    folder = commands.ROOT / ".cache" / "java" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = tempfile.mkdtemp(dir=folder.parent)
        subprocess.run(["javac", *QUICK_TOOL, "-d", made, source], check=True)
        with suppress(OSError):  # another run was first
            Path(made).rename(folder)
    return str(folder)


@pytest.fixture(scope="module")
def java_options(server: MockServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The options that lead a JVM to the mock, by way: it obeys no variable of the others."""
    store = tmp_path_factory.mktemp("java") / "trust.p12"
    command = ["keytool", *QUICK_TOOL, "-importcert", "-noprompt", "-alias", "cnx-mock", "-file", str(server.ca_path)]
    subprocess.run([*command, "-keystore", str(store), "-storepass", "changeit"], check=True, capture_output=True)
    trusting = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit"
    proxy = urlsplit(server.proxy_url)
    through = f"-Dhttps.proxyHost={proxy.hostname} -Dhttps.proxyPort={proxy.port}"
    return {"base URL": "-Xshare:auto", "TLS": trusting, "proxy": f"{trusting} {through}"}


def there(tool: str) -> None:
    """Skip where a tool is not on this machine; fail where it has to be."""
    needed = "javac" if tool == "java" else tool
    if tool != "python" and shutil.which(needed) is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {needed}")


def obeys_a_proxy(program: str) -> None:
    """Skip where Node is too old to obey a proxy of the environment; fail where it must not be."""
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    major, minor = (int(part) for part in done.stdout.strip().lstrip("v").split(".")[:2])
    line22, later = OBEYS[Path(program).name]
    if not ((major, minor) >= later or (major == 22 and (major, minor) >= line22)):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            f"Node {done.stdout.strip()} knows no NODE_USE_ENV_PROXY"
        )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name.replace("`", ""))
def test_a_program_reaches_the_mock_unchanged(
    client: Client, way: str, server: MockServer, environment: dict[str, str], request: pytest.FixtureRequest
) -> None:
    there(client.tool)
    command = list(client.command)
    if client.tool == "node":
        if way == "proxy":
            obeys_a_proxy(command[0])
        command = ["node", *command]
    elif client.tool == "python":
        command = [sys.executable, *command]
    elif client.tool == "java":
        options = [*request.getfixturevalue("java_options")[way].split(), *QUICK_JVM]
        command = ["java", *options, "-cp", request.getfixturevalue("java_classes"), Path(command[0]).stem]
    elif client.tool == "go":
        command = [request.getfixturevalue("go_program")]
    sandbox = server.sandbox()
    urls = {"base URL": server.url, "TLS": server.tls_url, "proxy": "https://api.cloudnexus.com"}
    environ = environment | {"CLOUDNEXUS_BASE_URL": urls[way], "CLOUDNEXUS_API_KEY": sandbox.api_key}
    done = commands.run(command, capture_output=True, text=True, timeout=60, env=environ, popen=commands.popen_program)
    assert done.stdout.split() == ["201", "200", "404"], done.stderr
    assert [entry.operation for entry in sandbox.requests] == ["instances.create", "instances.get", "instances.get"]
    host = dict(sandbox.requests[0].request_headers).get("host") or dict(sandbox.requests[0].request_headers)["Host"]
    assert host == urls[way].partition("://")[2]
