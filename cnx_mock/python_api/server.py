"""The mock inside a Python process: its own thread, its own loop, bounded at both ends."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from cnx_mock.asgi import create_app
from cnx_mock.errors import FixtureError, ScenarioError, StartError
from cnx_mock.http.app import App
from cnx_mock.net.serving import Serving, loop_factory
from cnx_mock.net.sockets import ListeningSockets, open_sockets
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.remote import SandboxMaker
from cnx_mock.python_api.sandbox import Sandbox, Story, World, document, world
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.services.worlds import read_fixture
from cnx_mock.settings import Settings
from cnx_mock.world.keys import test_key

TIMEOUT_SECONDS = 10


class MockServer(SandboxMaker):
    """A mock of the CloudNexus API on a port of this machine.

        with MockServer() as server:
            sandbox = server.sandbox()
            client = Client(sandbox.url, sandbox.api_key)

    `scenario` and `fixture` are what new sandboxes get; `speed` is sandbox seconds per real second; port 0 takes a free
    one; `tls` serves HTTPS too, at `tls_url`, for clients that trust the CA at `ca_path`;
    `proxy` runs a proxy at `proxy_url` that leads https://api.cloudnexus.com here.
    """

    def __init__(
        self,
        scenario: Story | None = None,
        fixture: World | None = None,
        *,
        seed: int = 0,
        speed: float = 1.0,
        port: int = 0,
        tls: bool = False,
        proxy: bool = False,
        settings: Settings | None = None,
    ) -> None:
        self._settings = settings or Settings(seed=str(seed), speed=speed, port=port, tls=tls, proxy=proxy)
        self._story = scenario
        self._world = fixture
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failure: BaseException | None = None
        self._control: Control | None = None
        self._listeners: ListeningSockets | None = None
        self._served: App | None = None
        self._serving: Serving | None = None
        self._intercept_listeners: ListeningSockets | None = None
        self._lock = threading.Lock()

    @property
    def tls_url(self) -> str:
        """The base URL over HTTPS. Raises RuntimeError unless the server runs, and with `tls=True`."""
        return self._secured().tls_url or ""

    @property
    def ca_path(self) -> Path:
        """The CA's certificate (PEM), for clients to trust. Raises RuntimeError unless the server runs, and with
        `tls=True`."""
        return self._secured().ca_path or Path()

    @property
    def proxy_url(self) -> str:
        """The proxy's URL. Raises RuntimeError unless the server runs, and with `proxy=True`."""
        self._running()
        url = self._listeners.proxy_url if self._listeners else None
        if url is None:
            raise RuntimeError("the server has no proxy: use it as `with MockServer(proxy=True) as server:`")
        return url

    def start(self) -> "MockServer":
        """Serve from now on. Raises StartError, or SourceError for a scenario that cannot be used."""
        if self._thread is not None:
            raise RuntimeError("this server has been started already")
        app = self._app()
        listeners = open_sockets(self._settings)
        url = listeners.url
        ready = threading.Event()
        self._failure = None
        self._serving = Serving(app, listeners)
        self._intercept_listeners = None
        self._thread = threading.Thread(
            target=self._run, args=(self._serving, ready), name=f"cnx-mock {url}", daemon=True
        )
        self._thread.start()
        if not ready.wait(TIMEOUT_SECONDS) or self._failure is not None:
            self.stop()
            raise StartError(f"the server did not start: {self._failure!r}") from self._failure
        self._control = Control(url)
        self._served = app
        self._listeners = listeners
        return self

    def stop(self) -> None:
        """Stop serving; every connection is closed. Stopping twice is stopping once."""
        thread, self._thread = self._thread, None
        if self._control is not None:
            self._control.close()
            self._control = None
        if thread is None:
            return
        if self._loop is not None and thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        thread.join(TIMEOUT_SECONDS)
        if thread.is_alive():
            raise RuntimeError(f"the thread {thread.name} did not stop within {TIMEOUT_SECONDS} s")

    def sandboxes(self) -> list[Sandbox]:
        """Every sandbox that there is, the oldest first: those made here, and those of keys that clients brought."""
        control = self._running()
        tenants = self._served.tenants if self._served else ()
        return [Sandbox(control, test_key(tenant.key)) for tenant in tenants]

    def intercept(self) -> AbstractContextManager[None]:
        """Lead https://api.cloudnexus.com, and http://, to this server, for every HTTP client of this process that
        connects through Python, in every thread, without a change to it; TLS comes by itself.

            with server.intercept():
                requests.get("https://api.cloudnexus.com/v1/instances", headers=…)

        A use within a use of the same server changes nothing; afterwards everything is as before, and connections that
        clients kept open to the mock are closed. The client's key leads to its sandbox, as always: give it
        `sandbox.api_key`, or take over a key of its own by `server.sandbox(key=…)`.

        What does not go through Python cannot be led: libcurl (pycurl, curl_cffi), gRPC, HTTP clients in Rust, other
        processes; for them there is `proxy=True`. Nor can a connection that was open before, a name that a client has
        resolved before and remembers (aiohttp, for ten seconds), or a client that was itself told of a proxy (its HTTPS
        fails then; proxies of the environment are passed by, for clients that read it from now on). TLS that is not
        the `ssl` module's (pyOpenSSL) does not trust the mock by itself.

        Raises RuntimeError unless this server runs, or, when entered, while the name leads to another server; and
        StartError for a CA that cannot be used.
        """
        from cnx_mock.intercept.interception import intercepting

        url = self._running().url
        listeners = self._intercepted()
        return intercepting(url, listeners, lambda: self._cut(listeners))

    def __enter__(self) -> "MockServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> Control:
        if self._control is None:
            raise RuntimeError("the server does not run: use it as `with MockServer() as server:`")
        return self._control

    def _secured(self) -> ListeningSockets:
        self._running()
        if self._listeners is None or self._listeners.context is None:
            raise RuntimeError("the server has no HTTPS: use it as `with MockServer(tls=True) as server:`")
        return self._listeners

    def _intercepted(self) -> ListeningSockets:
        """The sockets to which interception leads: apart from the others, so that what was led can be told from the
        rest. Made once."""
        with self._lock:
            if self._intercept_listeners is None:
                listeners = open_sockets(Settings(port=0, tls=True, ca_dir=self._settings.ca_dir))
                if self._serving is not None:
                    self._on_the_loop(self._serving.add(listeners))
                self._intercept_listeners = listeners
            return self._intercept_listeners

    def _cut(self, listeners: ListeningSockets) -> None:
        """Close what was led here, unless the server was faster."""
        if self._thread is not None and self._serving is not None and listeners is self._intercept_listeners:
            self._on_the_loop(self._serving.abort_connections(listeners))

    def _on_the_loop(self, work: Coroutine[Any, Any, None]) -> None:
        """Have the server's thread do it, and wait."""
        if self._loop is None:
            raise RuntimeError("the server does not run")
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT_SECONDS)

    def _app(self) -> App:
        try:
            scenario = None if self._story is None else read_scenario(document(self._story), operations())
            fixture = None if self._world is None else read_fixture(world(self._world))
        except ScenarioError as error:
            raise StartError(f"the scenario cannot be used: {error}") from error
        except FixtureError as error:
            raise StartError(f"the fixture cannot be used: {error}") from error
        return create_app(self._settings, scenario=scenario, fixture=fixture)

    def _run(self, serving: Serving, ready: threading.Event) -> None:
        """The thread: a loop of its own, from start to stop."""
        loop = self._loop = loop_factory()()
        try:
            loop.run_until_complete(serving.start())
            loop.call_soon(ready.set)
            loop.run_forever()
            loop.run_until_complete(serving.stop())
        except BaseException as failure:  # whatever it is, the starter has to hear of it
            self._failure = failure
        finally:
            ready.set()
            loop.close()
