"""A sandbox in Python: its key, its clock, its account, its rules and its journal."""

import datetime as dt
from collections.abc import Mapping
from itertools import count
from os import PathLike, fspath
from types import TracebackType
from typing import Any
from urllib.parse import quote

from cnx_mock.faces.control import Control, ControlError
from cnx_mock.http.journal import FaultApplied, JournalEntry, RuleDecision
from cnx_mock.scenario import gallery
from cnx_mock.scenario.document import Scenario
from cnx_mock.services import fixtures, operation_names

Entry = JournalEntry
"""One request in a sandbox's journal."""

Story = str | PathLike[str] | Mapping[str, Any] | Scenario
"""A scenario as people give it: a name of the gallery, a path, plain data, or one that was read before."""

__all__ = ["ControlError", "Entry", "Rule", "Sandbox", "Story", "document"]


World = str | PathLike[str] | Mapping[str, Any]
"""A fixture as people give it: a name, a path, or plain data."""


def world(fixture: World) -> dict[str, Any]:
    """A fixture as plain data. Raises UnknownFixture, or SourceError with every problem at its place."""
    return dict(fixture if isinstance(fixture, Mapping) else fixtures.load(fspath(fixture)).written)


def document(story: Story) -> dict[str, Any]:
    """A scenario as plain data; never a name alone, which would mean one of the gallery. Raises UnknownScenario, or
    SourceError with every problem at its place."""
    if isinstance(story, Mapping):
        if story.keys() != {"name"}:
            return dict(story)
        story = str(story["name"])
    scenario = story if isinstance(story, Scenario) else gallery.load(fspath(story), operation_names())
    return {"description": scenario.description, **scenario.document, "name": scenario.name}


class Sandbox:
    """One key and its world. Every method may be called from any thread, also while the client under test runs."""

    def __init__(self, control: Control, api_key: str) -> None:
        self._control = control
        self._injected = count(1)  # its next() is atomic: any thread may inject
        self.api_key = api_key
        """The key that leads to this sandbox."""
        self.clock = ClockHandle(self)
        """Its clock."""
        self.account = AccountHandle(self)
        """Its account."""
        self.instances = InstancesHandle(self)
        """Its instances, from outside."""

    def __repr__(self) -> str:
        return f"<Sandbox …{self.api_key[-4:]} at {self.url}>"

    @property
    def url(self) -> str:
        """The server's base URL; paths such as `/v1/instances` come behind it."""
        return self._control.url

    @property
    def env(self) -> dict[str, str]:
        """The environment that leads a client here."""
        return {"CLOUDNEXUS_BASE_URL": self.url, "CLOUDNEXUS_API_KEY": self.api_key}

    @property
    def requests(self) -> list[Entry]:
        """The journal, newest last."""
        return [_entry(item) for item in self.call("GET", "/requests")["data"]]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any call to the control plane for this sandbox, `path` behind `/_mock`. Raises ControlError."""
        return self._control.call(method, f"/_mock{path}", self.api_key, body)

    def use(self, scenario: Story) -> None:
        """Live by this scenario from now on; injected rules stay. Raises SourceError or ControlError for a bad one."""
        self.call("PUT", "/scenario", document(scenario))

    def inject(
        self,
        operation: str | list[str] = "*",
        /,
        *,
        match: Mapping[str, Any] | None = None,
        times: int | None = None,
        probability: float = 1,
        at: str = "before",
        id: str | None = None,
        **fault: Any,
    ) -> "Rule":
        """Add a rule: `inject("instances.create", error="INTERNAL_ERROR", times=2, at="after")`.

        The keys of `fault` are those of a scenario file; further match keys go into `match`. As a context manager the
        rule is removed at the end. Raises ControlError for what no scenario file could say.
        """
        rule_id = id or f"inject-{next(self._injected)}"
        wanted = {} if operation == "*" else {"operation": operation}
        rule: dict[str, Any] = {"match": {**wanted, **(match or {})}, "at": at, "fault": fault}
        if times is not None:
            rule["times"] = times
        if probability != 1:
            rule["probability"] = probability
        self.call("PUT", f"/rules/{quote(rule_id, safe='')}", rule)
        return Rule(self, rule_id)

    def load(self, fixture: World) -> None:
        """Replace its whole world by a fixture's: a name, a path, or plain data. Raises SourceError or ControlError."""
        self.call("PUT", "/state", world(fixture))

    def state(self) -> dict[str, Any]:
        """Its whole world as a fixture, which `load` takes again."""
        written: dict[str, Any] = self.call("GET", "/state")
        return written

    def reset(self) -> None:
        """Put it back to how it was made: state, rules, clock, window and journal."""
        self.call("POST", "/reset")
        self._injected = count(1)


