"""`cnx-mock serve`: one process, until a signal."""

import asyncio
import gc
import logging
import os
import shlex
import signal
import sys
from contextlib import suppress

import orjson

from cnx_mock.asgi import create_app
from cnx_mock.cli.watch import watch
from cnx_mock.http import docs
from cnx_mock.http.app import App
from cnx_mock.http.journal import JournalRecord, access_line
from cnx_mock.net.serving import Serving, loop_factory
from cnx_mock.net.sockets import ListeningSockets, open_sockets
from cnx_mock.scenario import gallery
from cnx_mock.services import operations
from cnx_mock.settings import Settings
from cnx_mock.world.keys import EXAMPLE_KEY


def serve_forever(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM. Raises what `create_app` and `open_sockets` raise."""
    logging.basicConfig(stream=sys.stderr, format="cnx-mock: %(message)s", level=logging.WARNING)
    app = create_app(settings)
    warn(settings)
    listeners = open_sockets(settings)
    if not settings.quiet:
        app.observers.add(_log)
    gc.freeze()  # what start-up made stays: no collection need look at it again
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(app, listeners))


async def _serve(app: App, listeners: ListeningSockets) -> None:
    serving = Serving(app, listeners)
    stop = asyncio.Event()
    _on_signal(stop)
    following = asyncio.create_task(watch(app, stop)) if app.settings.watch else None
    await asyncio.sleep(0)  # the watch stands before anybody is told that we are ready
    await serving.start()
    _greet(app, listeners)
    await stop.wait()
    if following is not None:
        await following
    await serving.stop()


def warn(settings: Settings) -> None:
    """Say what in the scenarios can never happen."""
    for name in settings.scenario:
        _, lint = gallery.linted(name, operations())
        if lint is not None:
            sys.stderr.write(f"{lint.excerpt()}\ncnx-mock: the lines above are warnings\n")


def _on_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: a second signal while the first one is obeyed
            loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)


def _greet(app: App, listeners: ListeningSockets) -> None:
    """All that ever stands on stdout."""
    url = listeners.url
    if app.settings.json:
        ready = {"url": url, "api_key": EXAMPLE_KEY, "control": f"{url}/_mock", "pid": os.getpid()}
        if listeners.tls_url:
            ready |= {"tls_url": listeners.tls_url, "ca_path": str(listeners.ca_path)}
        if listeners.proxy_url:
            ready["proxy_url"] = listeners.proxy_url
        _say(orjson.dumps(ready).decode())
        if app.settings.seed == "random":
            sys.stderr.write(f"cnx-mock: the seed is {app.seed}\n")
        return
    seed = f"  seed     {app.seed}\n" if app.settings.seed == "random" else ""
    tls = f"  https    {listeners.tls_url}\n  CA       {listeners.ca_path}\n" if listeners.tls_url else ""
    proxy = f"  proxy    {listeners.proxy_url}\n" if listeners.proxy_url else ""
    _say(
        f"cnx-mock serves the CloudNexus API at {url}\n"
        f"  key      {EXAMPLE_KEY}\n"
        f"  docs     {url}{docs.PATH}\n"
        f"{tls}{proxy}"
        f"  scenario {app.tenants.defaults.scenario.name}\n{seed}"
        f"Try:\n"
        f"  {_curl(app, listeners)}/v1/instances -H 'Authorization: Bearer {EXAMPLE_KEY}'\n"
        f"Ctrl-C stops it.",
    )


def _curl(app: App, listeners: ListeningSockets) -> str:
    """The beginning of a curl that will be answered."""
    if not app.settings.require_tls:
        return f"curl {listeners.url}"
    return f"curl --cacert {shlex.quote(str(listeners.ca_path))} {listeners.tls_url}"


def _log(record: JournalRecord, label: str) -> None:
    """One line a request, on stderr; nobody need read it."""
    with suppress(OSError):
        sys.stderr.write(access_line(record, label) + "\n")


def _say(text: str) -> None:
    """To stdout, at once: whoever starts us waits for it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
