"""Run two programs once against one world, under a schedule, and return what they did and what they left."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cnx_mock.http.app import App, create_app
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import open_sockets
from cnx_mock.programs.bounded import run
from cnx_mock.programs.folders import ProgramFolders, program_folders
from cnx_mock.programs.start import ProgramResult
from cnx_mock.sweep.plan import NO_FAULTS
from cnx_mock.sweep.race.gate import Gate
from cnx_mock.sweep.race.schedule import RACERS, Racer, Schedule
from cnx_mock.sweep.race.turns import Pace, Turns
from cnx_mock.sweep.trial import RunConfig, RunResult, collected, scenario_of
from cnx_mock.text.units import parse_instant
from cnx_mock.world.clock import SECOND, ticks, wall_now
from cnx_mock.world.keys import test_key

Configs = Mapping[Racer, RunConfig]
"""The programs, each with what its runs have in common. The server's settings are those of A."""

ANY_PACE = Pace(calls=1_000_000, pause=1_000_000)
"""For a program of which nothing is known yet: its turn does not end by itself."""


@dataclass(frozen=True, kw_only=True)
class RaceRun:
    """What two programs did, and what they left."""

    run: RunResult
    """Both together. Each entry has the `racer` that made the call, and its `number` among that program's calls."""
    ended: Mapping[Racer, ProgramResult]
    """How each program ended."""
    paces: Mapping[Racer, Pace]
    """How each program called."""
    order: Sequence[Racer]
    """The program of each call that was performed."""
    gave_up: bool
    """Whether a program gave up a call while it was held."""

    @property
    def statuses(self) -> tuple[int | None, int | None]:
        """The exit statuses of A and of B; None for one that was ended at the time limit."""
        return self.ended["A"].status, self.ended["B"].status

    def operation(self, racer: Racer, number: int) -> str | None:
        """Return the operation of a program's call with this number, None if it has not made so many."""
        found = (each["operation"] for each in self.run.entries if (each["racer"], each["number"]) == (racer, number))
        return next(found, None)


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
        await race.start()
        try:
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
        self._app: App = create_app(config.settings, scenario=scenario_of(config, NO_FAULTS), fixture=config.fixture)
        self._groups: dict[Racer, int] = {}
        self._began: dict[Racer, tuple[int, int]] = {}
        self._ended: dict[Racer, ProgramResult] = {}
        self._callers: dict[str, Racer] = {}
        self.turns = Turns(schedule, paces, self._hold, self._go_on)
        self._sockets = {racer: open_sockets(config.settings, config.security) for racer in RACERS}
        gates = {racer: Gate(self._app, racer, self.turns, self._callers) for racer in RACERS}
        self._servings = [Serving(gates[racer], self._sockets[racer]) for racer in RACERS]
        self._key = config.key

    async def start(self) -> None:
        """Serve both."""
        for serving in self._servings:
            await serving.start()
        self._key = self._key or test_key(self._app.tenants.make().key)

    async def stop(self) -> None:
        """Stop serving."""
        self.turns.close()
        for serving in self._servings:
            await serving.stop()

    async def run(self, racer: Racer, seconds: float | None) -> None:
        """Run one program to its end."""
        assert self._key is not None, "it was started"
        config, folders = self._configs[racer], self._folders[racer]
        environ = {**os.environ, **config.environment(self._sockets[racer], self._key), **folders.variables}
        self._began[racer] = wall_now(), ticks()
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
        """Return what came of it."""
        # a program that ends closes its connections, so that a call of it that is held then is given up
        result = collected(self._app.tenants, self._ended["A"])
        made: Counter[str] = Counter()
        for entry in result.entries:
            racer = self._callers.get(entry["request_id"], "A")
            made[racer] += 1
            entry.update(racer=racer, number=made[racer])  # type: ignore[attr-defined]  # they are dicts of our own
        return RaceRun(
            run=result,
            ended=self._ended,
            paces={racer: self._pace(racer, result.entries) for racer in RACERS},
            order=self.turns.order,
            gave_up=self.turns.gave_up,
        )

    def _pace(self, racer: Racer, entries: Sequence[Mapping[str, Any]]) -> Pace:
        began, _ = self._began[racer]
        ended = began + round(self._ended[racer].seconds * SECOND)
        calls = [parse_instant(each["wall"]) for each in entries if each["racer"] == racer]
        pauses = [later - earlier for earlier, later in pairwise([began, *calls, ended])]
        return Pace(len(calls), max(pauses) / SECOND)

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
