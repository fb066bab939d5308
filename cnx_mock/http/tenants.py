"""The tenants of one server: one for each key, made on first use, and what new keys get."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from itertools import count
from typing import Any

from cnx_mock.api.errors import NotFound, SandboxLimit, Unauthorized
from cnx_mock.http.journal import Journal, JournalSpace
from cnx_mock.http.loading import LoadObserver, WorldLoading
from cnx_mock.http.recipe import FixtureReader, Recipe
from cnx_mock.http.tenant import Shared, Tenant
from cnx_mock.net.bounds import Bounds
from cnx_mock.scenario import magic
from cnx_mock.scenario.engine import must_hold
from cnx_mock.scenario.request import ApiRequest
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations
from cnx_mock.services.worlds import Fixture, read_fixture
from cnx_mock.settings import Settings, flag
from cnx_mock.world.account import MAGIC_KEYS, PLAN_LIMITS, AccountPlan
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import digest, key_digits
from cnx_mock.world.keys import sandbox_id
from cnx_mock.world.recent import Recent


class Tenants:
    """The tenants of one server."""

    def __init__(self, settings: Settings, defaults: Recipe, bounds: Bounds) -> None:
        """Raises ScenarioError if the scenario of the defaults has too many rules."""
        must_hold(len(defaults.scenario.rules), settings.max_rules)
        self.settings = settings
        self.bounds = bounds
        self.defaults = defaults
        """What a new sandbox gets."""
        self.plan_limits: Mapping[AccountPlan, int] = {**PLAN_LIMITS, "enterprise": settings.enterprise_limit}
        journals = JournalSpace(bounds)
        self.journal = Journal(journals)
        """The server's own: requests that never reached a sandbox."""
        self.watch_error: str | None = None
        """Why the scenario's file, as it is now, cannot be used."""
        self.observer: Callable[[Tenant, bool], None] | None = None
        """Called with every tenant that is made (True) or given back (False); None if nobody follows them."""
        self.caller_of: Callable[[ApiRequest], str | None] | None = None
        """Returns who made a request, for rules to count each caller's alone; None if callers are not distinguished."""
        self.reaches_back_to = 0
        """When the last request of a tenant that was given back was complete; 0 if there is none."""
        self.load_observers: list[LoadObserver] = []
        """The callback for the progress of large worlds."""
        known = operations()
        self._shared = Shared(
            catalogue=Catalogue(),
            operations=known,
            magic_names=None if settings.surface == "documented" else cache(partial(magic.rules, known)),
            plan_limits=self.plan_limits,
            journals=journals,
            recent=Recent(),
            max_rules=settings.max_rules,
            load_observers=self.load_observers,
            caller_of=self._caller_of,
            claim=self._claim,
        )
        self.by_key: dict[str, Tenant] = {}
        """Each tenant by the digits of every key that opens it."""
        self._all: dict[Tenant, set[str]] = {}
        """Every tenant once, the oldest first, with the digits of the keys that open it."""
        self._by_id: dict[str, Tenant] = {}
        self._made = 0
        self._measure(bounds)

    def _measure(self, bounds: Bounds) -> None:
        """Let each bound say how full the fullest sandbox is."""
        bounds["max_sandboxes"].measure = self.__len__
        bounds["journal_size"].measure = lambda: max(map(len, self._journals()))
        bounds["journal_bytes"].measure = lambda: max(journal.bytes for journal in self._journals())
        bounds["max_rules"].measure = lambda: max((sum(1 for _ in each.engine) for each in self), default=0)

    def _journals(self) -> Iterator[Journal]:
        yield self.journal
        yield from (tenant.journal for tenant in self)

    def __iter__(self) -> Iterator[Tenant]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def find(self, key: str) -> Tenant:
        """Return the tenant of the key with these digits, made on first use. Raises Unauthorized for an unlisted key
        if only known keys are accepted, SandboxLimit if there may be no more, and WorldLoading if its world is not
        complete yet."""
        tenant = self.by_key.get(key)
        if tenant is None:
            fixture = self.defaults.fixture
            is_known = key in MAGIC_KEYS or (fixture is not None and fixture.account_of(key) is not None)
            if self.settings.known_keys_only and not is_known:
                raise Unauthorized(reason="unknown_key")
            tenant = self._opened(key, key, None, self.defaults)
        return tenant if tenant.is_complete else complete(tenant)

    def with_id(self, sandbox_id: str) -> Tenant:
        """Return the tenant with this id. Raises NotFound."""
        tenant = self._by_id.get(sandbox_id)
        if tenant is None:
            raise NotFound(resource="sandbox", id=sandbox_id[:100])
        return tenant

    def take(self, key: str, name: str | None = None, **changes: Any) -> Tenant:
        """Create the tenant of a key that is fixed in a client again; `name` and `changes` as for `make`."""
        recipe = self.defaults.changed(**changes)
        self._make_room(key)
        return self._opened(key, name or key, name, recipe)

    def make(self, name: str | None = None, **changes: Any) -> Tenant:
        """Make a tenant with a fresh key. Its random choices depend on `name`: the same name gets the same world again.
        `changes` are fields of its recipe that differ from the defaults, and `read` as for `use`. Raises UnknownFixture
        or SourceError, and then changes nothing."""
        recipe = self.defaults.changed(**changes)
        if name is None:
            self._made += 1
            name = f"#{self._made}"
        key = key_digits(recipe.seed, "key", name)
        self._make_room(key)
        tenant = Tenant(key, name, name, recipe, self._shared)
        self._add(tenant, (key,))
        return tenant

    def restore(self, key: str, name: str, given: str | None, recipe: Recipe) -> Tenant:
        """Make the tenant of a key as a recipe says, in place of the one that it opens. Raises SandboxLimit."""
        return self._opened(key, name, given, recipe)

    def remove(self, tenant: Tenant) -> None:
        """Forget a tenant with its whole world; what waits in it is cancelled. Its keys are then new ones again."""
        for key in self._all[tenant]:
            del self.by_key[key]
        self._forget(tenant)

    def use(self, scenario: Scenario, read: FixtureReader = read_fixture) -> None:
        """Let new sandboxes get another scenario; `read` reads its fixture. Raises what `Recipe.using` raises, and
        ScenarioError if it has too many rules."""
        must_hold(len(scenario.rules) + len(self.defaults.rules), self.settings.max_rules)
        self.defaults = self.defaults.using(scenario, read)

    def revise(self, scenario: Scenario, fixture: Fixture | None) -> None:
        """Go on with another version of the scenario that new sandboxes get, in every sandbox that was made with it.
        `fixture` is what `fixture_of` returns for it; that takes long for a large file, and any thread may do it.
        Raises ScenarioError, and then changes nothing."""
        must_hold(len(scenario.rules) + len(self.defaults.rules), self.settings.max_rules)
        before = self.defaults.scenario
        defaults = replace(self.defaults, scenario=scenario, scenario_fixture=fixture)
        living = [tenant for tenant in self if tenant.recipe.scenario.document is before.document]
        for tenant in living:
            tenant.engine.must_allow(scenario)
        self.defaults = defaults
        for tenant in living:
            tenant.revise(scenario, fixture)

    def cancel_delays(self) -> None:
        """End every deliberate wait in every sandbox, for good."""
        for tenant in self:
            tenant.delays.close()

    def _opened(self, key: str, name: str, given: str | None, recipe: Recipe) -> Tenant:
        """Make a tenant. If the fixture lists the key, every other key of its account opens the tenant too."""
        recipe = recipe.for_key(key)
        self._make_room(key)
        tenant = Tenant(key, name, given, recipe, self._shared)
        listed = () if recipe.fixture is None or recipe.account is None else recipe.fixture.keys(recipe.account)
        self._add(tenant, listed or (key,))
        return tenant

    def _make_room(self, key: str) -> None:
        """Cancel what waits in the tenant of a key that gets a new one. Raises SandboxLimit if the key has none, and
        there may be no more."""
        if key in self.by_key:
            self.by_key[key].delays.cancel()
        elif len(self._all) >= self.settings.max_sandboxes:
            self.bounds["max_sandboxes"].refused += 1
            raise SandboxLimit(limit=str(self.settings.max_sandboxes), option=flag("max_sandboxes"))

    def _add(self, tenant: Tenant, keys: Iterable[str]) -> None:
        """Let these keys open a tenant. A tenant that no key opens any more is forgotten."""
        opened = set(keys)
        for key in opened:
            old = self.by_key.get(key)
            self.by_key[key] = tenant
            if old is not None:
                self._all[old].discard(key)
                if not self._all[old]:
                    self._forget(old)
        self._all[tenant] = opened
        tenant.id = self._free_id(tenant)
        self._by_id[tenant.id] = tenant
        if self.observer is not None:
            self.observer(tenant, True)

    def _free_id(self, tenant: Tenant) -> str:
        """Return the id of a new tenant: the first of those drawn from its seed and its name that no other one has."""
        seed = tenant.sandbox_so_far.chance.seed
        drawn = (sandbox_id(digest(seed, tenant.name, "sandbox", number)) for number in count(1))
        return next(each for each in drawn if each not in self._by_id)

    def _forget(self, tenant: Tenant) -> None:
        """Forget a tenant that no key opens."""
        del self._all[tenant], self._by_id[tenant.id]
        tenant.close()
        self.reaches_back_to = max(self.reaches_back_to, tenant.journal.reaches_back_to)
        if self.observer is not None:
            self.observer(tenant, False)

    def _caller_of(self, request: ApiRequest) -> str | None:
        return self.caller_of(request) if self.caller_of else None

    def _claim(self, key: str, tenant: Tenant) -> bool:
        """Let a key open a tenant unless it opens another one. Return whether it does."""
        opened = self.by_key.setdefault(key, tenant)
        if opened is tenant and tenant in self._all:
            self._all[tenant].add(key)
        return opened is tenant


def complete(tenant: Tenant) -> Tenant:
    """Return the tenant. Raises WorldLoading if its world is not complete yet."""
    if tenant.loading is not None:
        raise WorldLoading(tenant.loading)
    return tenant
