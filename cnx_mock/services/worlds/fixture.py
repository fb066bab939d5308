"""A fixture that has been read: it knows its keys, and builds sandboxes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from cnx_mock.api.validation import problems
from cnx_mock.errors import FixtureError, Path, Problem
from cnx_mock.services.worlds.build import Builder
from cnx_mock.services.worlds.document import AccountEntry, FixtureDocument
from cnx_mock.services.worlds.generate import generated, wrong_spread
from cnx_mock.world.catalogue import Catalogue
from cnx_mock.world.chance import Chance
from cnx_mock.world.clock import Clock
from cnx_mock.world.keys import digits_of
from cnx_mock.world.sandbox import SandboxOptions, SandboxState


@dataclass(frozen=True, slots=True)
class Fixture:
    """A world to start from."""

    name: str
    description: str
    document: FixtureDocument = field(repr=False)
    written: Mapping[str, Any] = field(repr=False, default_factory=dict)
    """The fixture as it was written."""

    def account_of(self, digits: str) -> int | None:
        """Which account a key belongs to; None for a key that the fixture does not list."""
        for index, account in enumerate(self.document.accounts):
            if any(key.key.endswith(digits) for key in account.keys):
                return index
        return None

    def build(self, sandbox: SandboxState, index: int, keys: Collection[str], own_clock: bool = False) -> None:
        """Fill a fresh sandbox with an account, and with those of its listed keys whose digits are among `keys`; a
        sandbox that was given a clock of its own keeps it."""
        _settle(sandbox, self.document, index, own_clock)
        for key in self.document.accounts[index].keys:
            digits = digits_of(key.key)
            if digits in keys:
                revoked = key.status == "revoked"
                record = sandbox.add_key(digits, key.name, tuple(key.scopes), revoked=revoked, key_id=key.id)
                record.created = sandbox.account.created if key.created_at is None else key.created_at
        Builder(sandbox, self._with_fleet(sandbox, index), ()).build()

    def keys(self, index: int) -> list[str]:
        """The digits of an account's keys."""
        return [digits_of(key.key) for key in self.document.accounts[index].keys]

    def _with_fleet(self, sandbox: SandboxState, index: int) -> AccountEntry:
        entry, fleet = self.document.accounts[index], self.document.generate
        if fleet is None or index != 0:
            return entry
        made = list(generated(fleet, sandbox.chance.seed, sandbox.catalogue))
        return entry.model_copy(update={"instances": [*entry.instances, *made]})


def _settle(sandbox: SandboxState, document: FixtureDocument, index: int, own_clock: bool) -> None:
    """Clock (unless the sandbox has one of its own), chance and account, before anything is built on them."""
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
    """A fixture from plain data. Raises FixtureError with everything that is wrong."""
    data = {} if data is None else data
    scratch = SandboxState("scratch", 0, Catalogue(), SandboxOptions())
    try:
        document = FixtureDocument.model_validate(data, context=scratch)
    except ValidationError as error:
        raise FixtureError(problems(error, FixtureDocument, data, "key")) from None
    found = _wrong_keys(document) + _built_once(document)
    if document.generate is not None:
        fleet = wrong_spread(document.generate, scratch.catalogue)
        found += [Problem(("generate", *each.path), each.message, each.at_key) for each in fleet]
    if found:
        raise FixtureError(found)
    return Fixture(document.name or name, document.description, document, data)


def _built_once(document: FixtureDocument) -> list[Problem]:
    """What only building shows: names that lead nowhere, ids that are there twice."""
    found: list[Problem] = []
    for index, entry in enumerate(document.accounts):
        sandbox = SandboxState("scratch", 0, Catalogue(), SandboxOptions())
        _settle(sandbox, document, index, own_clock=False)
        path: Path = ("accounts", index)
        builder = Builder(sandbox, entry, path)
        builder.build()
        found += builder.problems
    return found


def _wrong_keys(document: FixtureDocument) -> list[Problem]:
    seen: set[str] = set()
    found = []
    for index, account in enumerate(document.accounts):
        for place, key in enumerate(account.keys):
            if key.key in seen:
                found.append(Problem(("accounts", index, "keys", place, "key"), "is listed twice"))
            seen.add(key.key)
    return found
