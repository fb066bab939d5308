"""One key, one world: everything that belongs to a key, made on first use, and what new keys get."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cnx_mock.api.errors import InvalidState, Unauthorized
from cnx_mock.http.journal import Journal
from cnx_mock.http.limits import Window
from cnx_mock.scenario import magic
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.exchange import Delays
from cnx_mock.scenario.scenario import Rule, Scenario, World
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, load
from cnx_mock.settings import Settings
from cnx_mock.world.account import MAGIC_KEYS, PLAN_LIMITS, AccountPlan, AccountTraits
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance, key_digits
from cnx_mock.world.clock import Clock
from cnx_mock.world.sandbox import SandboxOptions, SandboxState


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a sandbox is made, and made again by a reset."""

    seed: int = 0
    scenario: Scenario = Scenario()
    rules: tuple[Rule, ...] = ()
    speed: float = 1.0
    frozen: bool = False
    start: int | None = None
    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    fixture: Fixture | None = None
    account: int | None = None
    """Which of the fixture's accounts it is; None for a copy of the first one."""
    scopes: tuple[str, ...] | None = None

    @property
    def chosen(self) -> Mapping[str, str]:
        """The readings that somebody chose: its scenario's word over its own."""
        return {**self.readings, **self.scenario.world.readings}

    def patched(self, readings: Mapping[str, str], clock: Mapping[str, Any]) -> "Recipe":
        """The recipe with what is said of new sandboxes now, over whatever its scenario said before. `clock` is start,
        speed and frozen."""
        world = self.scenario.world
        left = {name: option for name, option in world.readings.items() if name not in readings}
        silenced = replace(world, readings=left, **dict.fromkeys(clock))
        scenario = replace(self.scenario, world=silenced)
        return replace(self, scenario=scenario, readings={**self.readings, **readings}, **clock)


