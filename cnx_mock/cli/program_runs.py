"""Many runs of one program, each with a server of its own: how it finds them, and how a signal ends them all."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from cnx_mock.net.serving import loop_factory
from cnx_mock.net.sockets import ListeningSockets, security
from cnx_mock.programs.environment import Destination, bundle_of
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services.worlds import load
from cnx_mock.settings import Settings
from cnx_mock.sweep.trial import Stage, private

INTERRUPTED = 130
"""Exit status after Ctrl-C."""


class Staging:
    """What all runs of a program have in common. Raises what fixtures and settings raise."""

    def __init__(
        self, command: tuple[str, ...], settings: Settings, *, key: str | None = None, scenario: Scenario | None = None
    ) -> None:
        """`key` is what the program is given, a fresh one as under `cnx-mock run` unless it is; `scenario` is what goes
        wrong in every run."""
        self._bundle = Path()
        settings = private(settings)
        self._direct = settings.allow_host
        self.stage = Stage(
            command=command,
            settings=settings,
            environment=self._environment,
            key=key,
            security=security(settings),
            scenario=scenario,
            fixture=load(settings.fixture) if settings.fixture else None,
        )

    def complete(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do the work; False where a signal ended it. Raises what the work raises."""
        with tempfile.TemporaryDirectory(prefix="cnx-mock-", ignore_cleanup_errors=True) as folder:
            self._bundle = Path(folder, "ca-bundle.pem")
            if self.stage.security is not None:
                self._bundle.write_bytes(bundle_of(self.stage.security.ca_path, os.environ, self._bundle))
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                return runner.run(_until_stopped(work))

    def _environment(self, listeners: ListeningSockets, key: str) -> Mapping[str, str]:
        """What leads a program to a server, as under `cnx-mock run`."""
        place = Destination(listeners.url, key, listeners.proxy_url, listeners.ca_path, self._bundle, self._direct)
        return place.variables(os.environ)


async def _until_stopped(work: Callable[[], Awaitable[None]]) -> bool:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def end(*_: object) -> None:
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        await work()
    except asyncio.CancelledError:
        return False
    return True
