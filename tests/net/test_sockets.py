"""The addresses that a server listens on: names with several of them, several hosts, one port for all."""

import errno
import http.client
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import pytest

from cnx_mock import MockServer
from cnx_mock.errors import ListenError, SettingsError
from cnx_mock.net.sockets import listen
from cnx_mock.settings import Settings
from tests.cases import cases


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")


def addresses(*hosts: str, port: int = 0) -> list[str]:
    """The addresses of the sockets for these hosts; all have one port."""
    sockets = listen(hosts, port)
    found = [sock.getsockname()[0] for sock in sockets]
    [_] = {sock.getsockname()[1] for sock in sockets}
    for sock in sockets:
        sock.close()
    return found


@needs_ipv6
@cases(
    ("hosts", "listened"),
    [
        (["localhost"], ["127.0.0.1", "::1"]),
        (["LocalHost."], ["127.0.0.1", "::1"]),
        (["127.0.0.1"], ["127.0.0.1", "::1"]),
        (["::1"], ["::1"]),
        (["[::1]", "127.0.0.1"], ["::1", "127.0.0.1"]),
        (["127.0.0.2"], ["127.0.0.2"]),
        (["127.0.0.2", "127.0.0.3", "127.0.0.2"], ["127.0.0.2", "127.0.0.3"]),
        (["0.0.0.0", "::"], ["0.0.0.0", "::"]),
        (["127.0.0.1", "0.0.0.0"], ["::1", "0.0.0.0"]),
        (["localhost", "::"], ["127.0.0.1", "::"]),
    ],
)
def test_hosts_mean_these_addresses(hosts: Sequence[str], listened: list[str]) -> None:
    assert addresses(*hosts) == listened


@needs_ipv6
def test_a_name_means_every_address_that_this_machine_has_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"both.example": ["127.0.0.5", "203.0.113.9", "::1"], "away.example": ["203.0.113.9", "2001:db8::1"]}
    real = socket.getaddrinfo

    def resolve(name: str, *rest: object, **options: int) -> list[object]:
        return [each for one in answers.get(name, [name]) for each in real(one, 0, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert addresses("both.example") == ["127.0.0.5", "::1"]
    with pytest.raises(ListenError, match=r"^port 0 on away\.example \(203\.0\.113\.9\): "):
        addresses("away.example")


def test_a_busy_port_names_the_host_of_several_and_leaves_none_open() -> None:
    with socket.create_server(("127.0.0.4", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=rf"^port {port} on 127\.0\.0\.4 is already in use$") as refusal:
            listen(["127.0.0.3", "127.0.0.4"], port)
        assert refusal.value.errno == errno.EADDRINUSE
        with socket.create_server(("127.0.0.3", port)):
            pass


@pytest.mark.parametrize("host", ["203.0.113.9", "nowhere.invalid"])
def test_of_several_hosts_the_one_that_cannot_be_had_is_named(host: str) -> None:
    with pytest.raises(ListenError, match=host.replace(".", r"\.")):
        listen(["127.0.0.1", host], 0)


@pytest.mark.parametrize("hosts", ["127.0.0.2", ("127.0.0.2", "127.0.0.3"), ["127.0.0.2", "127.0.0.3", "localhost"]])
def test_a_server_in_python_answers_on_each_host_with_one_port(hosts: str | Sequence[str]) -> None:
    with MockServer(host=hosts, tls=True) as server:
        for host in [hosts] if isinstance(hosts, str) else hosts:
            connection = http.client.HTTPConnection(host, urlsplit(server.url).port or 0, timeout=10)
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            connection.close()


def outer_address() -> str:
    """An address of this machine that is not loopback. Connecting a datagram socket sends nothing."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no other address")
        return str(probe.getsockname()[0])


def test_the_url_is_the_one_at_which_the_control_plane_answers() -> None:
    own = outer_address()
    with MockServer(host=own) as server:
        assert urlsplit(server.url).hostname == own
    with MockServer(host=[own, "localhost"]) as server:
        assert urlsplit(server.url).hostname == "127.0.0.1"
        assert server.sandbox().url == server.url


@cases("host", ["", "a b", "localhost:8080", "http://localhost", (), ("127.0.0.1", "::1/128")])
def test_what_is_not_a_host_is_refused(host: str | tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match="^'host' must be an address or a host name, without a port$"):
        Settings(host=host)


def test_one_host_in_a_tuple_is_the_same_as_the_text() -> None:
    assert Settings(host=("::1",)) == Settings(host="::1")
    assert Settings(host=("::1", "127.0.0.1")).hosts == ("::1", "127.0.0.1")
