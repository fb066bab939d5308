"""A call takes the direct path through the connection, or the path through ASGI: nobody can tell by the bytes.

Two servers with the same seed get the same random requests, and every byte of their answers is compared. One of them
takes the ASGI path only. What tells real time is left out, the date and when a rate window resets, and so
are the servers' own ports.
"""

import json
import random
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from cnx_mock import MockServer, Settings
from cnx_mock.net import serving
from cnx_mock.net.direct import DirectConnection
from cnx_mock.world.keys import test_key as key_of
from tests.cases import rounds
from tests.conftest import INSTANCE, wire_to

SEED = 20261128
OWN = re.compile(rb'(?m)^(date|x-ratelimit-reset|retry-after): [^\r]*|"(retry_after|reset)":"[0-9]+"|127.0.0.1:[0-9]+')

WORLD = {
    "world": {
        "clock": {"frozen": True, "start": "2026-01-01T00:00:00Z"},
        "rate_limit": "100000/min",
        "balance": "$900",
    },
    "rules": [
        {"id": "sometimes", "match": {"operation": "*.list"}, "probability": 0.1, "fault": {"error": "INTERNAL_ERROR"}},
        {"id": "third", "match": {"method": "DELETE"}, "times": {"every": 3}, "fault": {"status": 503}},
        {"id": "tagged", "match": {"operation": "plans.list"}, "fault": {"headers": {"set": {"X-Tag": "1.10"}}}},
    ],
}
KEYS = [key_of(f"{number:032x}") for number in (10, 11)]
AUTHORIZATIONS = [
    *[f"Authorization: Bearer {key}\r\n" for key in KEYS * 8],
    "",
    "Authorization: Bearer nonsense\r\n",
    f"Authorization: Bearer {KEYS[0].replace('test', 'live')}\r\n",
    f"Authorization: Bearer {key_of('429'.ljust(32, '0'))}\r\n",
    f"Authorization: Bearer {key_of('500'.ljust(32, '0'))}\r\n",
]
PATHS = [
    "/v1/instances",
    "/v1/instances/{id}",
    "/v1/instances/{id}/metrics",
    "/v1/instances/legacy",
    "/v1/plans",
    "/v1/regions",
    "/v1/images",
    "/v1/snapshots",
    "/v1/snapshots/{id}",
    "/v1/firewalls",
    "/v1/firewalls/{id}",
    "/v1/load_balancers",
    "/v1/account",
    "/v1/account/keys",
    "/v1/billing/balance",
    "/v1/billing/transactions",
    "/v1/nowhere",
    "/v1/",
    "/v1",
    "/",
    "/_mock/account",
]
QUERIES = [
    "",
    "",
    "?page=2",
    "?limit=3&page=1",
    "?limit=x",
    "?region=us-east-1&status=running",
    "?a=%20&a=b",
    "?cnx%5flive_1",
]
FAULTS = [
    *[""] * 12,
    "error=RATE_LIMITED",
    "error=INTERNAL_ERROR; at=after",
    "malformed_json",
    "latency=1ms",
    "nonsense=1",
]
LAST_FAULTS = [*FAULTS, "connection=close", "connection=empty", "truncate=5"]
"""Those of the connection end it, so that they come last: what is sent into an end is lost, or not, by chance."""
BODIES: list[Any] = [
    INSTANCE,
    INSTANCE,
    {**INSTANCE, "plan": "gold"},
    {**INSTANCE, "name": "cnx_live_0123456789abcdef"},
    {"name": "s", "instance_id": "{id}"},
    {"name": "f", "rules": []},
    {"balance": "$5"},
    [],
    {},
]


class AsgiPath(DirectConnection):
    """A connection that takes the ASGI path only."""

    def _may_go_directly(self) -> bool:
        return False


@pytest.fixture
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The base URLs of two servers with the same seed: the second one takes the ASGI path only."""
    options = {**request.param}
    secure = options.get("tls", False)
    with ExitStack() as stack:
        servers = []
        for connection in (DirectConnection, AsgiPath):
            monkeypatch.setattr(serving, "DirectConnection", connection)
            servers.append(stack.enter_context(MockServer(WORLD, settings=Settings(port=0, **options))))
        first, second = (server.tls_url if secure else server.url for server in servers)
        yield first, second


class Talk:
    """Random requests, the same for both servers: what a request needs to know comes from the answers before."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.ids = ["inst_0123456789abcdef"]

    def batch(self) -> list[bytes]:
        """The packets of one connection, with one or more requests; after the last one the server closes."""
        messages = [self._message(last=False) for _ in range(self.chance.choice((0, 0, 1, 2, 6)))]
        data = b"".join([*messages, self._message(last=True)])
        if self.chance.random() < 0.5:
            return [data]
        cut = self.chance.randrange(1, len(data))
        return [data[:cut], data[cut:]]

    def _message(self, *, last: bool) -> bytes:
        choice = self.chance.choice
        method = choice(
            ("GET", "GET", "GET", "GET", "HEAD", "POST", "POST", "POST", "DELETE", "PUT", "PATCH", "OPTIONS")
        )
        path = choice(PATHS).replace("{id}", choice(self.ids))
        fault = choice(LAST_FAULTS if last else FAULTS)
        head = f"{method} {path}{choice(QUERIES)} HTTP/1.1\r\nHost: localhost\r\n{choice(AUTHORIZATIONS)}"
        head += f"X-CNX-Mock-Fault: {fault}\r\n" if fault else ""
        head += choice(("", "", "Origin: https://app.example\r\n"))
        head += "Connection: close\r\n" if last else ""
        body = b""
        if method in ("POST", "PUT", "PATCH"):
            body = json.dumps(choice(BODIES)).replace("{id}", choice(self.ids)).encode()
            body = choice((body, body, body, body[:-3], b"\xff" + body, b""))
            head += choice(("Content-Type: application/json\r\n", "", "Content-Type: text/plain\r\n"))
            if choice((True, False, False)) and body:
                head += "Transfer-Encoding: chunked\r\n"
                body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            else:
                head += f"Content-Length: {len(body)}\r\n"
        return f"{head}\r\n".encode() + body

    def learn(self, answers: bytes) -> None:
        """Remember the ids that were answered."""
        self.ids += [each.decode() for each in re.findall(rb'"id":"((?:inst|snap|fw|lb)_[0-9a-f]{16})"', answers)][:1]


