"""One key, one world: everything that belongs to one key."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from cnx_mock.api.errors import InvalidState
from cnx_mock.api.operation import Operation
from cnx_mock.dataclass import dataclass
from cnx_mock.http.disposal import free_slowly, long_lists
from cnx_mock.http.export import WorldExport
from cnx_mock.http.journal import Journal, JournalSpace
from cnx_mock.http.limits import Window
from cnx_mock.http.loading import LoadObserver, WorldLoad
from cnx_mock.http.recipe import FixtureReader, Recipe, fixture_of
from cnx_mock.scenario.delays import Delays
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.request import ApiRequest
from cnx_mock.scenario.scenario import Rule, Scenario, World
from cnx_mock.services.worlds import Fixture, prepare_names, read_fixture
from cnx_mock.world.account import MAGIC_KEYS, AccountPlan, AccountTraits
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock, ticks
from cnx_mock.world.recent import Recent
from cnx_mock.world.sandbox import SandboxOptions, SandboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all tenants of one server share."""

    catalogue: Catalogue
    operations: Collection[Operation]
    """Those that rules may match."""
    magic_names: Callable[[], Collection[Rule]] | None
    """Returns the rules that are always there; None if magic names are off."""
    plan_limits: Mapping[AccountPlan, int]
    journals: JournalSpace
    max_rules: int
    recent: Recent
    """What was read last in any of their sandboxes."""
    load_observers: list[LoadObserver]
    """The callback for the progress of a large world."""
    caller_of: Callable[[ApiRequest], str | None]
    """Returns who made a request; None if callers are not distinguished."""
    claim: Callable[[str, "Tenant"], bool]
    """Lets a key open a tenant unless it opens another one; returns whether it does."""


