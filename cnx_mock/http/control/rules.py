"""The active rules: the same vocabulary as in a scenario file, as JSON."""

from collections.abc import Collection
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import quote, unquote

from cnx_mock.api.declarations import RootModel
from cnx_mock.api.errors import NotFound, ValidationFailed
from cnx_mock.api.operation import Resource, added
from cnx_mock.api.shapes import Deleted, Listing, Reply, Shape
from cnx_mock.api.validation import Declared
from cnx_mock.dataclass import dataclass
from cnx_mock.http.control.plane import ControlTarget, Server
from cnx_mock.http.silence import Silence
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.engine import Engine
from cnx_mock.scenario.scenario import Rule, read_rule
from cnx_mock.services import operations
from cnx_mock.world.chance import Chance

resource = Resource("_mock.rules", "Active rules.", is_control=True)
_PROVENANCE = added("the mock's own control plane")


class RuleDocument(RootModel[dict[str, Any]]):
    """A rule as a scenario file has it."""


class RuleChange(RootModel[dict[str, Any]]):
    """The top-level keys of a rule that change."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class RuleState(Shape):
    """A rule, and how often it matched and fired."""

    id: str
    """Its id."""
    origin: str
    """scenario or injected."""
    matched: int
    """Requests that it matched, in the part of the story in which it holds."""
    fired: int
    """Requests to which its fault was applied."""
    why: str | None
    """Why it has not fired yet."""
    ended: bool
    """Whether its ttl is over: it is no longer active, and can only be read."""
    warnings: list[str]
    """Why it can never fire, if it cannot."""
    rule: dict[str, Any]
    """The rule as it was written."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Cleared(Shape):
    """What was deleted."""

    deleted: int
    """How many."""


class Recovery(Declared):
    """Which failures end."""

    rules: list[str] | None = None
    """The ids of the rules to remove; unless given, all are."""


@dataclass(slots=True, kw_only=True, eq=False, repr=False)
class Recovered(Shape):
    """What has ended."""

    removed: int
    """How many rules were removed."""


class _Rules:
    """The rules that a call is about: those of a tenant, or without a key those that new sandboxes get."""

    def __init__(self, server: Server, target: ControlTarget) -> None:
        self._server = server
        self._tenant = target.tenant
        self.engine = target.tenant.engine if target.tenant else _of_defaults(server)
        self._journal = target.tenant.journal if target.tenant else None

    def find(self, rule_id: str) -> ActiveRule:
        """Return the rule with this id. Raises NotFound."""
        active = self.engine.find(unquote(rule_id))
        if active is None:
            raise NotFound(resource="rule", id=rule_id)
        return active

    def states(self, wanted: Collection[ActiveRule]) -> list[RuleState]:
        """Return some of the active rules, with what each has done and why it may never do anything."""
        found = rule_warnings(self.engine, wanted)
        silence = None if self._journal is None else Silence(self._journal, len(wanted))
        return [rule_state(active, silence, found[active]) for active in wanted]

    def state(self, active: ActiveRule) -> RuleState:
        """Return one of the active rules."""
        [found] = self.states([active])
        return found

    def ended_state(self, active: ActiveRule) -> RuleState:
        """Return a rule whose ttl is over."""
        silence = None if self._journal is None else Silence(self._journal, 1)
        return rule_state(active, silence, [], ended=True)

    def save(self) -> None:
        """Make a change count for new sandboxes, if the call is about them. Call it after each change."""
        if self._tenant is None:
            tenants = self._server.tenants
            scenario = replace(tenants.defaults.scenario, rules=self.engine.rules("scenario"))
            tenants.defaults = replace(tenants.defaults, scenario=scenario, rules=self.engine.rules("injected"))


def rule_warnings(engine: Engine, wanted: Collection[ActiveRule]) -> dict[ActiveRule, list[str]]:
    """Return why each of some active rules can never fire."""
    if not wanted:
        return {}
    from cnx_mock.scenario.lint import RuleLinter  # lazy: without rules there is nothing to say

    scenario, asked_for = engine.scenario, set(wanted)
    linter = RuleLinter(scenario.phases, scenario.repeat, operations())
    found = {}
    for active in engine:
        if active in asked_for:
            found[active] = [each.named for each in linter.problems(active.rule)]
        linter.add(active.rule)
    return found


def _of_defaults(server: Server) -> Engine:
    defaults = server.tenants.defaults
    most = server.tenants.settings.max_rules
    engine = Engine(Chance(defaults.seed, "defaults"), defaults.scenario, lambda: 0, most_rules=most)
    for rule in defaults.rules:
        engine.inject(rule)
    return engine


def _read(data: dict[str, Any], rule_id: str, engine: Engine) -> Rule:
    if data.get("id", rule_id) != rule_id:
        raise ValidationFailed(id=f"is {rule_id} in the path")
    return read_rule({**data, "id": rule_id}, operations(), rule_id, engine.scenario.phases)