class Rule:
    """An injected rule; once removed, it still says what it did."""

    def __init__(self, sandbox: Sandbox, rule_id: str) -> None:
        self._sandbox = sandbox
        self._last: dict[str, Any] | None = None
        self.id = rule_id

    @property
    def fired(self) -> int:
        """Requests to which its fault was applied."""
        return int(self._state()["fired"])

    @property
    def matched(self) -> int:
        """Requests that it meant."""
        return int(self._state()["matched"])

    def remove(self) -> None:
        """Take it out. Removing twice is removing once."""
        if self._last is not None:
            return
        self._last = self._state()
        self._sandbox.call("DELETE", f"/rules/{quote(self.id, safe='')}")

    def __enter__(self) -> "Rule":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.remove()
        except ControlError as error:
            if error.code != "NOT_FOUND":  # a reset has taken it out already
                raise

    def _state(self) -> dict[str, Any]:
        if self._last is not None:
            return self._last
        state: dict[str, Any] = self._sandbox.call("GET", f"/rules/{quote(self.id, safe='')}")
        return state


class ClockHandle:
    """A sandbox's clock."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def now(self) -> dt.datetime:
        """The sandbox's time, UTC."""
        return dt.datetime.fromisoformat(self._sandbox.call("GET", "/clock")["now"])

    @property
    def speed(self) -> float:
        """Sandbox seconds per real second."""
        return float(self._sandbox.call("GET", "/clock")["speed"])

    @speed.setter
    def speed(self, speed: float) -> None:
        self._sandbox.call("PATCH", "/clock", {"speed": speed})

    def advance(self, by: str) -> None:
        """Move on by a duration such as `45s`: when this returns, everything due has happened."""
        self._sandbox.call("POST", "/clock/advance", {"by": by})

    def freeze(self) -> None:
        """Stand still but for `advance`."""
        self._sandbox.call("PATCH", "/clock", {"frozen": True})

    def unfreeze(self) -> None:
        """Go on."""
        self._sandbox.call("PATCH", "/clock", {"frozen": False})


class AccountHandle:
    """A sandbox's account."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    @property
    def plan(self) -> str:
        """starter, professional or enterprise."""
        return str(self._state()["plan"])

    @plan.setter
    def plan(self, plan: str) -> None:
        self._change(plan=plan)

    @property
    def balance(self) -> str:
        """Such as "$100.00"."""
        return str(self._state()["balance"])

    @balance.setter
    def balance(self, balance: str) -> None:
        self._change(balance=balance)

    @property
    def rate_limit(self) -> str:
        """Such as "300/min"."""
        return str(self._state()["rate_limit"])

    @rate_limit.setter
    def rate_limit(self, rate_limit: str) -> None:
        self._change(rate_limit=rate_limit)

    @property
    def scopes(self) -> list[str]:
        """What the key may do."""
        return list(self._state()["scopes"])

    @scopes.setter
    def scopes(self, scopes: list[str]) -> None:
        self._change(scopes=scopes)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._sandbox.call("GET", "/account")
        return state

    def _change(self, **changes: Any) -> None:
        self._sandbox.call("PATCH", "/account", changes)


class InstancesHandle:
    """A sandbox's instances, from outside: no rule is asked, nothing is counted or charged at the door."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add(self, **fields: Any) -> dict[str, Any]:
        """An instance that is simply there: `add(name="web-1", status="running")`; everything has a default."""
        added: dict[str, Any] = self._sandbox.call("POST", "/instances", fields)
        return added

    def set_status(self, instance_id: str, status: str) -> dict[str, Any]:
        """Stop it or start it."""
        changed: dict[str, Any] = self._sandbox.call("PATCH", f"/instances/{instance_id}", {"status": status})
        return changed


def _entry(item: dict[str, Any]) -> Entry:
    faults = [FaultApplied(**each) for each in item.pop("faults")]
    decisions = [RuleDecision(**each) for each in item.pop("decisions")]
    return JournalEntry(faults=faults, decisions=decisions, **item)