def exchanged(url: str, packets: list[bytes]) -> bytes:
    """Everything that a server answers on one connection, without what tells real time."""
    received = b""
    with wire_to(url) as wire, suppress(ConnectionResetError):  # over TLS an end may be one
        for packet in packets:
            wire.sendall(packet)
        while data := wire.recv(1 << 20):
            received += data
    return OWN.sub(b"<own>", received)


def compare(pair: tuple[str, str], batches: int) -> None:
    talk = Talk(SEED)
    for _ in range(batches):
        packets = talk.batch()
        direct, asgi = (exchanged(url, packets) for url in pair)
        assert direct == asgi, f"seed {SEED}: {packets}"
        talk.learn(direct)
    assert len(talk.ids) > 5, "enough went well to mean something"


@pytest.mark.parametrize("pair", [{}], indirect=True)
def test_nobody_can_tell_the_direct_path_from_the_other(pair):
    compare(pair, rounds(100, 150))


@pytest.mark.slow
@pytest.mark.parametrize(
    "pair",
    [{}, {"cors": True}, {"tls": True}],
    indirect=True,
    ids=["plain", "cors", "TLS"],
)
@pytest.mark.usefixtures("trusted")
def test_nor_under_options_that_change_answers(pair):
    compare(pair, rounds(100, 400))


@pytest.mark.parametrize("pair", [{"surface": "documented"}, {"require_tls": True}], indirect=True, ids=str)
@pytest.mark.usefixtures("trusted")
def test_nor_where_most_calls_are_refused(pair):
    talk = Talk(SEED)
    for _ in range(60):
        packets = talk.batch()
        direct, asgi = (exchanged(url, packets) for url in pair)
        assert direct == asgi, packets


def answered(url: str, messages: list[bytes]) -> list[bytes]:
    """The answer to each of several messages that are sent over one connection, each behind the answer before."""
    answers = []
    with wire_to(url) as wire:
        for message in messages:
            wire.sendall(message)
            received = b""
            while b"\r\n\r\n" not in received:
                received += wire.recv(1 << 20) or pytest.fail(f"no answer to {message!r}")
            head, _, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"(?m)^content-length: (\d+)", head)
            while length and not message.startswith(b"HEAD") and len(body) < int(length[1]):
                body += wire.recv(1 << 20) or pytest.fail(f"half an answer to {message!r}")
            answers.append(OWN.sub(b"<own>", head + b"\r\n\r\n" + body))
    return answers


def compare_journals(pair: tuple[str, str], client: Any) -> None:
    """Both journals of one key say the same, what tells real time aside."""
    short, long = (client(url, KEYS[0]).get("/_mock/requests?limit=1000").json["data"] for url in pair)
    assert len(short) == len(long) > 20
    for mine, other in zip(short, long, strict=True):
        for entry in (mine, other):
            for name in ("wall", "connection", "duration_ms", "at", "delayed_ms"):
                del entry[name]
            entry["response_headers"] = [
                each
                for each in entry["response_headers"]
                if each[0] not in ("date", "x-ratelimit-reset", "retry-after")
            ]
            entry["response_body"] = re.sub(r'"(retry_after|reset)":"\d+"', "", entry["response_body"] or "")
        assert mine == other


@pytest.mark.parametrize("pair", [{}], indirect=True)
def test_nobody_can_tell_a_head_that_was_read_before(pair, client, monkeypatch):
    """Clients send the same lines and headers again and again, with other bodies: those are not parsed again."""
    known = []
    judge = DirectConnection._has_known_head

    def noted(self: DirectConnection, packet: bytes) -> bool:
        known.append(judge(self, packet))
        return known[-1]

    monkeypatch.setattr(DirectConnection, "_has_known_head", noted)
    talk = Talk(SEED + 2)
    for _ in range(25):
        heads = [talk._message(last=False) for _ in range(6)]
        # each again, in another order: some answers change what the next ones say
        messages = [talk.chance.choice(heads) for _ in range(20)]
        direct, asgi = (answered(url, messages) for url in pair)
        assert direct == asgi, f"seed {SEED}"
        talk.learn(b"".join(direct))
    assert known.count(True) > 50
    compare_journals(pair, client)


@pytest.mark.parametrize("pair", [{}], indirect=True)
def test_the_journals_say_the_same(pair, client):
    talk = Talk(SEED + 1)
    for _ in range(40):
        packets = talk.batch()
        for url in pair:
            exchanged(url, packets)
    compare_journals(pair, client)


def test_calls_take_the_direct_path(monkeypatch, own_server, client):
    """Otherwise the comparison above would compare a thing with itself."""
    monkeypatch.setattr(DirectConnection, "_enter_asgi_path", None)
    key = key_of("a" * 32)
    assert client(own_server.url, key).get("/v1/plans").status == 200
    client(own_server.url, key).create()
