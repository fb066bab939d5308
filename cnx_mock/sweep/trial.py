"""Run a program once, with a server of its own, and return what it did and what it left."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, replace
from typing import Any

from cnx_mock.http.app import create_app
from cnx_mock.http.journal import entry
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import ListeningSockets, Security, open_sockets
from cnx_mock.programs.bounded import run
from cnx_mock.programs.start import ProgramResult
from cnx_mock.scenario.scenario import Scenario, read_scenario, stacked
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, exported
from cnx_mock.settings import Settings
from cnx_mock.sweep.patience import extended_limit
from cnx_mock.sweep.recorded_faults import RecordedFault, recorded_faults
from cnx_mock.world.clock import SECOND, ticks
from cnx_mock.world.keys import test_key

Environment = Callable[[ListeningSockets, str], Mapping[str, str]]
"""Return the environment variables that lead a program to a server, and to a key's sandbox there."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What all runs of one program have in common."""

    command: Sequence[str]
    """The program and its arguments."""
    settings: Settings
    """The settings of each run's server."""
    environment: Environment
    """The variables that are added to the program's environment."""
    key: str | None = None
    """The key that the program is given; None for the one that `cnx-mock run` gives with the same seed."""
    security: Security | None = None
    """The certificate that all servers share: one for each run would take longer than the rest of its server."""
    scenario: Scenario | None = None
    """A scenario that applies to every run, below the run's own."""
    fixture: Fixture | None = None
    """The world that every run starts with."""


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What one run did, and what it left."""

    ended: ProgramResult
    """How the program ended."""
    entries: Sequence[Mapping[str, Any]]
    """The run's requests in order of arrival, as `GET /_mock/requests` answers them, each with its sandbox."""
    states: Sequence[Mapping[str, Any]]
    """The state of each sandbox at the end."""
    start: Sequence[Mapping[str, Any]]
    """The state of each sandbox before the run."""
    unseen: int = 0
    """How many requests the journal could not keep."""
    nowhere: int = 0
    """How many requests reached no sandbox."""
    faults: Sequence[RecordedFault] = ()
    """The faults that the scenario's rules injected."""

    @property
    def creates(self) -> int:
        """How many creates were committed."""
        return sum(each["committed"] and each["method"] == "POST" for each in self.entries)

    @property
    def created(self) -> set[str]:
        """The ids of the resources that it created."""
        return {each["created_id"] for each in self.entries if each.get("created_id")}

    def refused_deletes(self, rules: Sequence[str]) -> set[str]:
        """Return the ids of the resources whose delete one of these rules, given by their ids, met with a fault."""
        struck = (each for each in self.entries if {fault["rule"] for fault in each["faults"]} & set(rules))
        return {each["path"].rpartition("/")[2] for each in struck if each["method"] == "DELETE"}

    def fired(self, rules: Sequence[str]) -> bool:
        """Return whether each of these rules injected a fault. `rules` are their ids."""
        return set(rules) <= {fault["rule"] for each in self.entries for fault in each["faults"]}


async def run_once(
    config: RunConfig, document: Mapping[str, Any], seconds: float | None, executor: Executor, *, patient: bool = False
) -> RunResult:
    """Run the program once under a scenario, given as plain data, on top of the config's own.

    `seconds` is the time limit; `patient` is whether it is extended for a client that backs off. Raises ProgramError if
    the program cannot be started, ScenarioError if the two scenarios contradict each other, and OSError if no port is
    free.
    """
    known = operations()
    scenario = read_scenario(document, known)
    if config.scenario is not None:
        scenario = stacked([scenario, config.scenario], known)
    app = create_app(config.settings, scenario=scenario, fixture=config.fixture)
    serving = Serving(app, sockets := open_sockets(config.settings, config.security))
    try:
        await serving.start()
        key = config.key or test_key(app.tenants.make().key)
        environ = {**os.environ, **config.environment(sockets, key)}
        began = ticks()
        ended = await run(config.command, environ, lambda: _limit(app.tenants, began, seconds, patient), executor)
    finally:
        await serving.stop()
    return _collect(app.tenants, ended)


def _limit(tenants: Tenants, began: int, seconds: float | None, patient: bool) -> float | None:
    """Return the time limit of a run that began at `began`, in seconds, by the calls that it has made until now."""
    if seconds is None or not patient:
        return seconds
    arrivals = sorted(record.request.arrived for tenant in tenants for record in tenant.journal)
    return extended_limit(seconds, ((arrived - began) / SECOND for arrived in arrivals))


def _collect(tenants: Tenants, ended: ProgramResult) -> RunResult:
    """Return the result of a run that is over. This resets the sandboxes: the state after a reset is the state before
    the run."""
    used = list(tenants)
    return run_result(used, ended, lambda: _start(used), nowhere=tenants.journal.seen)


def _start(used: Sequence[Tenant]) -> list[dict[str, Any]]:
    for tenant in used:
        tenant.reset()
    return [exported(tenant.sandbox) for tenant in used]


def run_result(
    used: Sequence[Tenant], ended: ProgramResult, start: Callable[[], Sequence[Mapping[str, Any]]], *, nowhere: int = 0
) -> RunResult:
    """Return the result of a run that used these tenants, and how it ended. `start` returns their states before the
    run; it is called last. `nowhere` is how many of the run's requests reached no tenant."""
    records = [(record, tenant) for tenant in used for record in tenant.journal]
    records.sort(key=lambda one: one[0].request.arrived)
    return RunResult(
        ended=ended,
        entries=[{"sandbox": tenant.label, **asdict(entry(record))} for record, tenant in records],
        states=[exported(tenant.sandbox) for tenant in used],
        unseen=sum(tenant.journal.seen - len(tenant.journal) for tenant in used),
        nowhere=nowhere,
        faults=[fault for tenant in used for fault in recorded_faults(tenant.journal)],
        start=start(),
    )


def private(settings: Settings) -> Settings:
    """Return the settings for the server of one run: any free port, and a journal that is large enough."""
    return replace(settings, port=0, journal_size=max(settings.journal_size, 20_000))
