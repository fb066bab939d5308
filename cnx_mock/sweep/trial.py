"""Run a program once, with its own server, and return what it did and what it left."""

import asyncio
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.http.app import create_app
from cnx_mock.http.journal_entry import plain_entry
from cnx_mock.http.tenant import Tenant
from cnx_mock.http.tenants import Tenants
from cnx_mock.net.serving import Serving
from cnx_mock.net.sockets import ListeningSockets, Security, open_sockets
from cnx_mock.programs.bounded import run
from cnx_mock.programs.folders import ProgramFolders, program_folders
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
    folder: Path | None = None
    """The folder that is copied for each run, which then runs in the copy; None for the folder in which we are."""


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
    """The state of each sandbox before the run; empty if that was not asked for."""
    unseen: int = 0
    """How many requests the journal could not keep."""
    nowhere: int = 0
    """How many requests reached no sandbox."""
    faults: Sequence[RecordedFault] = ()
    """The faults that the scenario's rules injected."""
    first: ProgramResult | None = None
    """How the first of two runs ended; None if there was one run."""
    requests_of_first: int = 0
    """How many of the requests are those of the first of two runs."""

    @property
    def creates(self) -> int:
        """How many creates were committed."""
        return sum(each["committed"] and each["method"] == "POST" for each in self.entries)

    @property
    def created(self) -> set[str]:
        """The ids of the resources that it created."""
        return {each["created_id"] for each in self.entries if each.get("created_id")}

    @property
    def unannounced(self) -> set[str]:
        """The ids of the resources that the client does not know, because its call was performed twice."""
        performed = ((each, done["created_id"]) for each in self.entries for done in each.get("performances", ()))
        return {created for each, created in performed if created and created != each["created_id"]}

    def refused_deletes(self, rules: Sequence[str]) -> set[str]:
        """Return the ids of the resources whose delete one of these rules, given by their ids, met with a fault."""
        struck = (each for each in self.entries if {fault["rule"] for fault in each["faults"]} & set(rules))
        return {each["path"].rpartition("/")[2] for each in struck if each["method"] == "DELETE"}

    def fired(self, rules: Sequence[str]) -> bool:
        """Return whether each of these rules injected a fault. `rules` are their ids."""
        return set(rules) <= {fault["rule"] for each in self.entries for fault in each["faults"]}


@dataclass(frozen=True, kw_only=True)
class SecondRun:
    """When a program is run a second time, in the world that its first run has left."""

    after: Callable[[ProgramResult], bool]
    """Return whether to do so, by how the first run ended."""
    rules: Collection[str] = ()
    """The ids of the rules that are no longer active."""
    kill_at: str | None = None
    """The id of the rule at whose fault the first run is killed; None to let it run to its end."""


async def run_once(
    config: RunConfig,
    document: Mapping[str, Any],
    seconds: float | None,
    executor: Executor,
    *,
    patient: bool = False,
    second: SecondRun | None = None,
) -> RunResult:
    """Run the program, and return what it did and what it left. The arguments and errors are those of `run_program`."""
    return (await run_program(config, document, seconds, executor, patient=patient, second=second, with_start=True))()


Collect = Callable[[], RunResult]
"""Takes down what a run did and what it left, once."""


async def run_program(
    config: RunConfig,
    document: Mapping[str, Any],
    seconds: float | None,
    executor: Executor,
    *,
    patient: bool = False,
    second: SecondRun | None = None,
    meanwhile: Callable[[], None] | None = None,
    with_start: bool = False,
) -> Collect:
    """Run the program once under a scenario, given as plain data, on top of the config's own; and a `second` time in
    the same world if that says so. Return what takes down the result: that need not be done before the next run.

    `seconds` is the time limit of a run; `patient` is whether it is extended for a client that backs off; `meanwhile`
    is called while the program starts; `with_start` is whether the result has the state before the run. Raises
    ProgramError if the program cannot be started, ScenarioError if the two scenarios contradict each other, UsageError
    if the config's folder cannot be copied, and OSError if no port is free.
    """
    with ExitStack() as stack:
        folders = stack.enter_context(program_folders(config.folder))
        server = _ProgramServer(config, document, folders, executor)
        first, after_first = None, 0
        try:
            await server.start()
            ended = await server.run(seconds, patient, second.kill_at if second else None, meanwhile)
            if second is not None and second.after(ended):
                first, after_first = ended, server.requests
                server.end_failures(second.rules)
                ended = await server.run(seconds, patient)
        finally:
            await server.stop()
        kept = stack.pop_all()

    def collect() -> RunResult:
        with kept:  # removing the folders takes half as long as all else of a run without calls
            return replace(
                collected(server.tenants, ended, with_start=with_start), first=first, requests_of_first=after_first
            )

    return collect