class Tenant:
    """Everything of one key: its sandbox, rules, rate window and journal."""

    engine: Engine
    """Its rules; a reset replaces it."""
    sandbox_so_far: SandboxState
    """Its sandbox. A large world may still be loading into it."""

    def __init__(self, key: str, name: str, given: str | None, recipe: Recipe, shared: Shared) -> None:
        self.key = key
        self.name = name
        """What its chance is keyed by: the digits of a key that the client brought, or the name of one made here."""
        self.given_name = given
        self.id = ""
        """What the control plane calls it, in place of its key; set when it is added to its server, and for good."""
        self.made = ticks()
        """When it was made, in microseconds of the monotonic clock."""
        self.recipe = recipe
        self.delays = Delays()
        self._shared = shared
        self._load: WorldLoad | None = None
        self.is_complete = True
        """Whether nothing loads its world. A load that is over may be noticed later, by `loading`."""
        self.journal = Journal(shared.journals)
        self.reset()

    @property
    def sandbox(self) -> SandboxState:
        """Its sandbox. A large world that is still loading is completed first, at once."""
        if self._load is not None and self.loading is not None:
            self._load.finish()
        return self.sandbox_so_far

    @property
    def loading(self) -> WorldLoad | None:
        """What loads its world, None if it is complete."""
        if self._load is not None and self._load.is_over:
            self._load, self.is_complete = None, True
        return self._load

    def write(self, pieces: Iterator[bytes], expected: int) -> WorldExport:
        """Begin to write JSON about the sandbox, which is complete. Until it is written, calls that need it wait."""
        self._load = export = WorldExport(pieces, expected, self.label)
        self.is_complete = False
        return export

    def stop_loading(self) -> None:
        """Stop loading its world: nobody needs it any more."""
        if self._load is not None:
            self._load.abandon()

    def reset(self) -> None:
        """Make the sandbox again as its recipe says. Requests that wait are cancelled; what other requests in flight
        still do changes the old world."""
        self.delays.cancel()
        if "engine" in vars(self):
            self.engine.lasting.close()
        self._new_sandbox()
        chance = Chance(self.sandbox_so_far.chance.seed, self.name)
        shared = self._shared
        self.engine = Engine(
            chance,
            self.recipe.scenario,
            lambda: self.sandbox_so_far.now,
            shared.operations,
            shared.magic_names or tuple,
            shared.max_rules,
        )
        self.engine.caller_of = shared.caller_of
        for rule in self.recipe.rules:
            self.engine.inject(rule)
        self.begin_window()
        self.journal = self.journal.anew()

    def begin_window(self) -> None:
        """Begin a new rate window."""
        self.window = Window()

    def close(self) -> None:
        """End what waits in it, for good, and free what it holds: its world, which a call in flight may still have, and
        the journals' space."""
        self.delays.close()
        self.engine.lasting.close()
        self.stop_loading()
        left, fixture = self.sandbox_so_far.holders(), self.recipe.own_fixture
        if fixture is not None:
            left += long_lists([fixture.document, fixture.written])
        self.sandbox_so_far = self._empty(0, SandboxOptions())
        self.recipe = replace(self.recipe, own_fixture=None)
        self.journal.clear()
        del fixture
        free_slowly(left)

    def use(self, scenario: Scenario, read: FixtureReader = read_fixture) -> None:
        """Use another scenario from now on: its rules replace those of the current one, and the settings of its world
        apply.

        Raises InvalidState if it sets the clock's start or a fixture and the sandbox has been used, UnknownFixture or
        SourceError if its fixture cannot be used, ScenarioError if an injected rule has the id of one of its rules; and
        then changes nothing.
        """
        world = scenario.world
        if (world.start is not None or world.fixture is not None) and not self.sandbox.untouched:
            raise InvalidState(
                resource="sandbox",
                state="used",
                required="untouched",
                reason="world.clock.start and world.fixture need a new sandbox, or one that was just reset",
            )
        fixture = fixture_of(scenario, read)
        self.engine.use(scenario)
        if fixture is None:
            self._settle(scenario)
        else:
            self.load(fixture, then=lambda: self._settle(scenario))

    def _settle(self, scenario: Scenario) -> None:
        """Apply all that a scenario says of its world, other than the fixture."""
        if scenario.world.start is not None:
            self._start_at(scenario.world.start)
        self._apply(scenario.world)
        self.sandbox_so_far.provisioning.update(scenario.provisioning)

    def revise(self, scenario: Scenario, fixture: Fixture | None) -> None:
        """Go on with another version of the scenario that it was made with. Unchanged rules keep their counters, and of
        the world's settings only the changed ones act; its fixture acts at the next reset. Raises ScenarioError as
        `use` does."""
        before = self.recipe.scenario
        if self.engine.scenario.document is before.document:
            self.engine.revise(scenario)
            self._apply(scenario.world.changes(before.world))
            self.sandbox.provisioning.update(
                {kind: rule for kind, rule in scenario.provisioning.items() if before.provisioning.get(kind) != rule}
            )
        self.recipe = replace(self.recipe, scenario=scenario, scenario_fixture=fixture).for_key(self.key)

    def _start_at(self, start: int) -> None:
        """Set the clock. The rate window and the age of the story do not change."""
        sandbox = self.sandbox_so_far
        old = sandbox.clock
        sandbox.clock = Clock(start, old.speed, old.frozen)
        sandbox.clock.advanced = old.advanced
        self.engine.shift(sandbox.now - old.now())

    def _apply(self, world: World) -> None:
        """Apply a world's settings, except those of how it starts."""
        sandbox = self.sandbox_so_far
        account = sandbox.account
        sandbox.readings.update(world.readings)
        if world.speed is not None:
            sandbox.clock.speed = world.speed
        if world.frozen is not None:
            sandbox.clock.frozen = world.frozen
        if world.balance is not None:
            sandbox.balance = world.balance
        account.plan = world.plan or account.plan
        account.rate_limit = _first(world.rate_limit, account.rate_limit)
        account.quotas = dict(_first(world.quotas, account.quotas))

    def _new_sandbox(self) -> None:
        """Set the sandbox that its recipe describes. A large one is not complete yet."""
        recipe, world, fixture = self.recipe, self.recipe.scenario.world, self.recipe.fixture
        seed = recipe.seed if recipe.scenario.seed is None else recipe.scenario.seed
        plan = SandboxOptions(
            traits=MAGIC_KEYS.get(self.key, AccountTraits()),
            plan=recipe.plan or world.plan,
            balance=_first(recipe.balance, world.balance),
            rate_limit=_first(recipe.rate_limit, world.rate_limit),
            quotas=world.quotas or {},
            readings=dict(recipe.chosen),
            plan_limits=self._shared.plan_limits,
            provisioning=recipe.scenario.provisioning,
            default_provisioning=recipe.default_provisioning,
            start=_first(world.start, recipe.start),
            speed=_first(world.speed, recipe.speed),
            frozen=_first(world.frozen, recipe.frozen),
            magic=self._shared.magic_names is not None,
        )
        sandbox = self._empty(seed, plan, opening=fixture is None)
        if fixture is None:
            self._set(sandbox, iter(()), 0)
            return
        index = recipe.account or 0
        listed = () if recipe.account is None else fixture.keys(recipe.account)
        steps = fixture.steps(sandbox, index, listed, own_clock=plan.start is not None)
        self._set(sandbox, self._completed(steps, lambda: self._overrule(sandbox, plan)), fixture.expected_steps(index))

    def _empty(self, seed: int, options: SandboxOptions, *, opening: bool = True) -> SandboxState:
        """Return a new sandbox with nothing in it."""
        shared = self._shared
        return SandboxState(self.name, seed, shared.catalogue, options, opening, shared.recent)

    def _set(
        self, sandbox: SandboxState, steps: Iterator[None], expected: int, changed: Callable[[], None] = lambda: None
    ) -> None:
        """Set the sandbox, and fill it in these steps: at once, or in slices between other calls if many are expected.

        The first step, which sets the clock and the account, is always done at once; `changed` is called behind it.
        """
        self.stop_loading()
        next(steps, None)
        self._own_key(sandbox)
        changed()
        left = self.sandbox_so_far.holders() if "sandbox_so_far" in vars(self) else []
        self.sandbox_so_far, self._load, self.is_complete = sandbox, None, True
        self.journal.leave(sandbox)
        free_slowly(left)
        if expected:
            prepare = partial(prepare_names, sandbox.chance.seed)
            self.is_complete = False
            self._load = WorldLoad(steps, expected, self.label, self._shared.load_observers, prepare)
        else:
            for _ in steps:
                pass

    @staticmethod
    def _completed(steps: Iterator[None], last: Callable[[], None]) -> Iterator[None]:
        """Yield from the steps, then do what has to be done when all are done."""
        yield from steps
        last()

    def _own_key(self, sandbox: SandboxState) -> None:
        """Make sure that the client's own key is one of the account's."""
        if not sandbox.opens(self.key):
            traits = MAGIC_KEYS.get(self.key, AccountTraits())
            scopes = traits.scopes if self.recipe.scopes is None else self.recipe.scopes
            sandbox.add_key(self.key, "Default key", scopes, revoked=traits.fate == "revoked")

    @staticmethod
    def _overrule(sandbox: SandboxState, plan: SandboxOptions) -> None:
        """Apply what a scenario or the control plane says of the account, over the fixture."""
        sandbox.account.plan = plan.plan or sandbox.account.plan
        sandbox.account.rate_limit = _first(plan.rate_limit, sandbox.account.rate_limit)
        if plan.balance is not None:
            sandbox.balance = plan.balance

    def load(self, fixture: Fixture, then: Callable[[], None] = lambda: None) -> None:
        """Replace the whole world by a fixture's first account. Rules, readings, window and journal stay. `then` is
        called when the world is complete.

        Keys that the fixture lists open this sandbox too, unless they open another one."""
        old = self.sandbox_so_far
        plan = SandboxOptions(
            traits=MAGIC_KEYS.get(self.key, AccountTraits()),
            plan_limits=self._shared.plan_limits,
            provisioning=old.provisioning,
            default_provisioning=self.recipe.default_provisioning,
            readings=old.readings,
            magic=old.magic,
        )
        self.delays.cancel()
        sandbox = self._empty(old.chance.seed, plan, opening=False)
        sandbox.clock.advanced = old.clock.advanced
        listed = [key for key in fixture.keys(0) if self._shared.claim(key, self)]
        steps = self._completed(fixture.steps(sandbox, 0, listed), then)
        self._set(sandbox, steps, fixture.expected_steps(0), lambda: self.engine.shift(sandbox.now - old.now))

    @property
    def idle(self) -> int:
        """Microseconds of real time since its last request, or since it was made."""
        return ticks() - max(self.made, self.journal.last_arrival)

    @property
    def last4(self) -> str:
        """The end of its key, all of it that is ever shown."""
        return self.key[-4:]

    @property
    def label(self) -> str:
        """What a log line calls it."""
        return self.given_name or f"…{self.last4}"


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)