class Tenant:
    """Everything of one key: its sandbox, rules, rate window and journal."""

    def __init__(self, key: str, name: str, given: str | None, recipe: Recipe, house: "Tenants") -> None:
        self.key = key
        self.name = name
        """What chance is keyed by: the digits of a key that the client brought, the name of one made here."""
        self.given_name = given
        self.recipe = recipe
        self.delays = Delays()
        self._house = house
        self.reset()

    def reset(self) -> None:
        """The sandbox as it was made; requests in flight are cut, and whatever they still do touches the old world."""
        self.delays.cut()
        self.sandbox = self._new_sandbox()
        chance = Chance(self.sandbox.chance.seed, self.name)
        house = self._house
        self.engine = Engine(
            chance, self.recipe.scenario, lambda: self.sandbox.now, house.operations, house.magic_names
        )
        for rule in self.recipe.rules:
            self.engine.inject(rule)
        self.window = Window()
        self.journal = Journal(self._house.settings.journal_size)

    def use(self, scenario: Scenario) -> None:
        """Live by another scenario from now on: its rules in place of the former one's, and what it says of the world.

        Raises InvalidState where it sets the clock's start and the sandbox has been used, ScenarioError where an
        injected rule has the id of one of its rules.
        """
        world = scenario.world
        if (world.start is not None or world.fixture is not None) and not self.sandbox.untouched:
            raise InvalidState(resource="sandbox", state="used", required="untouched")
        fixture = None if world.fixture is None else load(world.fixture)
        self.engine.use(scenario)
        if fixture is not None:
            self.load(fixture)
        if world.start is not None:
            self._begin_at(world.start)
        self._live_in(world)
        self.sandbox.provisioning.update(scenario.provisioning)

    def revise(self, scenario: Scenario) -> None:
        """Go on with another version of the scenario that it was made with: rules that are unchanged keep their
        counters, and of the world only what the file now says otherwise acts. Raises ScenarioError as `use` does."""
        before = self.recipe.scenario
        if self.engine.scenario.document is before.document:
            self.engine.revise(scenario)
            self._live_in(scenario.world.changes(before.world))
            self.sandbox.provisioning.update(
                {kind: rule for kind, rule in scenario.provisioning.items() if before.provisioning.get(kind) != rule}
            )
        self.recipe = replace(self.recipe, scenario=scenario)

    def _begin_at(self, start: int) -> None:
        """Set the clock; the rate window, and the age of the story, stay where they are."""
        old = self.sandbox.clock
        self.sandbox.clock = Clock(start, old.speed, old.frozen)
        self.sandbox.clock.advanced = old.advanced
        self.engine.shift(self.sandbox.now - old.now())

    def _live_in(self, world: World) -> None:
        """Let the sandbox be as this says, but for how it started."""
        sandbox, account = self.sandbox, self.sandbox.account
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

    def _new_sandbox(self) -> SandboxState:
        recipe, world = self.recipe, self.recipe.scenario.world
        seed = recipe.seed if recipe.scenario.seed is None else recipe.scenario.seed
        plan = SandboxOptions(
            traits=MAGIC_KEYS.get(self.key, AccountTraits()),
            plan=recipe.plan or world.plan,
            balance=_first(recipe.balance, world.balance),
            rate_limit=_first(recipe.rate_limit, world.rate_limit),
            quotas=world.quotas or {},
            readings=dict(recipe.chosen),
            plan_limits=self._house.plan_limits,
            provisioning=recipe.scenario.provisioning,
            start=_first(world.start, recipe.start),
            speed=_first(world.speed, recipe.speed),
            frozen=_first(world.frozen, recipe.frozen),
            magic=bool(self._house.magic_names),
        )
        sandbox = SandboxState(self.name, seed, self._house.catalogue, plan, opening=recipe.fixture is None)
        if recipe.fixture is not None:
            listed = () if recipe.account is None else recipe.fixture.keys(recipe.account)
            recipe.fixture.build(sandbox, recipe.account or 0, listed, own_clock=plan.start is not None)
            self._overrule(sandbox, plan)
        self._own_key(sandbox)
        return sandbox

    def _own_key(self, sandbox: SandboxState) -> None:
        """The key that the client brings is always one of the account's."""
        if not sandbox.opens(self.key):
            traits = MAGIC_KEYS.get(self.key, AccountTraits())
            scopes = traits.scopes if self.recipe.scopes is None else self.recipe.scopes
            sandbox.add_key(self.key, "Default key", scopes, revoked=traits.fate == "revoked")

    @staticmethod
    def _overrule(sandbox: SandboxState, plan: SandboxOptions) -> None:
        """What a scenario or the control plane says of the account beats the fixture."""
        sandbox.account.plan = plan.plan or sandbox.account.plan
        sandbox.account.rate_limit = _first(plan.rate_limit, sandbox.account.rate_limit)
        if plan.balance is not None:
            sandbox.balance = plan.balance

    def load(self, fixture: Fixture) -> None:
        """Replace the whole world by a fixture's first account; rules, readings, window and journal stay.

        Keys that the fixture lists and nobody else has open this sandbox too."""
        old = self.sandbox
        plan = SandboxOptions(
            traits=MAGIC_KEYS.get(self.key, AccountTraits()),
            plan_limits=self._house.plan_limits,
            provisioning=old.provisioning,
            readings=old.readings,
            magic=old.magic,
        )
        self.delays.cut()
        sandbox = SandboxState(self.name, old.chance.seed, self._house.catalogue, plan, opening=False)
        sandbox.clock.advanced = old.clock.advanced
        fixture.build(sandbox, 0, [key for key in fixture.keys(0) if self._house.claim(key, self)])
        self.sandbox = sandbox
        self.engine.shift(sandbox.now - old.now)
        self._own_key(sandbox)

    @property
    def last4(self) -> str:
        """The end of its key, all of it that is ever shown."""
        return self.key[-4:]

    @property
    def label(self) -> str:
        """What a log line calls it."""
        return self.given_name or f"…{self.last4}"


