"""How many Python functions a call runs through, from the bytes of the request to the bytes of the answer.

A benchmark says how long a call takes, on a quiet machine. This guard says on any machine whether a call has got
longer: a connection is given the bytes of a request, and writes its answer to a transport that keeps it. What is
written in C (the parser, orjson, pydantic's validation) is not counted.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from cnx_mock import Settings, create_app
from cnx_mock.http.app import load_scenarios
from tests.bench.stage import HERE
from tests.conftest import INSTANCE
from tests.net.in_process import connected

KEY = "cnx_test_3333333333333333333333333333333a"
BODY = json.dumps(INSTANCE).encode()
REQUESTS = {
    "get": (b"GET /v1/instances/{id} HTTP/1.1", b""),
    "list": (b"GET /v1/instances HTTP/1.1", b""),
    "create": (b"POST /v1/instances HTTP/1.1", BODY),
}
BUDGETS = {"get": 21, "list": 21, "create": 37}
"""The most calls of Python functions, in the world of `make bench`. Lower them when a call gets shorter; a change that
raises one needs a reason. Python 3.11 makes a few more than later versions."""


class Caller:
    """One connection to an app, without a socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        app = create_app(Settings(), scenario=load_scenarios([str(HERE / "world.yaml")]))
        self._connection, self._transport = connected(app, loop)
        for _ in range(20):
            self.id = json.loads(self.call("create").partition(b"\r\n\r\n")[2])["id"]

    def call(self, kind: str) -> bytes:
        """The answer."""
        return self.counted(kind)[1]

    def counted(self, kind: str) -> tuple[int, bytes]:
        """How many calls of Python functions it takes, and the answer."""
        line, body = REQUESTS[kind]
        head = [line.replace(b"{id}", getattr(self, "id", "").encode()), b"Host: 127.0.0.1:4269"]
        head += [b"Authorization: Bearer " + KEY.encode(), b"Content-Length: %d" % len(body)]
        data = b"\r\n".join([*head, b"", body])
        self._transport.written = b""
        count = 0

        def seen(frame: object, event: str, argument: object) -> None:
            nonlocal count
            count += event == "call"

        before = sys.getprofile()
        sys.setprofile(seen)
        try:
            self._connection.data_received(data)
        finally:
            sys.setprofile(before)
        return count - 1, self._transport.written  # without the transport's own


@pytest.fixture
def caller() -> Iterator[Caller]:
    with closing(asyncio.new_event_loop()) as loop:
        yield Caller(loop)


@pytest.mark.parametrize("kind", REQUESTS)
def test_a_call_stays_within_its_budget(caller: Caller, kind: str) -> None:
    caller.call(kind)  # what is made on first use is made
    counts = []
    for _ in range(5):
        count, answer = caller.counted(kind)
        assert answer.startswith(b"HTTP/1.1 201 " if kind == "create" else b"HTTP/1.1 200 ")
        counts.append(count)
    assert min(counts) <= BUDGETS[kind], f"a {kind} takes {counts} calls into Python"


def test_one_more_function_in_a_call_is_counted(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    caller.call("get")
    before = min(caller.counted("get")[0] for _ in range(5))
    begin = caller._connection._begin

    def one_more(*given: Any) -> bytes | object | None:
        return begin(*given)

    monkeypatch.setattr(caller._connection, "_begin", one_more)
    assert min(caller.counted("get")[0] for _ in range(5)) == before + 1
