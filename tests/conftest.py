"""What every test may lean on: a real server on a real socket, and a client that shows everything about an answer."""

import gc
import http.client
import json
import re
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from hypothesis import settings

from cnx_mock import MockServer, Sandbox
from tests import commands
from tests.cases import rounds
from tests.everything import load_everything

if TYPE_CHECKING:
    from playwright.async_api import Browser

pytest_plugins = ["pytester"]

gc.disable()  # until everything is collected: hardly anything of that is garbage

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None, max_examples=rounds(40, 100))
settings.load_profile("repeatable")  # every run tries the same examples; a slow machine is no failure

INSTANCE = {
    "name": "prod-api-01",
    "plan": "pro",
    "region": "us-east-1",
    "image": "ubuntu-22.04-lts",
    "tags": ["web", "production"],
}
"""The documented example body."""


@dataclass(frozen=True)
class Reply:
    """An answer: `status`, `headers` (lower-case names), `body` (bytes), `json`, and `error` for a refusal."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.json["error"]

    @property
    def is_documented_refusal(self) -> bool:
        """Whether this is the reference's example of an account that cannot pay, word for word."""
        return self.status == 403 and self.json == {
            "error": {
                "code": "INSUFFICIENT_CREDITS",
                "message": "Account balance is below minimum threshold.",
                "details": {"current_balance": "$2.45", "required": "$5.00"},
                "request_id": self.headers["x-request-id"],
            }
        }

    @property
    def details(self) -> dict[str, str]:
        return dict(self.error["details"])


def connect(url: str, seconds: float) -> http.client.HTTPConnection:
    """A connection to a base URL; over TLS it trusts what SSL_CERT_FILE names."""
    scheme, _, address = url.partition("://")
    if scheme == "https":
        return http.client.HTTPSConnection(address, timeout=seconds, context=ssl.create_default_context())
    return http.client.HTTPConnection(address, timeout=seconds)


class Wire(Protocol):
    """A socket, or TLS over one."""

    def fileno(self) -> int: ...

    def sendall(self, data: bytes, /) -> object: ...

    def recv(self, size: int, /) -> bytes: ...


class TlsWire:
    """TLS over a socket, with nothing smoothed: a FIN and an RST below it are seen as what they are, whatever Python's
    version (python/cpython#115627)."""

    def __init__(self, sock: Wire, name: str) -> None:
        self._socket = sock
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._session = ssl.create_default_context().wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self.notified = False
        """Whether the server has said in TLS that it ends."""
        self._until_ready(self._session.do_handshake)
        self._flush()

    def fileno(self) -> int:
        return self._socket.fileno()

    def sendall(self, data: bytes) -> None:
        self._session.write(data)
        self._flush()

    def goodbye(self) -> None:
        """Say in TLS that nothing more will come, and leave the socket open."""
        with suppress(ssl.SSLWantReadError):
            self._session.unwrap()
        self._flush()

    def recv(self, size: int) -> bytes:
        try:
            received: bytes = self._until_ready(lambda: self._session.read(size))
            self.notified = not received
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError) as end:
            received, self.notified = b"", isinstance(end, ssl.SSLZeroReturnError)
        if not received:
            assert self._socket.recv(1) == b"", "a FIN follows"
        return received

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._socket.sendall(self._outgoing.read())

    def _until_ready(self, action: Callable[[], Any]) -> Any:
        while True:
            try:
                return action()
            except ssl.SSLWantReadError:
                self._flush()
                data = self._socket.recv(65536)
                self._incoming.write(data) if data else self._incoming.write_eof()


@contextmanager
def wire_to(url: str) -> Iterator[Any]:
    """A socket at a base URL, in TLS if that is https: it has `sendall` and `recv`."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as sock:
        yield sock if address.scheme == "http" else TlsWire(sock, str(address.hostname))


@contextmanager
def taken_port(host: str = "127.0.0.1") -> Iterator[int]:
    """A port that is in use. Its owner does not listen: nobody has to wait for the answer that never comes."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
        taken.bind((host, 0))
        yield taken.getsockname()[1]


