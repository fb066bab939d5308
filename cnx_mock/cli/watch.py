"""`serve --watch`: a changed scenario file takes effect at once; errors in it are shown, and change nothing.

The files are polled: each one is opened by its path, and its content compared, ten times a second. Notifications of the
operating system are not used. They belong to the file or the folder that a path named once. So they miss a folder that
is removed and made again, a symbolic link that is switched, and the changes of a network or container volume. What
is read through the path is what the scenario is made from, so a poll cannot miss it.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import click

from cnx_mock.cli.errors import error_text
from cnx_mock.errors import CnxMockError, UnknownFixture
from cnx_mock.http.app import App, load_scenarios
from cnx_mock.http.recipe import fixture_of
from cnx_mock.scenario import gallery
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services.worlds import Fixture
from cnx_mock.services.worlds import files as worlds
from cnx_mock.text.files import read_regular
from cnx_mock.text.source import MAX_BYTES

_INTERVAL = 0.1
"""Seconds between two looks at the files."""

_PATIENCE = 10
"""An editor may write a file in several steps, so a change is read when two looks in a row see the same. A file that
changes all the time is read after this many looks."""

Changed = Callable[[Scenario | Exception, Fixture | Exception | None], None]
"""Receives a scenario and its fixture, or the error in them."""

Contents = tuple[bytes | int, ...]
"""What a look sees of each file: its content, or the errno that says why there is none."""


class ScenarioWatcher:
    """Watches the files of some scenarios, and the fixture that they name, in a separate thread. Make it before the
    scenarios are loaded: a change in between is seen too. Raises UnknownScenario."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._paths = [gallery.find(name) for name in names]
        self._folder = _current_folder()
        self._fixture: str | None = None
        self._loaded = self._scenarios()
        self._loaded += self._fixture_of(self._load())

    async def follow(self, app: App, stop: asyncio.Event) -> None:
        """Give the app each good version of its scenario until `stop`."""
        loop = asyncio.get_running_loop()
        ended = threading.Event()

        def changed(found: Scenario | Exception, fixture: Fixture | Exception | None) -> None:
            with suppress(RuntimeError):  # the loop is closed: the server has stopped
                loop.call_soon_threadsafe(_revise, app, found, fixture)

        # a daemon: a file system that does not answer must not keep the process
        threading.Thread(target=self._poll, args=(changed, ended), name="cnx-mock watch", daemon=True).start()
        await stop.wait()
        ended.set()

    def _poll(self, changed: Changed, ended: threading.Event) -> None:
        """Look at the files again and again until `ended`, and report what they hold after each change."""
        before, restless = self._loaded, 0
        while not ended.wait(_INTERVAL):
            scenarios = self._scenarios()
            now = scenarios + _fixture_contents(self._fixture)
            rests, before = now == before, now
            if now == self._loaded:
                restless = 0
            elif rests or restless >= _PATIENCE:
                restless, found = 0, self._load()
                before = self._loaded = scenarios + self._fixture_of(found)
                changed(found, self._world_of(found))
            else:
                restless += 1

    def _load(self) -> Scenario | Exception:
        """Return what the files hold, or what is wrong with them."""
        try:
            return load_scenarios(self._names)
        except (CnxMockError, OSError) as error:
            return error

    @staticmethod
    def _world_of(found: Scenario | Exception) -> Fixture | Exception | None:
        """Return the fixture that a scenario names, or what is wrong with it. It is read here, because the server's
        own thread has to answer calls meanwhile."""
        try:
            return None if isinstance(found, Exception) else fixture_of(found)
        except (CnxMockError, OSError) as error:
            return error

    def _scenarios(self) -> Contents:
        """Return what the scenario files hold now. If the process's folder was removed and made again, enter the new
        one: relative paths mean that one."""
        if self._folder is not None and _current_folder() is None:
            with suppress(OSError):
                os.chdir(self._folder)
        return tuple(map(_content, self._paths))

    def _fixture_of(self, found: Scenario | Exception) -> Contents:
        """Remember the fixture that a scenario names, and return what its file holds now. A scenario that could not be
        loaded changes nothing."""
        if not isinstance(found, Exception):
            named = found.world.fixture
            self._fixture = named if isinstance(named, str) else None
        return _fixture_contents(self._fixture)


def _current_folder() -> Path | None:
    """Return the folder of the process; None if it was removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None


def _fixture_contents(name: str | None) -> Contents:
    """Return what the file of a fixture holds now."""
    try:
        return () if name is None else (_content(worlds.find(name)),)
    except UnknownFixture:  # the error of the scenario that names it
        return ()


def _content(path: Path) -> bytes | int:
    """Return what is read through a path, or the errno that says why nothing is."""
    try:
        return read_regular(path, MAX_BYTES)
    except OSError as error:
        return error.errno or 0


def _revise(app: App, found: Scenario | Exception, fixture: Fixture | Exception | None) -> None:
    """Take the scenario as its files are now, with its fixture, or keep the last good one."""
    try:
        if isinstance(found, Exception):
            raise found
        if isinstance(fixture, Exception):
            raise fixture
        app.tenants.revise(found, fixture)
    except (CnxMockError, OSError) as error:
        app.tenants.watch_error = error_text(error)
        click.echo(f"{app.tenants.watch_error}\ncnx-mock: the scenario stays as it was", err=True)
    else:
        app.tenants.watch_error = None
        click.echo(f"cnx-mock: scenario {app.tenants.defaults.scenario.name} reloaded", err=True)
    app.events.control_changed(None)
