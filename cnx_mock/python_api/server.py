"""The mock inside a Python process: `MockServer`."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from cnx_mock.asgi import create_app
from cnx_mock.errors import ListenError, NotRunningError, SettingsError, StartError
from cnx_mock.http.app import App
from cnx_mock.net.port_holder import with_holder
from cnx_mock.net.sockets import ListeningSockets, open_sockets
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.inputs import FixtureInput, ScenarioInput, fixture_document, scenario_document
from cnx_mock.python_api.sandbox import Sandbox
from cnx_mock.python_api.sandbox_maker import SandboxMaker
from cnx_mock.python_api.server_thread import ServerThread
from cnx_mock.scenario.scenario import read_scenario
from cnx_mock.services import operations
from cnx_mock.services.worlds import read_fixture
from cnx_mock.settings import Settings
from cnx_mock.world.keys import test_key

if TYPE_CHECKING:
    from cnx_mock.python_api.race.origin import RaceOrigin


class MockServer(SandboxMaker):
    """A mock of the CloudNexus API on a port of this machine.

    It runs on its own thread from `start` to `stop`. As a context manager, it runs until the end of the block. Give
    each option either here or in `settings`, not in both.

    Arguments:

    - `scenario`: The scenario of new sandboxes: a name of the gallery, a path, plain data, or a `Scenario`.
    - `fixture`: The world that new sandboxes start from: a name, a path, or plain data.
    - `seed`: The seed for all random choices, a whole number from 0. The default is 0.
    - `speed`: How many seconds of a sandbox pass in a real second. The default is 1.
    - `host`: The address or the name to listen on, or several of them, as a list. The default is 127.0.0.1, which means
      ::1 too. All have the same port.
    - `port`: The port to listen on. The default, 0, takes a free one.
    - `tls`: Whether to serve HTTPS too, at `tls_url`. Clients must trust the CA at `ca_path`.
    - `tls_names`: Additional names for the certificate, such as `["cloudnexus.local"]`; implies `tls=True`. The CA
      for them is in `ca_path` too.
    - `proxy`: Whether to run a proxy, at `proxy_url`, that leads https://api.cloudnexus.com to this server.
    - `settings`: Every option of the server, in place of those above. Note that its `port` is 4269 unless given.

    Raises:

    - `SettingsError` if an option does not accept its value, or is given twice: here and in `settings`.

    Example:

        with MockServer() as server:
            sandbox = server.sandbox()
            client = Client(sandbox.url, sandbox.api_key)
    """

    __slots__ = (
        "__weakref__",
        "_app",
        "_control",
        "_fixture",
        "_intercept_listeners",
        "_listeners",
        "_lock",
        "_scenario",
        "_settings",
        "_thread",
    )

    def __init__(
        self,
        scenario: ScenarioInput | None = None,
        fixture: FixtureInput | None = None,
        *,
        seed: int | None = None,
        speed: float | None = None,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        tls: bool | None = None,
        tls_names: str | Sequence[str] | None = None,
        proxy: bool | None = None,
        settings: Settings | None = None,
    ) -> None:
        names = _texts((tls_names,) if isinstance(tls_names, str) else tls_names)
        options: dict[str, Any] = {
            "seed": seed,
            "speed": speed,
            "host": _texts(host),
            "port": port,
            "tls_name": names,
            "tls": tls,
            "proxy": proxy,
        }
        given = {name: value for name, value in options.items() if value is not None}
        self._settings = _settings(settings, given, scenario=scenario, fixture=fixture)
        self._scenario = scenario
        self._fixture = fixture
        self._app: App | None = None
        self._thread: ServerThread | None = None
        self._control: Control | None = None
        self._listeners: ListeningSockets | None = None
        self._intercept_listeners: ListeningSockets | None = None
        self._lock = threading.Lock()

    @property
    def tls_url(self) -> str:
        """The base URL over HTTPS. Raises NotRunningError if the server does not run, or has no `tls=True`."""
        return self._secured().tls_url or ""

    @property
    def ca_path(self) -> Path:
        """The certificate of the CA (PEM), for clients to trust. Raises NotRunningError if the server does not run, or
        has no `tls=True`."""
        return self._secured().ca_path or Path()

    @property
    def proxy_url(self) -> str:
        """The URL of the proxy. Raises NotRunningError if the server does not run, or has no `proxy=True`."""
        self._running()
        url = self._listeners.proxy_url if self._listeners else None
        if url is None:
            raise NotRunningError("the server has no proxy: use it as `with MockServer(proxy=True) as server:`")
        return url

    def __repr__(self) -> str:
        return f"<MockServer at {self._control.url}>" if self._control else "<MockServer, not running>"

    def start(self) -> "MockServer":
        """Start to serve, and return this server.

        Raises:

        - `UnknownScenario`, `UnknownFixture` if nothing has that name.
        - `SourceError` if a file cannot be used; it has every problem as file:line:column.
        - `ScenarioError`, `FixtureError` if plain data cannot be used; the message has every problem.
        - `ListenError` if the port is in use, or the address is not this machine's.
        - `CertificateError` if the CA cannot be used.
        - `StartError` if the server cannot start for another reason, or has been started already.
        """
        if self._thread is not None:
            raise StartError("this server has been started already")
        app = self._new_app()
        try:
            listeners = open_sockets(self._settings)
        except ListenError as error:
            raise with_holder(error) from None
        thread = ServerThread(app, listeners)
        try:
            thread.start()
        except BaseException:  # also Ctrl-C
            listeners.close()
            raise
        self._app, self._listeners, self._thread = app, listeners, thread
        self._intercept_listeners = None
        self._control = Control(listeners.url, other_url=thread.private_url)
        return self

    def stop(self) -> None:
        """Stop the server, and close every connection. A second call does nothing. Raises StopError if the server does
        not stop."""
        thread, self._thread = self._thread, None
        if self._control is not None:
            self._control.close()
            self._control = None
        if thread is not None:
            thread.stop()

    def sandboxes(self) -> list[Sandbox]:
        """Return every sandbox, the oldest first: those made here, and those of keys that clients used.

        Raises NotRunningError if the server does not run.
        """
        control = self._running()
        tenants = self._app.tenants if self._app else ()
        return [Sandbox(control, test_key(tenant.key), tenant.id, self._race_origin) for tenant in tenants]

    def intercept(self) -> AbstractContextManager[None]:
        """Redirect https://api.cloudnexus.com, and http://, to this server until the end of a `with` block.

        This works for every HTTP client of this process that connects through Python, in every thread. The client does
        not have to be changed, and TLS needs no configuration. A block inside a block of the same server changes
        nothing. After the last block everything is as before, and connections that clients kept open to the mock are
        closed. As always, the key of the client decides its sandbox: give the client `sandbox.api_key`, or create the
        sandbox of the client's own key with `server.sandbox(key=…)`.

        Clients that do not connect through Python are not redirected: libcurl (pycurl, curl_cffi), gRPC, HTTP clients
        in Rust, other processes. Use `proxy=True` for them. Three more cases are not redirected: a connection that was
        already open, a name that a client has already resolved and remembers (aiohttp does so for ten seconds), and a
        client with its own proxy (its HTTPS fails). Proxies of the environment are ignored by clients that read the
        environment from now on. TLS that does not use the `ssl` module (pyOpenSSL) does not trust the mock.

        Raises:

        - `NotRunningError` if this server does not run.
        - `InterceptionError` when entered, if the name leads to another server already.
        - `CertificateError` if the CA cannot be used.

        Example:

            with server.intercept():
                requests.get("https://api.cloudnexus.com/v1/instances", headers=…)
        """
        from cnx_mock.intercept.interception import intercepting  # lazy: `cnx-mock run` starts without it

        url = self._running().url
        listeners = self._listeners_for_interception()
        return intercepting(url, listeners, lambda: self._close_connections(listeners))

    def __enter__(self) -> "MockServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _own_control(self) -> Control:
        """Return another client of its control plane."""
        url = self._running().url
        assert self._thread is not None, "it runs"
        return Control(url, other_url=self._thread.private_url)

    def _running(self) -> Control:
        if self._control is None:
            raise NotRunningError("the server does not run: use it as `with MockServer() as server:`")
        return self._control

    def _race_origin(self, sandbox_id: str) -> "RaceOrigin":
        self._running()
        app, thread, listeners = self._app, self._thread, self._listeners
        assert app is not None and thread is not None and listeners is not None, "it runs"
        from cnx_mock.python_api.race.origin import RaceOrigin  # lazy: only a test that races needs the sweep

        return thread.call(lambda: RaceOrigin.of(app, sandbox_id, listeners.security))

    def _secured(self) -> ListeningSockets:
        self._running()
        if self._listeners is None or self._listeners.context is None:
            raise NotRunningError("the server has no HTTPS: use it as `with MockServer(tls=True) as server:`")
        return self._listeners

    def _listeners_for_interception(self) -> ListeningSockets:
        """Return the sockets to which interception leads, made once. They are not the server's other sockets, so that
        only the connections that were led here are closed afterwards."""
        with self._lock:
            if self._intercept_listeners is None:
                listeners = open_sockets(Settings(port=0, tls=True, ca_dir=self._settings.ca_dir))
                if self._thread is not None:
                    self._thread.add(listeners)
                self._intercept_listeners = listeners
            return self._intercept_listeners

    def _close_connections(self, listeners: ListeningSockets) -> None:
        """Close the connections that were redirected, unless the server has stopped or was restarted."""
        if self._thread is not None and listeners is self._intercept_listeners:
            self._thread.close_connections(listeners)

    def _new_app(self) -> App:
        scenario = fixture = None
        if self._scenario is not None:
            scenario = read_scenario(scenario_document(self._scenario), operations())
        if self._fixture is not None:
            fixture = read_fixture(fixture_document(self._fixture))
        return create_app(self._settings, scenario=scenario, fixture=fixture)


def control_of(server: MockServer) -> Control:
    """Return another client of the control plane of a server in this process: it reaches the server also while a fault
    has closed the ports. Raises NotRunningError if the server does not run."""
    return server._own_control()


def _texts(given: str | Sequence[str] | None) -> str | Sequence[str] | None:
    """Return a list as the tuple that settings have, and anything else as it is."""
    return tuple(given) if isinstance(given, list) else given


def _settings(settings: Settings | None, given: dict[str, Any], **inputs: object) -> Settings:
    """Return the settings, made of the options that were given unless they are there. Raises SettingsError for an
    option that both give."""
    if settings is None:
        return Settings(**{"port": 0, **given})
    if not isinstance(settings, Settings):
        raise SettingsError(f"settings must be a cnx_mock.Settings, not {type(settings).__name__}")
    for name, value in given.items():
        there = getattr(settings, name)
        if getattr(replace(settings, **{name: value}), name) != there:
            where = f"with settings, give it there: Settings({name}={value!r})"
            raise SettingsError(f"{name} is {value!r} here, and {there!r} in settings: {where}")
    for name, value in inputs.items():
        if value is not None and getattr(settings, name):
            raise SettingsError(f"{name} is given twice: here, and {getattr(settings, name)!r} in settings")
    return settings
