"""What arrives is seen: a request that cannot be read is told why, and stands in a journal."""

import json
import random
import select
import socket

import pytest

from cnx_mock import MockServer
from tests.cases import cases
from tests.conftest import INSTANCE, Client, wire_to
from tests.scenario.test_faults import everything, message, one
from tests.waiting import until

SCHEMES = ("http", "https")
LIST = "/v1/instances"
LIVE = b"cnx_live_" + b"0" * 32
KEY = b"{key}"

CANNOT_BE_READ = {
    "raw UTF-8 in the path": (b"GET /v1/caf\xc3\xa9 HTTP/1.1\r\n" + KEY, "raw UTF-8: percent-encode it (é is %C3%A9)"),
    "raw UTF-8 in the query": (b"GET /v1/plans?q=\xe2\x82\xac HTTP/1.1\r\n" + KEY, "(€ is %E2%82%AC)"),
    "Latin-1 in the path": (
        b"GET /v1/caf\xe9x HTTP/1.1\r\n" + KEY,
        "0xE9, which is not ASCII: percent-encode it (%E9)",
    ),
    "a space in the path": (b"GET /v1/a b HTTP/1.1\r\n" + KEY, "contains a space: percent-encode it as %20"),
    "a control character": (b"GET /v1/a\x01 HTTP/1.1\r\n" + KEY, "control character 0x01: percent-encode it as %01"),
    "no slash": (b"GET v1/plans HTTP/1.1\r\n" + KEY, "must begin with a slash: write /v1/plans"),
    "a lower-case method": (b"post /v1/instances HTTP/1.1\r\n" + KEY, "write POST, not post"),
    "a misspelt method": (b"DELTE /v1/instances HTTP/1.1\r\n" + KEY, "unknown method DELTE, did you mean 'DELETE'?"),
    "a method of nowhere": (b"BREW /v1/instances HTTP/1.1\r\n" + KEY, "unknown method BREW: use GET, HEAD, POST"),
    "a space first": (b" GET /v1/plans HTTP/1.1\r\n" + KEY, "space before the method"),
    "a version of nowhere": (b"GET /v1/plans HTTP/one\r\n" + KEY, "must be HTTP/1.1, not HTTP/one"),
    "CONNECT": (b"CONNECT api.cloudnexus.com:443 HTTP/1.1\r\n" + KEY, "`--proxy` starts one"),
    "a folded header": (b"GET /v1/plans HTTP/1.1\r\nX-A: a\r\n\tb\r\n" + KEY, "the header X-A is folded: write each"),
    "a folded key": (
        b"GET /v1/plans HTTP/1.1\r\n" + KEY.replace(b"{", b"{folded "),
        "the header Authorization is folded",
    ),
    "no colon": (b"GET /v1/plans HTTP/1.1\r\nX-A\r\n" + KEY, 'the header line "X-A" has no colon'),
    "a space before the colon": (
        b"GET /v1/plans HTTP/1.1\r\nX-A : a\r\n" + KEY,
        "space before the colon of the header X-A",
    ),
    "a name of other characters": (
        b"GET /v1/plans HTTP/1.1\r\nX(A): a\r\n" + KEY,
        '"X(A)" is not the name of a header',
    ),
    "NUL in a header": (b"GET /v1/plans HTTP/1.1\r\nX-A: a\0b\r\n" + KEY, "X-A contains the control character 0x00"),
    "lines that end in LF": (b"GET /v1/plans HTTP/1.1\n" + KEY, r"end each line with CRLF (\r\n)"),
    "a length in words": (b"POST /v1/instances HTTP/1.1\r\nContent-Length: ten\r\n" + KEY, 'whole number, not "ten"'),
    "a length below 0": (b"POST /v1/instances HTTP/1.1\r\nContent-Length: -1\r\n" + KEY, 'whole number, not "-1"'),
    "a length beyond all": (b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999999\r\n" + KEY, "is too large"),
    "two lengths": (
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n" + KEY,
        "is given twice: give it once",
    ),
    "a length and chunks": (
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n" + KEY,
        "both Content-Length and Transfer-Encoding are given: send only one",
    ),
    "chunks inside gzip": (
        b"POST /v1/instances HTTP/1.1\r\n" + KEY + b"Transfer-Encoding: gzip\r\n",
        "must be chunked",
    ),
}


def with_key(request: bytes, key: str) -> bytes:
    """The request with a key and an end."""
    header = f"Authorization: Bearer {key}\r\nHost: localhost\r\n".encode()
    return request.replace(b"{folded key}", header.replace(b"Bearer ", b"Bearer\r\n ")).replace(KEY, header) + b"\r\n"


def refused(wire) -> dict:
    """The error of the answer that ends the connection."""
    received, end = everything(wire)
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n"), received
    assert b"connection: close" in head
    assert end == "FIN"
    error: dict = json.loads(body)["error"]
    assert (error["code"], list(error["details"])) == ("BAD_REQUEST", ["reason"])
    assert f"x-request-id: {error['request_id']}\r\n".encode() in head
    return error


def own_entries(server: MockServer) -> list[dict]:
    """The server's own journal."""
    data: list[dict] = Client(server.url).get("/_mock/requests").json["data"]
    return data


@cases("case", CANNOT_BE_READ)
def test_a_request_that_the_parser_refuses_is_told_why_and_stands_in_its_keys_journal(sandbox, api, case):
    request, words = CANNOT_BE_READ[case]

    with wire_to(api.url) as wire:
        wire.sendall(with_key(request, api.key))
        error = refused(wire)

    assert words in error["details"]["reason"]
    (entry,) = sandbox.requests
    assert (entry.status, entry.operation, entry.committed) == (400, None, False)
    assert (entry.request_id, entry.problem) == (error["request_id"], error["details"]["reason"])
    assert json.loads(entry.response_body or "") == {"error": error}
    assert ["authorization", f"Bearer cnx_test_…{api.key[-4:]}"] in entry.request_headers
    assert api.key[9:-4] not in repr(vars_of(entry))


def vars_of(entry):
    return {name: getattr(entry, name) for name in type(entry).__slots__}


@cases("case", ["raw UTF-8 in the path", "a folded key", "two lengths"])
def test_a_request_that_comes_byte_by_byte_is_told_the_same(api, case):
    request, words = CANNOT_BE_READ[case]

    with wire_to(api.url) as wire:
        for byte in with_key(request, api.key):
            try:
                wire.sendall(bytes([byte]))
            except OSError:  # it has been refused already
                break
        assert words.partition(" (")[0] in refused(wire)["details"]["reason"]


def test_a_client_that_goes_on_sending_gets_the_answer_all_the_same(api):
    with wire_to(api.url) as wire:
        wire.sendall(with_key(b"GET /v1/caf\xc3\xa9 HTTP/1.1\r\n" + KEY, api.key))
        select.select([wire], [], [], 10)  # the answer is there, and the end of the connection behind it
        for _ in range(20):
            wire.sendall(b"x" * 1000)
        assert "UTF-8" in refused(wire)["details"]["reason"]


def test_the_answer_to_head_has_no_body(sandbox, api):
    with wire_to(api.url) as wire:
        wire.sendall(with_key(b"HEAD /v1/caf\xc3\xa9 HTTP/1.1\r\n" + KEY, api.key))
        received, _ = everything(wire)

    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.endswith(b"\r\n\r\n")
    assert "raw UTF-8" in (sandbox.requests[0].problem or "")


OTHER_PROTOCOLS = {
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "it is a TLS handshake"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\4\0\0\0\0\0", "this is HTTP/2, and cnx-mock speaks HTTP/1.1"),
    "HTTP/0.9": (b"GET /v1/plans\r\n", "has no HTTP version: end it with HTTP/1.1"),
    "HTTP/0.9 with an empty line": (b"GET /v1/plans\r\n\r\n", "has no HTTP version: end it with HTTP/1.1"),
    "SOCKS": (b"\x05\x01\x00", "not a SOCKS proxy"),
    "the PROXY protocol": (b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\n\r\n", "the PROXY protocol"),
    "SSH": (b"SSH-2.0-OpenSSH\r\n", "it is SSH"),
    "an answer": (b"HTTP/1.1 200 OK\r\n\r\n", "it is an answer"),
    "a body alone": (b'{"name": "web-1"}', "it is a body without a request"),
    "a byte order mark": (b"\xef\xbb\xbfGET / HTTP/1.1\r\n\r\n", "byte order mark (BOM): leave it out"),
    "noise": (b"\xde\xad\xbe\xef", "begins with a line such as: GET /v1/instances HTTP/1.1"),
}


@pytest.mark.parametrize("case", OTHER_PROTOCOLS)
def test_what_is_not_http_is_called_by_its_name_and_stands_in_the_servers_journal(own_server, case):
    data, words = OTHER_PROTOCOLS[case]

    with wire_to(own_server.url) as wire:
        wire.sendall(data)
        error = refused(wire)

    assert words in error["details"]["reason"]
    (entry,) = own_entries(own_server)
    assert (entry["status"], entry["problem"]) == (400, error["details"]["reason"])
    shown = entry["request_body"].encode().decode("unicode_escape")
    assert [ord(each) & 0xFF for each in shown][:1] == [data[0]] or data.startswith((b"\xef", b"\xde"))
    assert entry["request_body"].isprintable() or "\r\n" in entry["request_body"]


def test_no_live_key_is_kept_and_what_is_kept_is_bounded(own_server):
    for request in (
        b"GET /\xe9 HTTP/1.1\r\nAuthorization: Bearer %b\r\n\r\n" % LIVE,
        b"GET /?%b=\xe9 HTTP/1.1\r\nAuthorization Bearer %b\r\n\r\n" % (LIVE, LIVE),
        b"%b / HTTP/1.1\r\n\r\n" % LIVE,
        b"GET /%b HTTP/1.1\r\nX: \0\r\nX: %b\r\n\r\n" % (b"a" * 60_000, b"b" * 60_000),
    ):
        with wire_to(own_server.url) as wire:
            wire.sendall(request)
            assert LIVE.decode() not in str(refused(wire))
    kept = own_entries(own_server)
    assert len(kept) == 4
    assert LIVE.decode()[9:] not in repr(kept)
    assert ["authorization", "live"] in kept[0]["request_headers"]
    assert max(len(entry["request_body"]) for entry in kept) == 4096
    assert len(kept[3]["path"]) == 8192


def test_what_is_not_tls_is_seen_on_the_port_of_https_too():
    with MockServer(tls=True) as server:
        sandbox = server.sandbox()
        _, _, port = server.tls_url.rpartition(":")
        with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as wire:
            wire.sendall(f"GET {LIST} HTTP/1.1\r\nAuthorization: Bearer {sandbox.api_key}\r\n\r\n".encode())
            error = refused(wire)
        (entry,) = sandbox.requests
        assert f"use {server.tls_url}" in error["details"]["reason"]
    assert (entry.method, entry.path, entry.problem) == ("GET", LIST, error["details"]["reason"])


@pytest.mark.parametrize("before", [b"", b"x" * 40])
def test_the_requests_before_it_in_the_same_bytes_are_answered_first(sandbox, api, before):
    good = message(api, "POST", LIST, {**INSTANCE, "name": "a" + before.decode()})
    bad = b"GET /v1/caf\xc3\xa9 HTTP/1.1\r\nAuthorization: Bearer %b\r\n\r\n" % api.key.encode()

    with wire_to(api.url) as wire:
        wire.sendall(good[: len(good) - len(before)])  # the bytes that are refused may begin inside a body
        wire.sendall(good[len(good) - len(before) :] + message(api, "GET", "/v1/plans") + bad)
        received, end = everything(wire)

    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"201", b"200", b"400"]
    assert end == "FIN"
    assert [(each.method, each.path, each.status) for each in sandbox.requests] == [
        ("POST", LIST, 201),
        ("GET", "/v1/plans", 200),
        ("GET", "/v1/café", 400),
    ]


def test_a_client_that_goes_on_sending_still_gets_the_answer(own_server):
    with wire_to(own_server.url) as wire:
        wire.sendall(b"POST /caf\xc3\xa9 HTTP/1.1\r\nContent-Length: 500000\r\n\r\n" + b"x" * 500_000)
        assert "raw UTF-8" in refused(wire)["details"]["reason"]


@cases("host", [b"", b"Host: a b\r\n", b"Host: a\r\nHost: a\r\n"])
def test_a_request_without_one_good_host_stands_in_its_keys_journal(sandbox, api, host):
    with wire_to(api.url) as wire:
        wire.sendall(b"GET /v1/plans HTTP/1.1\r\nAuthorization: Bearer %b\r\n%b\r\n" % (api.key.encode(), host))
        assert one(wire).startswith(b"HTTP/1.1 400 ")

    (entry,) = sandbox.requests
    assert (entry.path, entry.status, entry.operation) == ("/v1/plans", 400, None)
    assert (entry.problem or "").startswith("host ")


# ---- bodies


@cases(
    ("body", "words"),
    [
        (b"zz\r\n", "the chunked body is malformed"),
        (b"5\r\nhelloX\r\n", "write each chunk as its length in hex"),
        (b"-1\r\n", "the chunked body is malformed"),
    ],
)
def test_a_chunk_that_cannot_be_read_is_refused_in_its_keys_sandbox(sandbox, api, body, words):
    with wire_to(api.url) as wire:
        wire.sendall(head_of_chunks(api.key) + body)
        reason = refused(wire)["details"]["reason"]

    assert words in reason
    (entry,) = sandbox.requests
    assert (entry.path, entry.status, entry.problem) == (LIST, 400, reason)
    assert api.get(LIST).json["data"] == []


def the_entry(sandbox):
    """The first entry, as soon as it is complete."""
    return until(lambda: [each for each in sandbox.requests[:1] if each.duration_ms is not None])[0]


@cases("came", [0, 1, 30])
def test_a_body_that_breaks_off_is_an_entry_without_an_answer(server, sandbox, api, came):
    whole = message(api, "POST", LIST, INSTANCE)
    head, end, body = whole.partition(b"\r\n\r\n")

    with wire_to(server.url) as wire:  # a client of TLS may end with an RST, which takes its last bytes along
        wire.sendall(head + end + body[:came])

    entry = the_entry(sandbox)
    assert (entry.method, entry.path, entry.status, entry.operation) == ("POST", LIST, None, None)
    assert entry.problem == f"the client left after {came} of {len(body)} bytes of the body"
    assert (entry.request_body or "") == body[:came].decode()
    assert (entry.response_headers, entry.committed) == ([], False)
    sandbox.requests.assert_not_called("instances.create")
    assert api.get(LIST).headers["x-ratelimit-remaining"] == "299"


def head_of_chunks(key: str) -> bytes:
    """The head of a request whose body comes in chunks."""
    fields = ["Host: x", f"Authorization: Bearer {key}", "Transfer-Encoding: chunked"]
    return "\r\n".join([f"POST {LIST} HTTP/1.1", *fields, "", ""]).encode()


def test_a_body_in_chunks_that_breaks_off_is_one_too(server, sandbox):
    with wire_to(server.url) as wire:
        wire.sendall(head_of_chunks(sandbox.api_key) + b"5\r\nhello")
    assert the_entry(sandbox).problem == "the client left after 5 bytes of the body"


def test_a_body_that_breaks_off_without_a_key_stands_in_the_servers_journal(own_server):
    with wire_to(own_server.url) as wire:
        wire.sendall(b"POST /v1/instances HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
    assert until(lambda: own_entries(own_server))[0]["problem"] == "the client left after 3 of 10 bytes of the body"


def test_a_head_that_breaks_off_is_an_entry_too(server, sandbox, own_server):
    with wire_to(server.url) as wire:
        wire.sendall(f"GET {LIST}?page=2 HTTP/1.1\r\nAuthorization: Bearer {sandbox.api_key}\r\nX-A".encode())
    entry = the_entry(sandbox)
    assert (entry.method, entry.path, entry.query, entry.status) == ("GET", LIST, "page=2", None)
    assert entry.problem == "the client left before the end of the request's head"
    with wire_to(own_server.url):  # nobody asks for anything
        pass
    assert own_entries(own_server) == []


def test_the_control_plane_is_told_why_and_never_journaled(sandbox, api):
    bad_body = (
        b"POST /_mock/reset HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
    )
    for request, words in ((bad_body, "chunked body"), (b"GET /_mock/\xe9 HTTP/1.1\r\n\r\n", "not ASCII")):
        with wire_to(api.url) as wire:
            wire.sendall(request.replace(b"HTTP/1.1\r\n", with_key(b"HTTP/1.1\r\n" + KEY, api.key)[:-2]))
            assert words in refused(wire)["details"]["reason"]
    assert sandbox.requests == []


@pytest.mark.parametrize("seed", range(3))
def test_noise_of_any_kind_is_answered_and_seen(own_server, seed):
    chance = random.Random(seed)
    for _ in range(60):
        good = b"GET /v1/plans?a=b HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\r\n"
        place = chance.randrange(len(good) - 4)
        data = good[:place] + bytes([chance.choice([0, 1, 10, 13, 127, 128, 255])]) + good[place:]
        with wire_to(own_server.url) as wire:
            wire.sendall(data)
            answer = one(wire)
        said = f"seed {seed}: {data!r} was answered {answer!r}"
        assert answer[9:12] in (b"400", b"401", b"404"), said
    assert len(own_entries(own_server)) == 60
