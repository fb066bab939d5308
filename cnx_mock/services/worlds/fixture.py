"""A fixture that has been checked: it knows its keys, and fills sandboxes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from typing import Any

from cnx_mock.api.validation import attempt
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import FixtureError, Path, Problem
from cnx_mock.services.worlds.build import WorldBuilder
from cnx_mock.services.worlds.document import FixtureDocument, GenerateEntry
from cnx_mock.services.worlds.generate import PORTION, FleetInstance, generated, spread_problems
from cnx_mock.services.worlds.lazy_fleet import LAZY_BELOW, DrawnFleet, drawn_fleet
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock
from cnx_mock.world.keys import digits_of
from cnx_mock.world.release import release_steps
from cnx_mock.world.sandbox import SandboxOptions, SandboxState

_MANY = 2_000
"""From how many written entries on an account is built in slices. Each entry is looked at about twice."""

_LISTS = ("instances", "snapshots", "firewalls", "load_balancers", "history", "credits")


@dataclass(frozen=True, slots=True)
class Fixture:
    """A world to start from."""

    name: str
    description: str
    document: FixtureDocument = field(repr=False)
    written: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """The data that the fixture was read from."""

    def account_of(self, digits: str) -> int | None:
        """Return the index of the account to which a key belongs, or None if the fixture does not list the key."""
        for index in range(len(self.document.accounts)):
            if digits in self.keys(index):
                return index
        return None

    def keys(self, index: int) -> list[str]:
        """Return the digits of an account's keys."""
        return [digits_of(key.key) for key in self.document.accounts[index].keys]

    def expected_steps(self, index: int) -> int:
        """Return about how many steps `steps` takes for the account at this index; 0 if they are few."""
        fleet, account = self.document.generate if index == 0 else None, self.document.accounts[index]
        drawn = 0 if fleet is None or fleet.instances < LAZY_BELOW else 3 * fleet.instances
        written = sum(len(getattr(account, name)) for name in _LISTS)
        return (drawn + (2 * written if written >= _MANY else 0)) // PORTION

    def build(self, sandbox: SandboxState, index: int, keys: Collection[str], own_clock: bool = False) -> None:
        """Fill a new sandbox with the account at this index.

        Of the account's keys, those whose digits are in `keys` are added. With `own_clock` the sandbox keeps its clock.
        """
        for _ in self.steps(sandbox, index, keys, own_clock):
            pass

    def steps(
        self, sandbox: SandboxState, index: int, keys: Collection[str], own_clock: bool = False
    ) -> Iterator[None]:
        """Fill a new sandbox as `build` does, in short steps. It yields between them.

        After the first step it has its clock, its account and its keys."""
        _prepare(sandbox, self.document, index, own_clock)
        for key in self.document.accounts[index].keys:
            digits = digits_of(key.key)
            if digits in keys:
                revoked = key.status == "revoked"
                record = sandbox.add_key(digits, key.name, tuple(key.scopes), revoked=revoked, key_id=key.id)
                record.created = sandbox.account.created if key.created_at is None else key.created_at
        yield
        fleet = self.document.generate if index == 0 else None
        made = _fleet(fleet, sandbox) if fleet is not None and fleet.instances else ()
        yield from WorldBuilder(sandbox, self.document.accounts[index], (), made).steps()


def _fleet(entry: GenerateEntry, sandbox: SandboxState) -> DrawnFleet | Iterator[FleetInstance | None]:
    """Return the fleet of an account: a small one as a whole, and a large one as it is drawn."""
    draw = drawn_fleet if entry.instances < LAZY_BELOW else generated
    return draw(entry, sandbox.chance.seed, sandbox.catalogue)


def _prepare(sandbox: SandboxState, document: FixtureDocument, index: int, own_clock: bool) -> None:
    """Set the clock (unless it keeps its own), the random draws and the account, before anything is built on them."""
    clock, entry, account = document.clock, document.accounts[index], sandbox.account
    if not own_clock:
        before = sandbox.clock
        speed = before.speed if clock.speed is None else float(clock.speed)
        frozen = before.frozen if clock.frozen is None else clock.frozen
        sandbox.clock = Clock(before.now() if clock.start is None else clock.start, speed, frozen)
        sandbox.clock.advanced = before.advanced
    if document.chance is not None:
        sandbox.chance = Chance(document.chance.seed, document.chance.name)
        sandbox.chance.resume(document.chance.counters)
    account.id = entry.id or account.id
    account.name, account.plan = entry.name, entry.plan or account.plan
    account.rate_limit, account.quotas = entry.rate_limit or account.rate_limit, {**account.quotas, **entry.quotas}
    account.created = sandbox.now if entry.created_at is None else entry.created_at


def read_fixture(data: Any, name: str = "inline") -> Fixture:
    """Return the fixture in plain data. Raises FixtureError with every problem in it.

    `name` is the fixture's name if the data has none.
    """
    data = {} if data is None else data
    scratch = _scratch()
    document, wrong = attempt(FixtureDocument, data, "key", scratch)
    if document is None:
        raise FixtureError(wrong)
    found = _repeated_keys(document) + _building_problems(document)
    if document.generate is not None:
        fleet = spread_problems(document.generate, scratch.catalogue)
        found += [Problem(("generate", *each.path), each.message, each.at_key) for each in fleet]
    if found:
        raise FixtureError(found)
    return Fixture(document.name or name, document.description, document, data)


def _scratch() -> SandboxState:
    """Return an empty sandbox for a check."""
    return SandboxState("scratch", 0, Catalogue(), SandboxOptions())


def _building_problems(document: FixtureDocument) -> list[Problem]:
    """Return the problems that only building shows, such as names that nothing has, and ids that are used twice."""
    found: list[Problem] = []
    for index, entry in enumerate(document.accounts):
        sandbox = _scratch()
        _prepare(sandbox, document, index, own_clock=False)
        path: Path = ("accounts", index)
        builder = WorldBuilder(sandbox, entry, path)
        builder.build()
        found += builder.problems
        left = sandbox.holders()
        del sandbox, builder
        for _ in release_steps(left):  # in a thread, that lets others go on between the steps
            pass
    return found


def _repeated_keys(document: FixtureDocument) -> list[Problem]:
    seen: set[str] = set()
    found = []
    for index, account in enumerate(document.accounts):
        for place, key in enumerate(account.keys):
            if key.key in seen:
                found.append(Problem(("accounts", index, "keys", place, "key"), "is listed twice"))
            seen.add(key.key)
    return found
