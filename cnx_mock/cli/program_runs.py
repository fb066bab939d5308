"""Many runs of one program, each with its own server: their common parts, and how a signal ends all of them.

Ctrl-C and SIGTERM cancel the work. The programs run without a terminal in sessions of their own, so that the terminal
sends Ctrl-C to us alone; each is killed with everything it has started. (`programs/start` says how `run` differs.)
"""

import asyncio
import gc
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cnx_mock.net.serving import loop_factory
from cnx_mock.net.sockets import ListeningSockets, security
from cnx_mock.programs.environment import Destination, trust_bundle
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services.worlds import load
from cnx_mock.settings import Settings
from cnx_mock.sweep.trial import RunConfig, private

_ENDING = (signal.SIGINT, signal.SIGTERM)


class ProgramRuns:
    """What all runs of a program have in common. Raises what fixtures and settings raise."""

    def __init__(
        self,
        command: tuple[str, ...],
        settings: Settings,
        *,
        key: str | None = None,
        scenario: Scenario | None = None,
        folder: Path | None = None,
    ) -> None:
        """`key` is given to the program, by default a new one as under `cnx-mock run`; `scenario` applies to every run;
        each run gets a copy of `folder`, if there is one, to run there."""
        self._bundle: Path | None = None
        settings = private(settings)
        self._direct = settings.allow_host
        self.config = RunConfig(
            command=command,
            settings=settings,
            environment=self._environment,
            key=key,
            security=security(settings),
            scenario=scenario,
            folder=folder,
            fixture=load(settings.fixture) if settings.fixture else None,
        )

    def complete(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do the work; return False if a signal ended it. Raises what the work raises."""
        gc.freeze()  # what was made at start-up stays: no collection between two runs need look at it
        ca = self.config.security.ca_path if self.config.security is not None else None
        with (
            trust_bundle(ca, os.environ) as self._bundle,
            signals_kept(),
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            return runner.run(until_stopped(work))

    def _environment(self, listeners: ListeningSockets, key: str) -> Mapping[str, str]:
        """Return the variables that lead a program to a server, as under `cnx-mock run`."""
        place = Destination(listeners.url, key, listeners.proxy_url, listeners.ca_path, self._bundle, self._direct)
        return place.variables(os.environ)


async def until_stopped(work: Callable[[], Awaitable[None]]) -> bool:
    """Do the work; return False if SIGINT or SIGTERM ended it."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(*_: object) -> None:
        if task is not None:
            with suppress(RuntimeError):  # the loop is closed: the work is done
                loop.call_soon_threadsafe(task.cancel)

    for number in _ENDING:
        signal.signal(number, end)
    try:
        await work()
    except asyncio.CancelledError:
        return False
    return True


@contextmanager
def signals_kept() -> Iterator[None]:
    """Have signals do afterwards what they did before: they can end what is shown then."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
