"""One demo: a server, clients side by side, the same clients again without faults, and the verdict on each."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from cnx_mock.asgi import extended_app
from cnx_mock.dataclass import dataclass
from cnx_mock.demo.control import DemoItem, demo_item, demo_resource
from cnx_mock.demo.lane import Lane, LaneProgram
from cnx_mock.demo.rehearsal import can_be_swept, judge_show, rehearse
from cnx_mock.demo.stories import Story
from cnx_mock.demo.words import next_line, summary
from cnx_mock.errors import ProgramError, UsageError
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import ListeningSockets, Security
from cnx_mock.programs.bounded import run
from cnx_mock.programs.environment import Destination
from cnx_mock.settings import Settings
from cnx_mock.sweep.calm import without_faults
from cnx_mock.sweep.runner import run_all
from cnx_mock.sweep.trial import Environment, RunConfig, RunResult, private, run_result
from cnx_mock.world.clock import wall_now

_OWN_SECONDS = 60
"""How long our own clients may take at speed 1 or more."""
PROVISIONING = "polls:2"
"""How long resources take to be ready in a demo: this many reads still show them as provisioning."""
_BASE = 0.25
"""The unit of our own clients' waits, in seconds at speed 1."""
_QUICK = 0.01
"""The same without faults: nobody watches."""


@dataclass(frozen=True, slots=True)
class SharedSetup:
    """What the programs of a show have in common."""

    sockets: ListeningSockets
    bundle: Path | None
    """The file with the CAs that programs trust."""
    shared: Security | None
    """Our certificate."""
    executor: Executor
    """Has a thread for each program that runs."""


class Show:
    """One show. Its lanes can be read at any time, from the loop that it runs on."""

    def __init__(self, story: Story, programs: Sequence[LaneProgram], settings: Settings, seconds: float) -> None:
        """`seconds` is how long each program may take, other than ours. Raises what settings and scenario raise."""
        self.story = story
        self.summary: str | None = None
        """What was seen; None until all lanes are judged."""
        self._settings = settings
        self._seconds = seconds
        self._app = extended_app(
            settings,
            scenario=story.scenario,
            control=lambda word: [demo_resource(self.item)] if word in ("demo", None) else [],
        )
        self.lanes = [Lane(program=each, tenant=self._app.tenants.make(each.label)) for each in programs]

    @property
    def next_line(self) -> str:
        """The command to try next: a sweep of the first program that is not known to be unfit for one."""
        return next_line(self.story, [each.program for each in self.lanes if each.can_be_swept])

    def item(self) -> DemoItem:
        """Return it as it is now, as the page gets it."""
        return demo_item(self.story, self.lanes, self.summary, self.next_line)

    async def run(
        self,
        sockets: ListeningSockets,
        bundle: Path | None,
        shared: Security | None,
        then: Callable[[], Awaitable[None]],
    ) -> None:
        """Serve on these sockets, and run all clients to their verdicts; serve on while `then` runs.

        `bundle` is the file with the CAs that programs trust, `shared` our certificate. Raises UsageError if a program
        cannot be started.
        """
        executor = ThreadPoolExecutor(2 * len(self.lanes), "cnx-mock demo")
        setup = SharedSetup(sockets, bundle, shared, executor)
        serving = Serving(self._app, sockets)
        try:
            await serving.start()
            await run_all(self._play(each, setup) for each in self.lanes)
            self.summary = summary(self.story, self.lanes)
            await then()
        finally:
            executor.shutdown(wait=False)
            await serving.stop()

    async def _play(self, lane: Lane, setup: SharedSetup) -> None:
        """Run a lane's program, and judge it."""
        program = lane.program
        limit = max(_OWN_SECONDS, _OWN_SECONDS / self._settings.speed) if program.is_ours else self._seconds
        environment = self._environment(program, setup.bundle, _BASE / self._settings.speed)
        lane.started = wall_now()
        try:
            environ = {**os.environ, **environment(setup.sockets, lane.key)}
            lane.result = await run(program.command, environ, lambda: limit, setup.executor)
        except ProgramError as error:
            raise UsageError(f"--client {program.line!r}: {error}") from None
        lane.ended = wall_now()
        result = run_result([lane.tenant], lane.result, lambda: lane.start)
        hung = lane.result.status is None
        fault_free = [result] * 2 if hung else await self._rehearse(program, limit, setup)
        lane.can_be_swept = program.is_ours or (not hung and can_be_swept(fault_free))
        rules = [rule.id for rule in self.story.scenario.rules]
        lane.outcome = judge_show(result, fault_free, rules, program.noun)

    async def _rehearse(self, program: LaneProgram, limit: float, setup: SharedSetup) -> Sequence[RunResult]:
        """Run a program twice in the story's world without faults."""
        config = RunConfig(
            command=program.command,
            settings=private(self._settings),
            environment=self._environment(program, setup.bundle, _QUICK),
            security=setup.shared,
            scenario=without_faults(self.story.scenario),
        )
        return await rehearse(config, limit, setup.executor, at_once=program.is_ours)

    def _environment(self, program: LaneProgram, bundle: Path | None, base: float) -> Environment:
        """Return what returns the variables that lead a program to a server; `base` is the unit of our own clients'
        waits, in seconds."""
        own = {"BASE": str(base), "SEED": str(self._settings.seed)} if program.is_ours else {}

        def variables(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
            place = Destination(sockets.url, key, sockets.proxy_url, sockets.ca_path, bundle, self._settings.allow_host)
            return {**place.variables(os.environ), **own}

        return variables
