"""What `cnx-mock demo` does: it shows a story on a page and in the terminal."""

import asyncio
import errno
import gc
import os
import sys
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from cnx_mock.cli.browser import open_in_browser
from cnx_mock.cli.errors import INTERRUPTED
from cnx_mock.cli.output import reader_may_leave
from cnx_mock.cli.program_runs import signals_kept, until_stopped
from cnx_mock.cli.program_settings import with_drawn_seed
from cnx_mock.cli.streams import settle, warn_on_stderr
from cnx_mock.cli.terminal import columns, in_locale, is_live, wants_colour
from cnx_mock.demo.lane import given_programs, own_programs
from cnx_mock.demo.marks import live_lines
from cnx_mock.demo.show import PROVISIONING, Show
from cnx_mock.demo.stories import read_story
from cnx_mock.demo.transcript import show_lines, title_line
from cnx_mock.errors import ListenError
from cnx_mock.net.port_holder import with_holder
from cnx_mock.net.serving import loop_factory
from cnx_mock.net.sockets import ListeningSockets, Security, open_sockets, security
from cnx_mock.programs.environment import trust_bundle
from cnx_mock.settings import Settings

if TYPE_CHECKING:
    from cnx_mock.cli.rich_output import LiveDrawing

_FRAME = 0.1
"""Seconds between two drawings of the lanes."""


class DemoCommand:
    """One show. Raises what its story, its programs and its settings raise."""

    def __init__(
        self,
        story: str,
        clients: Sequence[str],
        options: Mapping[str, Any],
        *,
        seconds: float,
        port: int,
        speed: float,
    ) -> None:
        warn_on_stderr()
        programs = [*given_programs(clients), *own_programs()]
        read = read_story(story)
        settings = Settings(**options, port=port, speed=speed, proxy=bool(clients), provisioning=PROVISIONING)
        self._settings = with_drawn_seed(settings)
        self._show = Show(read, programs, self._settings, seconds)

    def run(self, *, script: bool, browser: bool) -> int:
        """Put on the show, and return the exit status. Raises ListenError for a port that is in use, and UsageError for
        a client that cannot be started."""
        gc.freeze()  # what was made at start-up stays: Ctrl-C need not wait until it is taken apart
        shared = security(self._settings)
        sockets = self._opened(shared)
        page = "" if script else f"{sockets.url}/_mock/#/demo"
        _print([title_line(self._show, wants_colour(sys.stdout)), *([f"Watch it at {page}"] if page else [])])
        if browser:
            open_in_browser(page, lambda: _print(["No browser was found: open this address in one."]))
        complete = self._complete(sockets, shared, page)
        return 0 if complete else INTERRUPTED

    def _opened(self, shared: Security | None) -> ListeningSockets:
        try:
            return open_sockets(self._settings, shared)
        except ListenError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            hint = "choose another with --port, or leave it out for a free one"
            raise ListenError(error.errno, f"{with_holder(error)}; {hint}") from None

    def _complete(self, sockets: ListeningSockets, shared: Security | None, page: str) -> bool:
        """Run the show; return False if a signal ended it. With a page, only a signal does."""

        live = LiveLanes(self._show)

        async def then() -> None:
            live.close()
            _print(show_lines(self._show, wants_colour(sys.stdout)))
            if page:
                _print(["", f"The page stays at {page} until Ctrl-C."])
                await asyncio.Event().wait()

        with (
            trust_bundle(sockets.ca_path, os.environ) as bundle,
            signals_kept(),
            closing(live),
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            return runner.run(until_stopped(lambda: live.beside(self._show.run(sockets, bundle, shared, then))))


class LiveLanes:
    """The lanes while they run, on a terminal: drawn again in place on stderr, and removed at the end."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._drawing = _drawing() if is_live(sys.stderr) else None

    async def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and draw meanwhile."""
        drawing = asyncio.ensure_future(self._draw())
        try:
            await work
        finally:
            drawing.cancel()

    def close(self) -> None:
        """Remove the lanes from the terminal, for good."""
        if self._drawing is not None:
            self._drawing.close()
            self._drawing = None
            settle()

    async def _draw(self) -> None:
        while self._drawing is not None:
            self._drawing.draw(live_lines(self._show, columns(), wants_colour(sys.stderr)))
            await asyncio.sleep(_FRAME)


def _drawing() -> "LiveDrawing":
    from cnx_mock.cli.rich_output import LiveDrawing  # lazy: rich is slow to import, and only a terminal needs it

    return LiveDrawing(sys.stderr)


def _print(lines: Sequence[str]) -> None:
    with reader_may_leave():
        click.echo(in_locale("\n".join(lines)), color=True)
