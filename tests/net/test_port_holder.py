"""Who has a port that is in use: the error of a server that cannot start says it, and never waits for long."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from cnx_mock import ListenError, MockServer, Settings, __version__
from cnx_mock.net import port_holder
from tests.cases import cases


def refusal(port: int) -> str:
    """What a server says that cannot start at this port."""
    with pytest.raises(ListenError) as caught:
        MockServer(port=port).start()
    assert caught.value.errno is not None
    return str(caught.value)


@contextmanager
def holding(answer: bytes) -> Iterator[int]:
    """A port at which every connection gets these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.recv(65536)
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("kind", ["url", "tls_url", "proxy_url"])
def test_a_cnx_mock_is_named_with_its_version_at_each_of_its_ports(kind: str) -> None:
    with MockServer(settings=Settings(port=0, proxy=True)) as server:
        port = int(str(getattr(server, kind)).rpartition(":")[2])
        said = refusal(port)
    assert said == f"port {port} on 127.0.0.1 is already in use; a cnx-mock {__version__} answers there"


OLDER = b'{"status":"ok","version":"0.0.9","uptime_seconds":0,"sandboxes":0}'


@cases(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nserver: uvicorn\r\n\r\n" + OLDER, "a cnx-mock 0.0.9 answers there"),
        (b"HTTP/1.1 403 Forbidden\r\nServer: cnx-mock/2.0\r\n\r\n{}", "a cnx-mock 2.0 answers there"),
        (b"HTTP/1.1 404 Not Found\r\nServer: nginx/1.27\r\n\r\n", "nginx/1.27 answers there, not a cnx-mock"),
        (b'HTTP/1.0 200 OK\r\n\r\n{"status":"ok"}', "another HTTP server answers there, not a cnx-mock"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + b"[" * 50_000, "another HTTP server answers there, not a cnx-mock"),
        (b"HTTP/1.0 200 OK\r\nServer: \x1b[31mx\r\n\r\n", "[31mx answers there, not a cnx-mock"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", "the program that uses it does not answer as an HTTP server"),
        (b"", "the program that uses it does not answer"),
    ],
)
def test_another_server_is_told_from_a_cnx_mock(answer: bytes, said: str) -> None:
    with holding(answer) as port:
        assert refusal(port).endswith(f" is already in use; {said}")


def test_a_holder_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_holder, "_PATIENCE", 1000)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert refusal(silent.getsockname()[1]).endswith("; the program that uses it does not answer")


def test_all_addresses_are_asked_at_loopback() -> None:
    with MockServer() as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(ListenError, match=f"; a cnx-mock {__version__} answers there$"):
            MockServer(settings=Settings(port=port, host="0.0.0.0")).start()
