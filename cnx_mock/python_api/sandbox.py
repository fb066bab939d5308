"""A sandbox in Python: its key, its clock, its account, its rules and its journal."""

import os
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any
from urllib.parse import quote, urlsplit

from cnx_mock.errors import ControlError, FixtureRefusedError, Problem, ScenarioError, ScenarioRefusedError
from cnx_mock.http.journal_entry import FaultApplied, JournalEntry, NearMiss, PerformanceShown, RuleDecision
from cnx_mock.net.proxies import LOOPBACK, excepted
from cnx_mock.python_api.audit import Audit
from cnx_mock.python_api.control import Control, SandboxControl
from cnx_mock.python_api.expectation import Expectation
from cnx_mock.python_api.handles import AccountHandle, ClockHandle
from cnx_mock.python_api.inputs import (
    FixtureInput,
    ResourcesInput,
    ScenarioInput,
    fixture_document,
    scenario_document,
    warn,
)
from cnx_mock.python_api.raceable import OriginOf, Raceable, no_origin
from cnx_mock.python_api.requests import Requests
from cnx_mock.python_api.resources import FirewallsHandle, InstancesHandle, LoadBalancersHandle, SnapshotsHandle
from cnx_mock.python_api.rule_handle import RuleHandle
from cnx_mock.scenario.rule import rule_document
from cnx_mock.text.suggestions import one_of


