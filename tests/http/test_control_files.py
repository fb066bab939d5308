"""The control plane loads the file that a call needs: the table of files agrees with what they declare."""

import json
import subprocess
import sys

from cnx_mock import MockServer
from cnx_mock.asgi import _WORDS
from cnx_mock.audit import control as audit
from cnx_mock.http import control
from tests.cases import cases
from tests.conftest import Client


@cases("name", control.FILES)
def test_the_words_of_a_file_are_those_of_its_paths(name: str) -> None:
    resources = control.resources(control.FILES[name][0])  # two files may have paths with the same word
    resource = next(each for each in resources if each.name == f"_mock.{name}")
    assert {control.first_word(each.path) for each in resource.operations} == {*control.FILES[name]}


def test_so_are_those_of_the_audit() -> None:
    assert {control.first_word(each.path) for each in audit.resource.operations} == {*_WORDS}


def test_a_call_loads_no_other_file() -> None:
    script = (
        "import json, sys\nfrom cnx_mock import MockServer\n"
        "with MockServer() as server: server.call('GET', '/readings')\n"
        "print(json.dumps([each for each in sys.modules if each.startswith('cnx_mock.http.control.')]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    loaded = {name.rpartition(".")[2] for name in json.loads(done.stdout)}
    assert loaded - {"guard", "plane", "refused_page"} == {"readings"}


@cases(
    ("method", "path", "status", "said"),
    [
        ("GET", "/_mock", 200, "sandboxes"),
        ("GET", "/_mockery", 404, "/_mockery"),
        ("GET", "/_mock/clok", 404, "did you mean '/_mock/clock'?"),
        ("GET", "/_mock/clock/advanse", 404, "did you mean '/_mock/clock/advance'?"),
        ("DELETE", "/_mock/clock", 405, "GET, HEAD, P"),
        ("HEAD", "/_mock/clock", 200, ""),
    ],
)
def test_a_path_that_does_not_exist_is_compared_with_all(
    server: MockServer, method: str, path: str, status: int, said: str
) -> None:
    reply = Client(server.url, server.sandbox().api_key).call(method, path)
    assert (reply.status, said in reply.body.decode()) == (status, True), reply.body
