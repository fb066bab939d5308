"""What `cnx-mock serve` does: it greets on stdout, serves until a signal, and writes access lines to stderr."""

import asyncio
import errno
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
import orjson

from cnx_mock.asgi import create_app
from cnx_mock.cli.access_log import AccessLog
from cnx_mock.cli.background_stream import BackgroundStream
from cnx_mock.cli.browser import open_in_browser
from cnx_mock.cli.collector import ShortCollections
from cnx_mock.cli.loading_bar import LoadingBar, keep_what_is_loaded
from cnx_mock.cli.program_settings import print_warnings
from cnx_mock.cli.streams import stderr, warn_on_stderr
from cnx_mock.cli.terminal import is_live
from cnx_mock.errors import ListenError
from cnx_mock.http import docs
from cnx_mock.http.app import App
from cnx_mock.http.control.guard import PAGE
from cnx_mock.net.port_holder import with_holder
from cnx_mock.net.serving import Serving, loop_factory
from cnx_mock.net.sockets import ListeningSockets, open_sockets
from cnx_mock.settings import Settings
from cnx_mock.world.keys import EXAMPLE_KEY

if TYPE_CHECKING:
    from cnx_mock.cli.watch import ScenarioWatcher


def serve_forever(settings: Settings, *, opens: bool = False) -> None:
    """Serve until SIGINT or SIGTERM; with `opens`, show the live page in the browser. Raises what `create_app` and
    `open_sockets` raise."""
    warn_on_stderr()
    watcher = _watcher(settings.scenario) if settings.watch else None
    app = create_app(settings)
    log = stderr()
    app.dropped_lines = lambda: log.dropped
    print_warnings(settings)
    listeners = _opened(settings)
    app.tenants.load_observers.append(keep_what_is_loaded)
    if not settings.quiet:
        bar = LoadingBar(log) if is_live(log) else None
        app.observers.add(AccessLog(log, before=bar.clear if bar else None))
        app.tenants.load_observers += [bar] if bar else []
    ShortCollections().start()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(app, listeners, watcher, opens=opens))


def _watcher(names: Sequence[str]) -> "ScenarioWatcher":
    from cnx_mock.cli.watch import ScenarioWatcher  # lazy: only --watch needs it

    return ScenarioWatcher(names)


def _opened(settings: Settings) -> ListeningSockets:
    """Bind the sockets. Raises what `open_sockets` raises; for a port that is in use, the message says what to do."""
    try:
        return open_sockets(settings)
    except ListenError as error:
        if error.errno == errno.EADDRINUSE and (option := _option_of(error, settings)):
            hint = f"; choose another with {option}, or {option} 0 for a free one"
            raise ListenError(error.errno, f"{with_holder(error)}{hint}") from None
        raise


def _option_of(error: ListenError, settings: Settings) -> str:
    """Return the option of the port that an error names; "" if it names none."""
    ports = {"--port": settings.port, "--tls-port": settings.tls_port, "--proxy-port": settings.proxy_port}
    return next((option for option, port in ports.items() if str(error).startswith(f"port {port} on ")), "")


async def _serve(app: App, listeners: ListeningSockets, watcher: "ScenarioWatcher | None", *, opens: bool) -> None:
    serving = Serving(app, listeners)
    stop = asyncio.Event()
    _on_signal(stop)
    following = asyncio.create_task(watcher.follow(app, stop)) if watcher is not None else None
    await serving.start()
    if opens:
        page = _page(listeners)
        open_in_browser(page, lambda: click.echo(f"cnx-mock: no browser was found: the page is at {page}", err=True))
    await _greeted(app, listeners, stop)
    if following is not None:
        await following
    await serving.stop()


def _on_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: a second signal while the first one is obeyed
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


async def _greeted(app: App, listeners: ListeningSockets, stop: asyncio.Event) -> None:
    """Write the greeting, the only text on stdout, and wait for the stop. Raises OSError if the greeting cannot be
    written; nothing waits for a stdout that is full."""
    loop = asyncio.get_running_loop()
    failed: asyncio.Future[Any] = loop.create_future()

    def sent(error: Exception | None) -> None:
        if error is not None:
            with suppress(RuntimeError):  # the loop is closed: the server has ended
                loop.call_soon_threadsafe(failed.set_exception, error)

    BackgroundStream(sys.stdout).send(_greeting(app, listeners), sent)
    if app.settings.json and app.settings.seed == "random":
        sys.stderr.write(f"cnx-mock: the seed is {app.seed}\n")
    stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait())
    await asyncio.wait([failed, stopped], return_when=asyncio.FIRST_COMPLETED)
    if failed.done():
        failed.result()


def _greeting(app: App, listeners: ListeningSockets) -> str:
    """Return what is written when the server is ready: for people, or a line of JSON."""
    url = listeners.url
    if app.settings.json:
        ready: dict[str, Any] = {"url": url, "api_key": EXAMPLE_KEY, "control": f"{url}/_mock", "pid": os.getpid()}
        if len(app.settings.hosts) > 1:
            ready["urls"] = listeners.urls
        if listeners.tls_url:
            ready |= {"tls_url": listeners.tls_url, "ca_path": str(listeners.ca_path)}
        if listeners.proxy_url:
            ready["proxy_url"] = listeners.proxy_url
        if app.control_token:
            ready["control_token"] = app.control_token
        return f"{orjson.dumps(ready).decode()}\n"
    seed = f"  seed     {app.seed}\n" if app.settings.seed == "random" else ""
    seed += f"  token    {app.control_token}\n" if app.control_token else ""
    tls = f"  https    {listeners.tls_url}\n  CA       {listeners.ca_path}\n" if listeners.tls_url else ""
    others = [each for each in listeners.urls if each != url] if len(app.settings.hosts) > 1 else []
    also = "".join(f"  also at  {each}\n" for each in others)
    proxy = f"  proxy    {listeners.proxy_url}\n" if listeners.proxy_url else ""
    return (
        f"cnx-mock serves the CloudNexus API at {url}\n"
        f"{also}  key      {EXAMPLE_KEY}\n"
        f"  page     {_page(listeners)}\n"
        f"  docs     {url}{docs.PATH}\n"
        f"{tls}{proxy}"
        f"  scenario {app.tenants.defaults.scenario.name}\n{seed}"
        f"Try:\n"
        f"  {_curl(app, listeners)}/v1/instances -H 'Authorization: Bearer {EXAMPLE_KEY}'\n"
        f"Ctrl-C stops it.\n"
    )


def _page(listeners: ListeningSockets) -> str:
    """Return the address of the live page."""
    return f"{listeners.url}{PAGE}"


def _curl(app: App, listeners: ListeningSockets) -> str:
    """Return the beginning of a curl command that will be answered."""
    if not app.settings.require_tls:
        return f"curl {listeners.url}"
    return f"curl --cacert {shlex.quote(str(listeners.ca_path))} {listeners.tls_url}"
