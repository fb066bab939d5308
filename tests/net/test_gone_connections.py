"""A connection that is gone leaves nothing behind: no timer keeps it, and with it all that came over it."""

import gc
import socket
from urllib.parse import urlsplit

from cnx_mock import MockServer
from cnx_mock.net.direct import DirectConnection
from cnx_mock.world.keys import EXAMPLE_KEY
from tests.waiting import until

CALL = f"GET /v1/plans HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {EXAMPLE_KEY}\r\n\r\n".encode()
PAGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connections() -> int:
    """The connections that this process still has of servers which were started since `gc.freeze`."""
    gc.collect()
    return sum(type(each) is DirectConnection for each in gc.get_objects())


BEGUN = (b"", b"GET /v1/pla", CALL, CALL * 3, PAGE, PAGE * 5, CALL + PAGE, CALL + b"POST /v1/instances HTTP/1.1\r\n")


def test_connections_that_are_gone_are_forgotten() -> None:
    gc.freeze()  # what other tests have left is looked through once, and not each time
    with MockServer() as server:
        address = urlsplit(server.url)
        for sent in BEGUN * 3:
            for waits in (True, False):
                with socket.create_connection((address.hostname, address.port), timeout=20) as wire:
                    wire.sendall(sent)
                    if waits and sent.endswith(b"\r\n\r\n"):
                        assert wire.recv(12) == b"HTTP/1.1 200"

        until(lambda: not connections())