class Client:
    """Calls over a real socket, one connection a call."""

    def __init__(self, url: str, key: str | None = None) -> None:
        self.url = url
        self.key = key

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> Reply:
        given = {} if self.key is None else {"Authorization": f"Bearer {self.key}"}
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        connection = connect(self.url, 10)
        try:
            connection.request(method, path, data, {**given, **(headers or {})})
            with connection.getresponse() as response:
                fields = {name.lower(): value for name, value in response.getheaders()}
                return Reply(response.status, fields, response.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Reply:
        return self.call("POST", path, body, **more)

    def delete(self, path: str, **more: Any) -> Reply:
        return self.call("DELETE", path, **more)

    def create(self, **fields: Any) -> Any:
        """A new instance, as the answer shows it."""
        reply = self.post("/v1/instances", {**INSTANCE, **fields})
        assert reply.status == 201, reply.body
        return reply.json


@pytest.fixture(scope="session", autouse=True)
def user_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A folder for the user's data, so that no test makes a CA in the real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.delenv("CNX_MOCK_CA_DIR", raising=False)
        yield


@pytest.fixture(scope="session")
def server(user_data: None) -> Iterator[MockServer]:
    """One server for the whole run; every test has a sandbox of its own."""
    with MockServer(tls=True) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator["Browser"]:
    """One browser for all tests."""
    from playwright.async_api import async_playwright  # lazy: most runs look at no page

    from tests.browser import launch  # lazy: as above

    async with async_playwright() as playwright:
        started = await launch(playwright)
        yield started
        await started.close()


@pytest.fixture(scope="session")
def everything_loaded() -> None:
    """pytester forgets each module that a run of pytest was the first to import: the next run imports it again."""
    load_everything()


@pytest.fixture
def pytester(everything_loaded: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Runs of pytest inside a test; they import nothing of ours again."""
    return pytester


@pytest.fixture
def trusted(server: MockServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every client of this process trusts the CA, told so as users tell it."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(server.ca_path))


@pytest.fixture
def scheme(request: pytest.FixtureRequest) -> str:
    """http, unless the test's module has SCHEMES: then its tests run over each."""
    chosen: str = getattr(request, "param", "http")
    if chosen == "https":
        request.getfixturevalue("trusted")
    return chosen


@pytest.fixture
def url(server: MockServer, scheme: str) -> str:
    """The server's base URL."""
    return server.tls_url if scheme == "https" else server.url


@pytest.fixture
def verify(url: str) -> bool:
    """The option `verify` of requests and httpx: they read all certificates of the system for plain HTTP, too."""
    return url.startswith("https:")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the servers that fork commands and programs beside the collection. All workers use them."""
    if session.config.getoption("workers", 1) > 1:
        commands.start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the modules that take longest first: then no worker ends long after the others. Of the quick ones these are
    the modules about everything, in this folder."""
    marks: dict[Path, set[str]] = {}
    for item in items:
        marks.setdefault(item.path, set()).update(mark.name for mark in item.iter_markers())
    items.sort(
        key=lambda item: (
            *(mark not in marks[item.path] for mark in ("judge", "browser", "slow")),
            item.path.parent != Path(__file__).parent,
        )
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Iterator[Any]:
    """Undo what a test does to the signals of this process. `serve`, called in it, leaves handlers that end the process
    at once, without a word: a later test that sends itself Ctrl-C then took its worker along."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return (yield)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import files of which the quick tests have nothing."""
    if config.option.markexpr != "not slow" or config.args_source is config.ArgsSource.ARGS:
        return None
    is_test = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return (is_test and _ALL_SLOW.search(collection_path.read_text("utf-8")) is not None) or None


_ALL_SLOW = re.compile(r"^pytestmark = .*\bmark\.slow\b", re.MULTILINE)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Keep what has been imported and collected out of every later search for garbage. A search of everything is rare:
    it takes long, because the server of all tests keeps their sandboxes."""
    if session.config.getoption("workers", 1) > 1 and any(
        "pytester" in getattr(item, "fixturenames", ()) for item in session.items
    ):
        load_everything()  # once for all workers
    gc.freeze()
    gc.set_threshold(2_000, 10, 50)
    gc.enable()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    schemes = getattr(metafunc.module, "SCHEMES", None)
    if schemes and "scheme" in metafunc.fixturenames:
        metafunc.parametrize("scheme", schemes, indirect=True)


@pytest.fixture
def sandbox(server: MockServer, request: pytest.FixtureRequest) -> Sandbox:
    """A fresh sandbox, whose chance depends on the test alone: not on its order, nor on how many run at once."""
    return server.sandbox(name=request.node.nodeid)


@pytest.fixture
def new_sandbox(server: MockServer, request: pytest.FixtureRequest) -> Callable[[int], Sandbox]:
    """Makes a fresh sandbox for a case of the test, whose chance depends on the test and the case's number."""
    return lambda case: server.sandbox(name=f"{request.node.nodeid}[{case}]")


@pytest.fixture
def api(sandbox: Sandbox, url: str) -> Client:
    """Calls with the sandbox's key."""
    return Client(url, sandbox.api_key)


@pytest.fixture
def client() -> type[Client]:
    """The client's class, for keys and servers of a test's own."""
    return Client