class Sandbox(Raceable):
    """One test key and its world. `MockServer.sandbox` creates it, or in pytest the fixture `cnx`.

    Every method may be called from any thread, also while the client under test runs. Every method calls the server. It
    raises ServerNotFoundError if the server has stopped, and ControlError if the server refuses for a reason that is
    not listed below. Both are a CnxMockError.

    Example:

        sandbox = server.sandbox()
        sandbox.inject("instances.create", error="INTERNAL_ERROR", times=1)
        deploy(sandbox.url, sandbox.api_key)
        sandbox.requests.assert_called("instances.create", times=2)
    """

    __slots__ = (
        "__weakref__",
        "_control",
        "_enforced",
        "_expected",
        "_injected",
        "_must_fire",
        "account",
        "api_key",
        "audit",
        "clock",
        "firewalls",
        "id",
        "instances",
        "load_balancers",
        "snapshots",
    )

    def __init__(self, control: Control, api_key: str, sandbox_id: str, origin: OriginOf = no_origin) -> None:
        self._control = SandboxControl(control, api_key)
        self._origin, self._raced = origin, set()
        self._injected = count(1)  # its next() is atomic: any thread may inject
        self._must_fire: list[RuleHandle] = []
        self._expected: list[Expectation] = []
        self._enforced = False
        self.id = sandbox_id
        """Its id in the control plane, in events and on the live page, which do not show its key."""
        self.api_key = api_key
        """The key of this sandbox. The client under test must send it."""
        self.clock = ClockHandle(self._control)
        """Its clock: `now`, `speed`, `advance`, `freeze`, `unfreeze`."""
        self.account = AccountHandle(self._control)
        """Its account: `plan`, `balance`, `rate_limit`, `scopes`."""
        self.instances = InstancesHandle(self._control)
        """Its instances, without calls to the API: `len`, iteration, `["web-1"]`, `add`, `set_status`."""
        self.snapshots = SnapshotsHandle(self._control)
        """Its snapshots, without calls to the API: `len`, iteration, `["before-upgrade"]`."""
        self.firewalls = FirewallsHandle(self._control)
        """Its firewalls, without calls to the API: `len`, iteration, `["web"]`."""
        self.load_balancers = LoadBalancersHandle(self._control)
        """Its load balancers, without calls to the API: `len`, iteration, `["front"]`."""
        self.audit = Audit(self._control)
        """How well its client behaved: `findings`, `assert_clean`."""

    def __repr__(self) -> str:
        return f"<Sandbox …{self.api_key[-4:]} at {self.url}>"

    @property
    def url(self) -> str:
        """The base URL of the server, to which paths such as `/v1/instances` are appended."""
        return self._control.url

    @property
    def enforced(self) -> bool:
        """Whether `assert_fired` also checks the `expect` of the scenario. `use` makes it True; you can set it."""
        return self._enforced

    @enforced.setter
    def enforced(self, enforced: bool) -> None:
        self._enforced = enforced

    @property
    def env(self) -> dict[str, str]:
        """The environment variables with which a client finds this sandbox: base URL and API key. If the environment
        names a proxy, `NO_PROXY` is added, so that the key is not sent to the proxy."""
        found = {"CLOUDNEXUS_BASE_URL": self.url, "CLOUDNEXUS_API_KEY": self.api_key}
        return found | excepted(os.environ, [*LOOPBACK, *self._host()])

    def _host(self) -> list[str]:
        """Return the host of the server, unless it is a loopback name."""
        host = urlsplit(self.url).hostname or ""
        return [host] if host and host not in LOOPBACK else []

    @property
    def requests(self) -> Requests:
        """The journal, newest request last: a list with assertions.

        Example: `cnx.requests.assert_called("instances.create", times=1)`.
        """
        return Requests(_entry(item) for item in self.call("GET", "/requests")["data"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control plane for this sandbox and return the JSON of the answer.

        Arguments:

        - `method`: The HTTP method.
        - `path`: The path after `/_mock`, such as `/clock`.
        - `body`: Plain data to send as JSON.

        Raises:

        - `ControlError` if the server refuses the call; InputRefusedError if that is because of the body.
        - `InvalidInputError` if path or body cannot be sent.
        """
        return self._control.call(method, path, body)

    def use(self, scenario: ScenarioInput) -> None:
        """Use a scenario instead of the current one. Injected rules stay.

        A rule in it that can never fire is a ScenarioWarning.

        Arguments:

        - `scenario`: A name of the gallery, a path, plain data, or a `Scenario`.

        Raises:

        - `UnknownScenario` if no scenario has that name.
        - `SourceError` if a file cannot be used; it has every problem as file:line:column.
        - `ScenarioError` if plain data cannot be used; the message has every problem.

        Example:

            cnx.use("flaky-network")
        """
        state = self._control.call("PUT", "/scenario", scenario_document(scenario), ScenarioRefusedError)
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
    ) -> RuleHandle:
        """Add a rule. It applies a fault to the requests that it matches. The arguments are the keys of a scenario
        file.

        In pytest, a rule without `probability` must fire before the test ends, unless it is `optional`. A rule that can
        never fire is a ScenarioWarning.

        Arguments:

        - `operation`: The operation, such as `instances.create`, a pattern such as `instances.*`, or a list of them.
        - `match`: Further conditions on the request: `method`, `path`, `resource`, `query`, `header`, `body`.
        - `when`: The part of the scenario in which the rule is active: `phase`, `after`, `until`.
        - `times`: How many of the requests get the fault, or which, such as `{"skip": 1}`.
        - `per`: What `times` and `sequence` count by: `sandbox` or `resource`.
        - `probability`: The chance that a request gets the fault, from 0 to 1.
        - `at`: When the fault comes: `before` or `after` the operation has had its effect.
        - `sequence`: One fault for each request in turn, in place of `fault`.
        - `then`: What comes after the sequence: `pass`, `repeat` or `last`.
        - `id`: The id of the rule; `inject-1` and so on unless given.
        - `ttl`: How long the rule lasts, such as `30s`, on the sandbox's clock.
        - `optional`: Whether the rule may end without having fired.
        - `**fault`: The fault, such as `error="INTERNAL_ERROR"`, `status=503`, `latency="2s"`, `connection="reset"`.

        Returns the rule. Used as a context manager, it is removed at the end of the block.

        Raises:

        - `ScenarioError` if the rule cannot be used; the message has every problem.

        Example:

            cnx.inject("instances.create", error="INTERNAL_ERROR", times=2, at="after")
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
        chosen = {key: value for key, value in given.items() if value is not None}
        rule_id = f"inject-{next(self._injected)}" if id is None or id == "" else id
        if not isinstance(rule_id, str):
            raise ScenarioError([Problem(("id",), f"must be a string, not {rule_id!r}")])
        document = rule_document({"operation": operation, **chosen, "at": at, **fault})
        state = self._control.call("PUT", f"/rules/{quote(rule_id, safe='')}", document, ScenarioRefusedError)
        rule = RuleHandle(self._control, rule_id)
        if not optional and "probability" not in chosen:
            self._must_fire.append(rule)
        warn(f"{rule_id}: {each}" for each in state["warnings"])
        return rule

    def expect(
        self,
        *,
        instances: ResourcesInput | None = None,
        snapshots: ResourcesInput | None = None,
        firewalls: ResourcesInput | None = None,
        load_balancers: ResourcesInput | None = None,
        audit: str | None = None,
    ) -> Expectation:
        """Say what must be true at the end of the test. The arguments are the keys of a scenario's `expect`.

        In pytest it is checked when the test has passed. Elsewhere, `assert_fired` checks it, or `assert_met` of the
        expectation that is returned.

        Arguments:

        - `instances`: The instances that there must be: their number, such as `1`; or a list with the fields of each,
          such as `[{"name": "web-1", "status": "running"}]`; or `{"at_least": …}` with a number or a list.
        - `snapshots`, `firewalls`, `load_balancers`: The same for these.
        - `audit`: `"clean"` if the audit must have no finding about the client.

        Returns the expectation. Used as a context manager, it is checked at the end of the block.

        Raises:

        - `ScenarioError` if the expectation cannot be used; the message has every problem.

        Example:

            cnx.expect(instances=[{"name": "web-1", "status": "running"}], firewalls={"at_least": 1})
        """
        given = {
            "instances": instances,
            "snapshots": snapshots,
            "firewalls": firewalls,
            "load_balancers": load_balancers,
            "audit": audit,
        }
        chosen = {key: value for key, value in given.items() if value is not None}
        if not chosen:
            raise ScenarioError([Problem(("expect",), f"needs one of: {one_of(given)}")])
        expectation = Expectation(self._control, chosen)
        expectation.unmet  # noqa: B018 (the server refuses what cannot be used)
        self._expected.append(expectation)
        return expectation

    def _at(self, url: str, sandbox_id: str) -> tuple["Sandbox", Callable[[], None]]:
        control = Control(url)
        return Sandbox(control, self.api_key, sandbox_id), control.close

    def assert_fired(self) -> None:
        """Raise AssertionError, with the reasons, if a rule of `inject` never fired, or if an expectation of `expect`
        or of a scenario of `use` is not met. The pytest plugin calls this at the end of every test."""
        missed = [why for each in self._must_fire if each.id not in self._raced and (why := _why_missed(each))]
        missed += [line for each in self._expected for line in each.unmet]
        if self.enforced:
            missed += self.call("GET", "/scenario")["unmet"]
        if missed:
            raise AssertionError("\n".join(missed))

    def load(self, fixture: FixtureInput) -> None:
        """Replace the whole world of the sandbox with a fixture.

        Arguments:

        - `fixture`: A name, a path, or plain data such as `state` returns.

        Raises:

        - `UnknownFixture` if no fixture has that name.
        - `SourceError` if a file cannot be used; it has every problem as file:line:column.
        - `FixtureError` if plain data cannot be used; the message has every problem.

        Example:

            cnx.load("small-team")
        """
        self._control.call("PUT", "/state", fixture_document(fixture), FixtureRefusedError)

    def state(self) -> dict[str, Any]:
        """Return the whole world of the sandbox as a fixture, for `load`."""
        written: dict[str, Any] = self.call("GET", "/state")
        return written

    def reset(self) -> None:
        """Reset the sandbox to its initial state: world, rules, clock, rate limit and journal."""
        self.call("POST", "/reset")
        self._injected = count(1)
        self._must_fire.clear()
        self._raced.clear()
        self._expected.clear()


def _why_missed(rule: RuleHandle) -> str | None:
    """Return why a rule never fired; None if it did, or if the test itself has removed it."""
    try:
        return None if rule.fired else f"{rule.id} never fired: {rule.why}"
    except ControlError as error:
        if error.code != "NOT_FOUND":
            raise
        return None


def _entry(item: dict[str, Any]) -> JournalEntry:
    faults = [FaultApplied(**each) for each in item.pop("faults")]
    performances = [PerformanceShown(**each) for each in item.pop("performances")]
    decisions = [RuleDecision(**each) for each in item.pop("decisions")]
    near = item.pop("near_miss")
    return JournalEntry(
        faults=faults, performances=performances, decisions=decisions, near_miss=near and NearMiss(**near), **item
    )
