"""Run two programs once against one world, under a schedule, and return what they did and what they left."""

import asyncio
import os
import signal
from collections.abc import Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, suppress

from cnx_mock.http.app import create_app
from cnx_mock.programs.bounded import run
from cnx_mock.programs.folders import ProgramFolders, program_folders
from cnx_mock.programs.start import ProgramResult
from cnx_mock.sweep.plan import NO_FAULTS
from cnx_mock.sweep.race.schedule import RACERS, Racer, Schedule
from cnx_mock.sweep.race.turns import Pace, Turns
from cnx_mock.sweep.race.world import RaceRun, RaceWorld
from cnx_mock.sweep.trial import RunConfig, scenario_of
from cnx_mock.world.clock import wall_now
from cnx_mock.world.keys import test_key

Configs = Mapping[Racer, RunConfig]
"""The programs, each with what its runs have in common. The server's settings are those of A."""


async def race_once(
    configs: Configs,
    schedule: Schedule,
    paces: Mapping[Racer, Pace],
    seconds: float | None,
    executor: Executor,
    *,
    together: bool = True,
) -> RaceRun:
    """Run both programs in one new world. `together` is whether both are started at once; otherwise the second one is
    started when the first one has ended. `seconds` is the time limit of each.

    Raises ProgramError, ScenarioError, UsageError and OSError as `run_once` does.
    """
    with ExitStack() as stack:
        folders = {racer: stack.enter_context(program_folders(configs[racer].folder)) for racer in RACERS}
        race = _Race(configs, folders, schedule, paces, executor)
        try:
            await race.start()
            first = race.turns.now
            order = [first, *(each for each in RACERS if each != first)]
            if together:
                await asyncio.gather(*(race.run(racer, seconds) for racer in order))
            else:
                for racer in order:
                    await race.run(racer, seconds)
        finally:
            await race.stop()
    return race.result()


class _Race:
    """One world, with a way to it for each program."""

    def __init__(
        self,
        configs: Configs,
        folders: Mapping[Racer, ProgramFolders],
        schedule: Schedule,
        paces: Mapping[Racer, Pace],
        executor: Executor,
    ) -> None:
        config = configs["A"]
        self._configs = configs
        self._folders = folders
        self._executor = executor
        self._groups: dict[Racer, int] = {}
        self._began: dict[Racer, int] = {}
        self._ended: dict[Racer, ProgramResult] = {}
        self.turns = Turns(schedule, paces, self._hold, self._go_on)
        app = create_app(config.settings, scenario=scenario_of(config, NO_FAULTS), fixture=config.fixture)
        self._world = RaceWorld(app, config.settings, config.security, self.turns)
        self._key = config.key

    async def start(self) -> None:
        """Serve both."""
        await self._world.start()
        self._key = self._key or test_key(self._world.app.tenants.make().key)

    async def stop(self) -> None:
        """Stop serving."""
        await self._world.stop()

    async def run(self, racer: Racer, seconds: float | None) -> None:
        """Run one program to its end."""
        assert self._key is not None, "it was started"
        config, folders = self._configs[racer], self._folders[racer]
        environ = {**os.environ, **config.environment(self._world.sockets(racer), self._key), **folders.variables}
        self._began[racer] = wall_now()
        try:
            self._ended[racer] = await run(
                config.command,
                environ,
                lambda: seconds,
                self._executor,
                folder=folders.working,
                started=lambda group: self._started(racer, group),
            )
        finally:
            self._groups.pop(racer, None)
            self.turns.ended(racer)

    def result(self) -> RaceRun:
        """Return the result."""
        return self._world.result(self._ended, self._began)

    def _started(self, racer: Racer, group: int) -> None:
        self._groups[racer] = group
        self.turns.started(racer)

    def _hold(self, racer: Racer) -> None:
        self._signal(racer, signal.SIGSTOP)

    def _go_on(self, racer: Racer) -> None:
        self._signal(racer, signal.SIGCONT)

    def _signal(self, racer: Racer, number: signal.Signals) -> None:
        if racer in self._groups:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._groups[racer], number)
