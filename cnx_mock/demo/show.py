"""One show: a server, clients side by side, the same clients once more without faults, and the verdict on each."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

from cnx_mock.asgi import extended_app
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
from cnx_mock.sweep.trial import Environment, RunConfig, private, run_result
from cnx_mock.world.clock import wall_now

PROVISIONING = "polls:2"
"""How long resources take to be ready in a demo: so many reads still find them in provisioning."""
_BASE = 0.25
"""The unit of our own clients' waits, in seconds at speed 1."""
_QUICK = 0.01
"""The same without faults: nobody watches."""


class Show:
    """One show. Its lanes can be read at any time, from the loop that it runs on."""

    def __init__(self, story: Story, programs: Sequence[LaneProgram], settings: Settings, seconds: float) -> None:
        """`seconds` is how long each program may take. Raises what the settings and the scenario raise."""
        self.story = story
        self.summary: str | None = None
        """What was seen; None until all lanes are judged."""
        self._settings = settings
        self._seconds = seconds
        self._app = extended_app(settings, scenario=story.scenario, control=lambda: [demo_resource(self.item)])
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
        serving = Serving(self._app, sockets)
        try:
            await serving.start()
            await run_all(self._play(each, sockets, bundle, shared, executor) for each in self.lanes)
            self.summary = summary(self.story, self.lanes)
            await then()
        finally:
            executor.shutdown(wait=False)
            await serving.stop()

    async def _play(
        self,
        lane: Lane,
        sockets: ListeningSockets,
        bundle: Path | None,
        shared: Security | None,
        executor: Executor,
    ) -> None:
        """Run a lane's program, and judge it."""
        environment = self._environment(lane.program, bundle, _BASE / self._settings.speed)
        environ = {**os.environ, **environment(sockets, lane.key)}
        lane.started = wall_now()
        try:
            lane.result = await run(lane.program.command, environ, lambda: self._seconds, executor)
        except ProgramError as error:
            raise UsageError(f"--client {lane.program.line!r}: {error}") from None
        lane.ended = wall_now()
        result = run_result([lane.tenant], lane.result, lambda: lane.start)
        config = RunConfig(
            command=lane.program.command,
            settings=private(self._settings),
            environment=self._environment(lane.program, bundle, _QUICK),
            security=shared,
            scenario=without_faults(self.story.scenario),
        )
        hung = lane.result.status is None
        usual = [result] * 2 if hung else await rehearse(config, self._seconds, executor, at_once=lane.program.is_ours)
        lane.can_be_swept = not hung and can_be_swept(usual)
        rules = [rule.id for rule in self.story.scenario.rules]
        lane.outcome = judge_show(result, usual, rules, lane.program.noun)

    def _environment(self, program: LaneProgram, bundle: Path | None, base: float) -> Environment:
        """Return what returns the variables that lead a program to a server; `base` is the unit of our own clients'
        waits, in seconds."""
        own = {"BASE": str(base), "SEED": str(self._settings.seed)} if program.is_ours else {}

        def variables(sockets: ListeningSockets, key: str) -> Mapping[str, str]:
            place = Destination(sockets.url, key, sockets.proxy_url, sockets.ca_path, bundle, self._settings.allow_host)
            return {**place.variables(os.environ), **own}

        return variables
