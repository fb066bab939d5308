"""A sandbox in Python: its key, its clock, its account, its rules and its journal."""

import sys
import warnings
from collections.abc import Iterable, Mapping
from itertools import count
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from cnx_mock.errors import ControlError, ScenarioWarning
from cnx_mock.http.journal import FaultApplied, JournalEntry, NearMiss, RuleDecision
from cnx_mock.python_api.audit import Audit
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.handles import AccountHandle, ClockHandle, InstancesHandle
from cnx_mock.python_api.requests import Entry, Requests
from cnx_mock.scenario import gallery
from cnx_mock.scenario.rule import rule_document
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.services import operations
from cnx_mock.services import worlds as fixtures

Story = str | PathLike[str] | Mapping[str, Any] | Scenario
"""A scenario as people give it: a name of the gallery, a path, plain data, or one that was read before."""

__all__ = ["ControlError", "Entry", "Rule", "Sandbox", "Story", "document"]


_OURS = str(Path(__file__).parents[1])
"""Where warnings do not point: at our own lines."""

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
    scenario = story if isinstance(story, Scenario) else gallery.load(fspath(story), operations())
    return {"description": scenario.description, **scenario.document, "name": scenario.name}


def warn(found: Iterable[str]) -> None:
    """Say what can never happen, at the line of the user's that asked for it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    for each in found:
        warnings.warn(each, ScenarioWarning, stacklevel=level)


class Sandbox:
    """One key and its world. Every method may be called from any thread, also while the client under test runs."""

    def __init__(self, control: Control, api_key: str) -> None:
        self._control = control
        self._injected = count(1)  # its next() is atomic: any thread may inject
        self._must_fire: list[Rule] = []
        self.enforced = False
        """Whether what its scenario expects must have happened when `assert_fired` asks: one given to `use` does."""
        self.api_key = api_key
        """The key that leads to this sandbox."""
        self.clock = ClockHandle(self)
        """Its clock."""
        self.account = AccountHandle(self)
        """Its account."""
        self.instances = InstancesHandle(self)
        """Its instances, from outside."""
        self.audit = Audit(self)
        """How well its client behaved: `cnx.audit.assert_clean()`."""

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
    def requests(self) -> Requests:
        """The journal, newest last, with assertions: `cnx.requests.assert_called("instances.create", times=1)`."""
        return Requests(_entry(item) for item in self.call("GET", "/requests")["data"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Any call to the control plane for this sandbox, `path` behind `/_mock`. Raises ControlError."""
        return self._control.call(method, f"/_mock{path}", self.api_key, body)

    def use(self, scenario: Story) -> None:
        """Live by this scenario from now on; injected rules stay. Raises SourceError or ControlError for a bad one;
        what in it can never happen is a ScenarioWarning."""
        state = self.call("PUT", "/scenario", document(scenario))
        self.enforced = True
        warn(state["warnings"])

    def inject(
        self,
        operation: str | list[str] = "*",
        /,
        *,
        match: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
        times: int | Mapping[str, Any] | None = None,
        per: str | None = None,
        probability: float | Mapping[str, float] = 1,
        at: str = "before",
        sequence: list[Any] | None = None,
        then: str | None = None,
        id: str | None = None,
        ttl: str | None = None,
        optional: bool = False,
        **fault: Any,
    ) -> "Rule":
        """Add a rule: `inject("instances.create", error="INTERNAL_ERROR", times=2, at="after")`.

        The keys of `fault` are those of a scenario file; further match keys go into `match`. As a context manager the
        rule is removed at the end. A rule without `probability` must fire before the test ends, unless it is
        `optional`. Raises ControlError for what no scenario file could say.
        """
        given = {
            "match": match,
            "when": when,
            "times": times,
            "per": per,
            "probability": None if probability == 1 else probability,
            "sequence": sequence,
            "then": then,
            "ttl": ttl,
        }
        said = {key: value for key, value in given.items() if value is not None}
        rule_id = id or f"inject-{next(self._injected)}"
        state = self.call(
            "PUT",
            f"/rules/{quote(rule_id, safe='')}",
            rule_document({"operation": operation, **said, "at": at, **fault}),
        )
        rule = Rule(self, rule_id)
        if not optional and "probability" not in said:
            self._must_fire.append(rule)
        warn(f"{rule_id}: {each}" for each in state["warnings"])
        return rule

    def assert_fired(self) -> None:
        """Raise AssertionError, with the reasons, where a rule given to `inject` never fired, or what a scenario given
        to `use` expects has not happened. The pytest plugin asks at the end of every test."""
        missed = [f"{rule.id} never fired: {rule.why}" for rule in self._must_fire if not rule.fired]
        if self.enforced:
            missed += self.call("GET", "/scenario")["unmet"]
        if missed:
            raise AssertionError("\n".join(missed))

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
        self._must_fire.clear()


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

    @property
    def why(self) -> str | None:
        """Why it has not fired; None where it has."""
        why: str | None = self._state()["why"]
        return why

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


def _entry(item: dict[str, Any]) -> Entry:
    faults = [FaultApplied(**each) for each in item.pop("faults")]
    decisions = [RuleDecision(**each) for each in item.pop("decisions")]
    near = item.pop("near_miss")
    return JournalEntry(faults=faults, decisions=decisions, near_miss=near and NearMiss(**near), **item)
