"""The reference says what the code says, and its examples work."""

import shlex

import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.api.operation import Operation
from tests.cases import cases
from tests.conftest import Client
from tests.docs import control_plane
from tests.docs.generate import ROOT, outdated


@pytest.mark.slow
def test_the_reference_is_that_of_the_code() -> None:
    assert [str(path.relative_to(ROOT)) for path in outdated()] == [], "run make docs"


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 200


def test_the_port_of_the_examples_is_the_default() -> None:
    assert f"http://{Settings().host}:{Settings().port}" == control_plane.BASE


def test_every_control_call_has_an_example() -> None:
    assert list(control_plane.EXAMPLES) == [each.name for each in control_plane.operations()]


def test_the_examples_of_the_control_plane_work() -> None:
    with MockServer() as server:
        for operation in sorted(control_plane.operations(), key=_place):
            example = control_plane.EXAMPLES[operation.name]
            client = Client(server.url, control_plane.KEY if example.keyed else None)
            words = shlex.split(" ".join(control_plane.curl(operation)))
            if operation.name == "_mock.events.follow":  # its answer does not end
                assert client.call("HEAD", _path(words)).status == 200
                continue
            reply = client.call(operation.method, _path(words), example.body)
            assert reply.status in operation.statuses, (operation.name, reply.body)
            if operation.name == "_mock.sandboxes.reset":
                assert client.get("/v1/plans").status == 200  # a request for the journal


def _place(operation: Operation) -> tuple[bool, int, bool, bool]:
    """What makes something comes before what reads it; what replaces it comes last, and then what removes it."""
    removes = operation.method == "DELETE"
    makes = operation.method in ("POST", "PUT")
    return removes, -len(operation.path) * removes, operation.name == "_mock.state.put", not makes


def _path(words: list[str]) -> str:
    return next(word.removeprefix(control_plane.BASE) for word in words if word.startswith(control_plane.BASE))


@cases("operation", control_plane.operations(), ids=lambda each: str(each.name))
def test_an_example_is_a_command_as_curl_reads_it(operation: Operation) -> None:
    lines = control_plane.curl(operation)
    words = shlex.split(" ".join(lines))
    assert words[0] == "curl"
    assert ("-X" in words) == (operation.method != "GET")
    assert ("-d" in words) == (operation.body is not None)
