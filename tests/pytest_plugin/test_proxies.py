"""Behind a proxy that the environment names: requests to the mock never go to it."""

import os
import socket
import urllib.request

import pytest

from cnx_mock import Sandbox
from tests.pytest_plugin.conftest import Run

README = """
def test_it(cnx):
    import urllib.request
    request = urllib.request.Request(f"{cnx.url}/v1/plans", headers={"Authorization": f"Bearer {cnx.api_key}"})
    assert urllib.request.urlopen(request, timeout=10).status == 200

def test_of_a_program(cnx):
    import os, subprocess, sys
    code = (
        "import os, urllib.request as u; r = u.Request(os.environ['CLOUDNEXUS_BASE_URL'] + '/v1/plans');"
        "r.add_header('Authorization', 'Bearer ' + os.environ['CLOUDNEXUS_API_KEY']); print(u.urlopen(r).status)"
    )
    clean = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    done = subprocess.run([sys.executable, "-c", code], env=clean | cnx.env, capture_output=True, text=True, timeout=20)
    assert done.stdout == "200\\n", done.stderr
"""


@pytest.fixture(autouse=True)
def _no_proxy_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(urllib.request, "_opener", None)  # urlopen remembers the proxies of its first call


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "all_proxy"])
def test_the_first_test_of_the_readme_does_not_send_its_key_to_the_proxy(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("NO_PROXY", "db.internal")
        result = run(README)
        result.assert_outcomes(passed=2)
        result.stdout.fnmatch_lines([f"cnx-mock: seed 0, {variable} is set: NO_PROXY will cover this machine *"])
        with pytest.raises(BlockingIOError):
            proxy.accept()
    assert os.environ["NO_PROXY"] == "db.internal"
    assert "no_proxy" not in os.environ


def test_without_a_proxy_nothing_is_set_or_said(run: Run) -> None:
    result = run("def test_it(cnx):\n    import os\n    assert 'NO_PROXY' not in {*os.environ, *cnx.env}")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["cnx-mock: seed 0"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, "localhost,127.0.0.1,::1"),
        ("db.internal, 127.0.0.1", "db.internal,127.0.0.1,localhost,::1"),
        ("*", "*"),
        ("localhost 127.0.0.1,::1", "localhost,127.0.0.1,::1"),
    ],
)
def test_env_covers_this_machine(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, given: str | None, expected: str
) -> None:
    monkeypatch.setenv("https_proxy", "http://192.0.2.1:3128")
    if given is not None:
        monkeypatch.setenv("no_proxy", given)
    assert sandbox.env.get("NO_PROXY") == sandbox.env.get("no_proxy") == expected
