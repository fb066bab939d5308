"""Which heads are remembered, so that they need not be parsed again."""

from cnx_mock.net.known_heads import HeaderBlock, KnownHeads, RequestLine
from cnx_mock.world.keys import EXAMPLE_KEY
from tests.cases import cases

LINE = b"POST /v1/instances HTTP/1.1\r\n"
HOST = (b"host", b"localhost")


def learnt(packet: bytes, headers: list[tuple[bytes, bytes]], body: bytes = b"{}") -> KnownHeads:
    heads = KnownHeads()
    heads.learn(packet, RequestLine("POST", b"/v1/instances", True), HeaderBlock([HOST, *headers], True), body)
    return heads


def test_a_plain_head_is_remembered_without_its_body():
    block = b"\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n"

    heads = learnt(LINE[:-2] + block + b"{}", [(b"content-length", b"2")])

    assert list(heads.lines) == [b"POST /v1/instances HTTP/1.1"]
    assert list(heads.blocks) == [block]
    assert heads.blocks[block].body == 2


LIVE = EXAMPLE_KEY.replace("test", "live").encode()
PLAIN = LINE + b"Host: localhost\r\nContent-Length: 2\r\n\r\n{}"
SAYS_MORE = {
    "an empty line": (b"\r\n" + PLAIN, []),
    "two spaces": (PLAIN.replace(b" /v1", b"  /v1"), []),
    "more behind it": (PLAIN + b"GET", []),
    "another length": (PLAIN.replace(b": 2", b": +2"), [(b"content-length", b"+2")]),
    "connection": (PLAIN.replace(b"Host", b"Connection: close\r\nHost"), [(b"connection", b"close")]),
    "chunks": (PLAIN.replace(b"Host", b"Transfer-Encoding: chunked\r\nHost"), [(b"transfer-encoding", b"chunked")]),
    "expect": (PLAIN.replace(b"Host", b"Expect: 100-continue\r\nHost"), [(b"expect", b"100-continue")]),
    "a live key": (PLAIN.replace(b"Host", b"X: %b\r\nHost" % LIVE), [(b"x", LIVE)]),
    "much": (PLAIN.replace(b"Host", b"X: %b\r\nHost" % (b"x" * 3000)), [(b"x", b"x" * 3000)]),
}


@cases("case", SAYS_MORE)
def test_a_head_that_says_more_is_not(case):
    packet, more = SAYS_MORE[case]
    length = [] if more and more[0][0] == b"content-length" else [(b"content-length", b"2")]

    heads = learnt(packet, [*more, *length])

    assert not heads.lines
    assert not heads.blocks


def test_they_are_bounded():
    heads = KnownHeads()
    for number in range(2_500):
        target = b"/v1/instances/%d" % number
        packet = b"GET %b HTTP/1.1\r\nHost: localhost\r\nX: %d\r\n\r\n" % (target, number)
        heads.learn(packet, RequestLine("GET", target, True), HeaderBlock([HOST, (b"x", b"%d" % number)], True), b"")

    assert len(heads.lines) <= 1_000
    assert len(heads.blocks) <= 1_000