def with_fixture(recipe: Recipe) -> Recipe:
    """The recipe with the fixture that its scenario names. Raises UnknownFixture or SourceError."""
    name = recipe.scenario.world.fixture
    return recipe if name is None else replace(recipe, fixture=load(name))


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


class Tenants:
    """The tenants of one server."""

    def __init__(self, settings: Settings, defaults: Recipe) -> None:
        self.settings = settings
        self.defaults = defaults
        self.catalogue = Catalogue()
        self.operations = operations()
        self.magic_names = () if settings.surface == "documented" else tuple(magic.rules(self.operations))
        self.plan_limits: Mapping[AccountPlan, int] = {**PLAN_LIMITS, "enterprise": settings.enterprise_limit}
        self.journal = Journal(settings.journal_size)
        """The server's own: requests that never reached a sandbox."""
        self.watch_error: str | None = None
        """Why the scenario's file, as it is now, cannot be used."""
        self._tenants: dict[str, Tenant] = {}
        self._made = 0

    def __iter__(self) -> Iterator[Tenant]:
        return iter(list(dict.fromkeys(self._tenants.values())))

    def __len__(self) -> int:
        return len(set(self._tenants.values()))

    def find(self, key: str) -> Tenant:
        """The tenant with these digits, made on first use. Raises Unauthorized where only known keys count."""
        tenant = self._tenants.get(key)
        if tenant is None:
            listed = self.defaults.fixture is not None and self.defaults.fixture.account_of(key) is not None
            if self.settings.known_keys_only and key not in MAGIC_KEYS and not listed:
                raise Unauthorized(reason="unknown_key")
            tenant = self._opened(key, key, None, self.defaults)
        return tenant

    def take(self, key: str, name: str | None = None, **changes: Any) -> Tenant:
        """The tenant of a key that a client has hard-coded, made anew; `name` and `changes` as for `make`."""
        if key in self._tenants:
            self._tenants[key].delays.cut()
        return self._opened(key, name or key, name, with_fixture(replace(self.defaults, **changes)))

    def _opened(self, key: str, name: str, given: str | None, recipe: Recipe) -> Tenant:
        """A new tenant, which every key of the fixture's account opens where the fixture lists this one."""
        fixture = recipe.fixture
        account = None if fixture is None else fixture.account_of(key)
        tenant = Tenant(key, name, given, replace(recipe, account=account), self)
        for each in (key,) if fixture is None or account is None else fixture.keys(account):
            self._tenants[each] = tenant
        return tenant

    def claim(self, key: str, tenant: Tenant) -> bool:
        """Let a key open a tenant, if it opens no other one. Whether it does."""
        return self._tenants.setdefault(key, tenant) is tenant

    def make(self, name: str | None = None, **changes: Any) -> Tenant:
        """A tenant with a fresh key; `name` keys its chance, so the same name finds the same world (made anew).
        `changes` are fields of its recipe that differ from the defaults."""
        recipe = with_fixture(replace(self.defaults, **changes))
        if name is None:
            self._made += 1
            name = f"#{self._made}"
        key = key_digits(recipe.seed, "key", name)
        if key in self._tenants:
            self._tenants[key].delays.cut()
        tenant = self._tenants[key] = Tenant(key, name, name, recipe, self)
        return tenant

    def revise(self, scenario: Scenario) -> None:
        """Go on with another version of the scenario that new sandboxes get, in all that were made with it. Raises
        ScenarioError, UnknownFixture or SourceError, and then changes nothing."""
        before = self.defaults.scenario
        defaults = with_fixture(replace(self.defaults, scenario=scenario))
        living = [tenant for tenant in self if tenant.recipe.scenario.document is before.document]
        for tenant in living:
            tenant.engine.must_allow(scenario)
        self.defaults = defaults
        for tenant in living:
            tenant.revise(scenario)

    def cut(self) -> None:
        """End everything that waits, in every sandbox, for good."""
        for tenant in self:
            tenant.delays.end()