def scenario_of(config: RunConfig, document: Mapping[str, Any]) -> Scenario:
    """Return the scenario that plain data describes, on top of the config's own. Raises ScenarioError if the two
    contradict each other."""
    known = operations()
    scenario = read_scenario(document, known)
    return scenario if config.scenario is None else stacked([scenario, config.scenario], known)


class _ProgramServer:
    """A server with a scenario, and the runs of the program against it."""

    def __init__(
        self, config: RunConfig, document: Mapping[str, Any], folders: ProgramFolders, executor: Executor
    ) -> None:
        scenario = scenario_of(config, document)
        self._config = config
        self._folders = folders
        self._executor = executor
        self._notices: dict[str, asyncio.Event] = {rule.id: asyncio.Event() for rule in scenario.rules}
        rules = tuple(replace(rule, notify=self._notices[rule.id].set) for rule in scenario.rules)
        app = create_app(config.settings, scenario=replace(scenario, rules=rules), fixture=config.fixture)
        self.tenants = app.tenants
        self._sockets = open_sockets(config.settings, config.security)
        self._serving = Serving(app, self._sockets)
        self._key = config.key

    @property
    def requests(self) -> int:
        """How many requests its sandboxes have had."""
        return sum(len(tenant.journal) for tenant in self.tenants)

    async def start(self) -> None:
        """Serve."""
        await self._serving.start()
        self._key = self._key or test_key(self.tenants.make().key)

    async def stop(self) -> None:
        """Stop serving."""
        await self._serving.stop()

    async def run(
        self,
        seconds: float | None,
        patient: bool,
        kill_at: str | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> ProgramResult:
        """Run the program; kill it when the rule with the id `kill_at` injects its fault. `meanwhile` is called while
        it starts."""
        assert self._key is not None, "it was started"
        environ = {**os.environ, **self._config.environment(self._sockets, self._key), **self._folders.variables}
        began = ticks()
        return await run(
            self._config.command,
            environ,
            lambda: _limit(self.tenants, began, seconds, patient),
            self._executor,
            folder=self._folders.working,
            killed=None if kill_at is None else self._notices[kill_at],
            started=None if meanwhile is None else lambda group: meanwhile(),
        )

    def end_failures(self, rules: Collection[str]) -> None:
        """Go on without the rules with these ids. What would never become ready because of them does so now. Calls
        that were made because of them are no reason to refuse others: a new rate window begins."""
        scenario, fixture = self.tenants.defaults.scenario, self.tenants.defaults.scenario_fixture
        rest = replace(scenario, rules=tuple(each for each in scenario.rules if each.id not in rules))
        self.tenants.revise(rest, fixture)
        for tenant in self.tenants:
            tenant.begin_window()
        if any("provisioning" in each.document.get("fault", ()) for each in scenario.rules if each.id in rules):
            for tenant in self.tenants:
                tenant.sandbox.bring_up()


def _limit(tenants: Tenants, began: int, seconds: float | None, patient: bool) -> float | None:
    """Return the time limit of a run that began at `began`, in seconds, by the calls that it has made until now."""
    if seconds is None or not patient:
        return seconds
    arrivals = sorted(record.request.arrived for tenant in tenants for record in tenant.journal)
    return extended_limit(seconds, ((arrived - began) / SECOND for arrived in arrivals if arrived >= began))


def collected(tenants: Tenants, ended: ProgramResult, *, with_start: bool = True) -> RunResult:
    """Return the result of a run that is over. `with_start` resets the sandboxes: the state after a reset is the state
    before the run."""
    used = list(tenants)
    return run_result(used, ended, lambda: _start(used) if with_start else (), nowhere=tenants.journal.seen)


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
        entries=[{"sandbox": tenant.label, **plain_entry(record)} for record, tenant in records],
        states=[exported(tenant.sandbox) for tenant in used],
        unseen=sum(tenant.journal.seen - len(tenant.journal) for tenant in used),
        nowhere=nowhere,
        faults=[fault for tenant in used for fault in recorded_faults(tenant.journal)],
        start=start(),
    )


def private(settings: Settings) -> Settings:
    """Return the settings for the server of one run: any free port, and a journal that is large enough."""
    return replace(settings, port=0, journal_size=max(settings.journal_size, 20_000))