@resource.operation("GET", "/_mock/rules", provenance=_PROVENANCE)
def list_(server: Server, target: ControlTarget) -> Listing[RuleState]:
    """List the rules in the order in which they are evaluated; without a key, those of new sandboxes."""
    rules = _Rules(server, target)
    return Listing(data=rules.states(list(rules.engine)))


@resource.operation("DELETE", "/_mock/rules", provenance=_PROVENANCE)
def clear(server: Server, target: ControlTarget) -> Cleared:
    """Remove every injected rule, the scenario's own stay; without a key, in every sandbox and for new ones."""
    tenants = server.tenants
    if target.tenant is None:
        tenants.defaults = replace(tenants.defaults, rules=())
    deleted = 0
    for tenant in [target.tenant] if target.tenant else tenants:
        deleted += len(tenant.engine.rules("injected"))
        tenant.engine.clear()
    return Cleared(deleted=deleted)


@resource.operation("POST", "/_mock/recover", provenance=_PROVENANCE)
def recover(server: Server, target: ControlTarget, body: Recovery) -> Recovered:
    """Let the cloud recover: remove rules, make resources ready that would never become ready, and begin a new rate
    window; without a key, in every sandbox and for new ones."""
    tenants = server.tenants
    removed = 0
    for each in [target] if target.tenant else [target, *(ControlTarget(tenant, None) for tenant in tenants)]:
        rules = _Rules(server, each)
        for active in [each for each in rules.engine if body.rules is None or each.rule.id in body.rules]:
            rules.engine.remove(active)
            removed += 1
        rules.save()
        if each.tenant is not None:
            each.tenant.sandbox.bring_up()
            each.tenant.begin_window()
    return Recovered(removed=removed)


@resource.operation("POST", "/_mock/rules", status=201, also=(200,), provenance=_PROVENANCE)
def add(server: Server, target: ControlTarget, body: RuleDocument) -> RuleState | Reply:
    """Add a rule; unless it has an `id`, it gets the first free one of `inject-1`, `inject-2` and so on."""
    rules = _Rules(server, target)
    taken = {each.rule.id for each in rules.engine}
    free = next(name for number in count(1) if (name := f"inject-{number}") not in taken)
    return _injected(rules, read_rule({"id": free, **body.root}, operations(), free, rules.engine.scenario.phases))


@resource.operation("GET", "/_mock/rules/{id}", provenance=_PROVENANCE)
def get(server: Server, target: ControlTarget, id: str) -> RuleState:
    """Read a rule; also one whose `ttl` is over, with its last counts."""
    rules = _Rules(server, target)
    ended = rules.engine.find_ended(unquote(id))
    if ended is not None and rules.engine.find(ended.rule.id) is None:
        return rules.ended_state(ended)
    return rules.state(rules.find(id))


@resource.operation("PUT", "/_mock/rules/{id}", status=201, also=(200,), provenance=_PROVENANCE)
def put(server: Server, target: ControlTarget, id: str, body: RuleDocument) -> RuleState | Reply:
    """Add a rule (201), or replace the rule with this id and reset its counters (200); with `ttl`, for this time."""
    id = unquote(id)
    rules = _Rules(server, target)
    return _injected(rules, _read(body.root, id, rules.engine))


def _injected(rules: _Rules, rule: Rule) -> Reply:
    """Add a rule, or replace the one with its id, and return the answer to the call."""
    replaced = rules.engine.inject(rule)
    rules.save()
    state = rules.state(rules.find(rule.id))
    return Reply(state, status=200 if replaced else 201, location=f"/_mock/rules/{quote(rule.id)}")


@resource.operation("PATCH", "/_mock/rules/{id}", provenance=_PROVENANCE)
def change(server: Server, target: ControlTarget, id: str, body: RuleChange) -> RuleState:
    """Change some of a rule's keys, with `ttl` for this time; its counters stay."""
    rules = _Rules(server, target)
    active = rules.find(id)
    rule = _read({**active.rule.document, **body.root}, active.rule.id, rules.engine)
    rules.engine.change(active, rule, for_now="ttl" in body.root)
    rules.save()
    return rules.state(active)


@resource.operation("DELETE", "/_mock/rules/{id}", provenance=_PROVENANCE)
def delete(server: Server, target: ControlTarget, id: str) -> Deleted:
    """Remove a rule, injected or the scenario's."""
    rules = _Rules(server, target)
    active = rules.find(id)
    rules.engine.remove(active)
    rules.save()
    return Deleted(id=active.rule.id)


def rule_state(active: ActiveRule, silence: Silence | None, warnings: list[str], *, ended: bool = False) -> RuleState:
    """Return a rule as an answer shows it; `silence` says why it has not fired."""
    return RuleState(
        id=active.rule.id,
        origin=active.origin,
        matched=active.matched,
        fired=active.fired,
        why=None if active.fired or silence is None else silence.reason(active),
        ended=ended,
        warnings=warnings,
        rule=dict(active.rule.document),
    )
