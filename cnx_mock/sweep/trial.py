"""One run in a world of its own: a server, the program, and what the two left."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from typing import Any

from cnx_mock.http.app import create_app
from cnx_mock.http.journal import entry
from cnx_mock.http.tenants import Tenants
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import ListeningSockets, Security, open_sockets
from cnx_mock.programs.bounded import Ended, run
from cnx_mock.scenario.scenario import Scenario, read_scenario, stacked
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, exported
from cnx_mock.settings import Settings
from cnx_mock.sweep.recorded_faults import Strike, strikes
from cnx_mock.world.keys import test_key

Environment = Callable[[ListeningSockets, str], Mapping[str, str]]
"""What to set so that a program finds a server, and a key's sandbox there."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What all runs of a sweep have in common."""

    command: Sequence[str]
    """The program and its arguments."""
    settings: Settings
    """How its servers run."""
    environment: Environment
    """How the program is led there."""
    key: str | None = None
    """The key that it is given; None for the one that `cnx-mock run` gives by the same seed."""
    security: Security | None = None
    """What their HTTPS has in common: a certificate for each run would cost more than the rest of its server."""
    scenario: Scenario | None = None
    """What goes wrong anyway."""
    fixture: Fixture | None = None
    """The world to start from."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What one run was."""

    ended: Ended
    entries: Sequence[Mapping[str, Any]]
    """Its calls in order of arrival, as `GET /_mock/requests` shows them, each with its sandbox."""
    states: Sequence[Mapping[str, Any]]
    """What is there at its end, for every sandbox."""
    start: Sequence[Mapping[str, Any]]
    """What was there before."""
    unseen: int = 0
    """Requests that the journal could not keep."""
    nowhere: int = 0
    """Requests that reached no sandbox."""
    strikes: Sequence[Strike] = ()
    """What the scenario's rules did to it."""

    @property
    def creates(self) -> int:
        """How many creates were committed."""
        return sum(each["committed"] and each["method"] == "POST" for each in self.entries)

    def fired(self, rules: Sequence[str]) -> bool:
        """Whether each of these rules struck."""
        return set(rules) <= {fault["rule"] for each in self.entries for fault in each["faults"]}


async def attempt(stage: Stage, document: Mapping[str, Any], seconds: float | None, executor: Executor) -> Trial:
    """Run the program once under a scenario, which the stage's own stands on. Raises ProgramError, ScenarioError for
    two scenarios that do not go together, and OSError where no port is free."""
    known = operations()
    scenario = read_scenario(document, known)
    if stage.scenario is not None:
        scenario = stacked([scenario, stage.scenario], known)
    app = create_app(stage.settings, scenario=scenario, fixture=stage.fixture)
    serving = Serving(app, listeners := open_sockets(stage.settings, stage.security))
    try:
        await serving.start()
        key = stage.key or test_key(app.tenants.make().key)
        environ = {**os.environ, **stage.environment(listeners, key)}
        ended = await run(stage.command, environ, seconds, executor)
    finally:
        await serving.stop()
    return _taken(app.tenants, ended)


def _taken(tenants: Tenants, ended: Ended) -> Trial:
    """All that is known of a run, once nothing of it goes on. The sandboxes are reset by this: how they were at the
    start is how a reset leaves them."""
    used = list(tenants)
    exchanges = sorted(
        ((each, tenant) for tenant in used for each in tenant.journal), key=lambda one: one[0].request.arrived
    )
    states = [exported(tenant.sandbox) for tenant in used]
    entries = [{"sandbox": tenant.label, **asdict(entry(each))} for each, tenant in exchanges]
    struck = [strike for tenant in used for strike in strikes(tenant.journal)]
    unseen = sum(tenant.journal.seen - len(tenant.journal) for tenant in used)
    for tenant in used:
        tenant.reset()
    return Trial(
        ended=ended,
        entries=entries,
        states=states,
        start=[exported(tenant.sandbox) for tenant in used],
        unseen=unseen,
        nowhere=tenants.journal.seen,
        strikes=struck,
    )


def private(settings: Settings) -> Settings:
    """The settings of a server for one run: any port, a journal that keeps a long run."""
    return replace(settings, port=0, journal_size=max(settings.journal_size, 20_000))
