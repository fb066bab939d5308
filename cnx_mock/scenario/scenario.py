"""A scenario, and how it is read from plain data: a file's, the control plane's, a test's."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.api.readings import wrong
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.scenario.models import PhaseSection, ProvisioningSection, ScenarioSection, WorldSection
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.rule import Rule, read_rule, rule_at, validated
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.account import AccountPlan
from cnx_mock.world.lifecycle import ProvisioningRule

__all__ = ["Rule", "Scenario", "ScenarioError", "World", "read_rule", "read_scenario", "stacked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """How a sandbox is while the scenario holds; None leaves it alone."""

    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    quotas: Mapping[str, int] | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    fixture: str | None = None
    """The name or path of the fixture to start from; whoever builds the sandbox reads it."""
    start: int | None = None
    speed: float | None = None
    frozen: bool | None = None

    def news(self, before: "World") -> "World":
        """Only what it says otherwise than one before it."""
        said: dict[str, Any] = {name: getattr(self, name) for name in World.__dataclass_fields__}
        new = {name: value for name, value in said.items() if value != getattr(before, name)}
        return World(**new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: how the world is, what goes wrong in it, when, and what must have happened by the end."""

    name: str = "inline"
    description: str = ""
    seed: int | None = None
    world: World = World()
    provisioning: Mapping[str, ProvisioningRule] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    repeat: bool = False
    rules: tuple[Rule, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    """How often each of these rules must have fired by the end."""
    expects_clean_audit: bool = False
    """Whether the client must have behaved well, by the audit's measures."""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The scenario as it was written."""


def read_scenario(data: Any, operations: Collection[Operation], name: str = "inline") -> Scenario:
    """A scenario from plain data. Raises ScenarioError with everything that is wrong; `operations` are those that rules
    may match."""
    found: list[Problem] = []
    data = {} if data is None else data
    section: ScenarioSection | None = validated(ScenarioSection, data, (), found)
    phases = tuple(map(_phase, section.phases)) if section else _phases_of(data)
    rules = []
    for index, each in _entries(data, "rules"):
        rules.append(rule_at(("rules", index), each, operations, f"rule-{index + 1}", phases, found))
    world = data.get("world") if isinstance(data, Mapping) else None
    chosen = world.get("readings") if isinstance(world, Mapping) else None
    if isinstance(chosen, Mapping):
        found += [Problem(("world", "readings", *each.path), each.message, each.at_key) for each in wrong(chosen)]
    found += [*_repeated(data), *_strange_phases(data), *_strange_expectations(data)]
    if found or section is None:
        raise ScenarioError(found)
    return Scenario(
        name=section.name or name,
        description=section.description,
        seed=section.seed,
        world=_world(section.world),
        provisioning=_provisioning(section.provisioning),
        phases=phases,
        repeat=section.repeat,
        rules=tuple(rule for rule in rules if rule is not None),
        expected=section.expect.fired,
        expects_clean_audit=section.expect.audit == "clean",
        document=data,
    )


def _phase(section: PhaseSection) -> Phase:
    return Phase(section.name, section.lasts, section.until.requests if section.until else None)


def _phases_of(data: Any) -> tuple[Phase, ...]:
    """The phases of a document that is wrong somewhere, as far as rules can be held against them."""
    named = ((each, each.get("name")) for _, each in _entries(data, "phases"))
    return tuple(Phase(name, lasts=int("for" in each)) for each, name in named if isinstance(name, str))


def _provisioning(section: ProvisioningSection) -> dict[str, ProvisioningRule]:
    """What is said of each kind; `polls` speaks of all that have no word of their own."""
    kinds = ("instance", "load_balancer", "snapshot")
    usual = None if section.polls is None else ProvisioningRule(delay=None, polls=section.polls)
    said = {kind: (getattr(section, kind), usual) for kind in kinds}
    ruled = {kind: own.over(usual) if own and usual else own or usual for kind, (own, usual) in said.items()}
    return {kind: rule for kind, rule in ruled.items() if rule is not None}


def _world(section: WorldSection) -> World:
    return World(
        plan=section.plan,
        balance=section.balance,
        rate_limit=section.rate_limit,
        quotas=section.quotas,  # type: ignore[arg-type]  # the keys are strings
        readings=section.readings,
        fixture=section.fixture,
        start=section.clock.start,
        speed=section.clock.speed,
        frozen=section.clock.frozen,
    )


def _entries(data: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects in a document's list, whatever else may be wrong with it, each with its place."""
    given = data.get(key) if isinstance(data, Mapping) else None
    return ((i, each) for i, each in enumerate(given if isinstance(given, list) else ()) if isinstance(each, Mapping))


def _ids(data: Any) -> dict[int, str]:
    """The id of every rule by its place."""
    given = ((index, rule.get("id", f"rule-{index + 1}")) for index, rule in _entries(data, "rules"))
    return {index: rule_id for index, rule_id in given if isinstance(rule_id, str)}


def _repeated(data: Any) -> Iterator[Problem]:
    """Ids used twice, whatever else may be wrong with their rules."""
    first: dict[str, int] = {}
    for index, rule_id in _ids(data).items():
        if first.setdefault(rule_id, index) != index:
            yield Problem(("rules", index, "id"), f"the id '{rule_id}' is already that of rule {first[rule_id] + 1}")


def _strange_phases(data: Any) -> Iterator[Problem]:
    """Phases of one name; a loop that never comes round."""
    seen: set[str] = set()
    phases = list(_entries(data, "phases"))
    loops = isinstance(data, Mapping) and data.get("repeat") is True
    if loops and not phases:
        yield Problem(("repeat",), "says nothing without phases", at_key=True)
    for index, phase in phases:
        name = phase.get("name")
        if isinstance(name, str) and name in seen:
            yield Problem(("phases", index, "name"), f"there is a phase '{name}' already")
        seen.add(str(name))
        if loops and not {"for", "until"} & phase.keys():
            yield Problem(("phases", index), "never ends, and the phases repeat: give it for or until")


def _strange_expectations(data: Any) -> Iterator[Problem]:
    """Expectations of rules that are not there."""
    expect = data.get("expect") if isinstance(data, Mapping) else None
    fired = expect.get("fired") if isinstance(expect, Mapping) else None
    ids = list(_ids(data).values())
    for rule_id in fired if isinstance(fired, Mapping) else ():
        if rule_id not in ids:
            message = f"no rule has the id '{rule_id}'{did_you_mean(rule_id, ids)}"
            yield Problem(("expect", "fired", rule_id), message, at_key=True)


def stacked(scenarios: Sequence[Scenario], operations: Collection[Operation]) -> Scenario:
    """Several scenarios as one: rules in order, single values from the last, one set of phases. Raises ScenarioError
    for an id that two of them use, and for a second set of phases."""
    if len(scenarios) == 1:
        return scenarios[0]
    whole: dict[str, Any] = {
        "name": " + ".join(scenario.name for scenario in scenarios)[:100],
        "description": " ".join(scenario.description for scenario in scenarios if scenario.description),
        "rules": [],
    }
    for scenario in scenarios:
        _stack(whole, scenario)
    return read_scenario(whole, operations)


def _stack(whole: dict[str, Any], scenario: Scenario) -> None:
    """Put one more scenario's document on top of those before it."""
    data = scenario.document
    if data.get("phases") and whole.get("phases"):
        raise ScenarioError([Problem(("phases",), "two of the stacked scenarios have phases: one can")])
    whole |= {key: data[key] for key in ("seed", "phases", "repeat") if data.get(key) is not None}
    world, more = whole.setdefault("world", {}), data.get("world") or {}
    deeper = {key: {**world.get(key, {}), **more[key]} for key in ("readings", "clock") if more.get(key)}
    whole["world"] = {**world, **more, **deeper}
    provisioning = data.get("provisioning") or {}
    below = {} if "polls" in provisioning else whole.get("provisioning", {})  # it speaks of every kind
    whole["provisioning"] = {**below, **provisioning}
    prefix = re.sub("[^A-Za-z0-9._-]+", "-", scenario.name).strip("-._") or "scenario"
    names = {rule.id: rule.id if "id" in rule.document else f"{prefix}:{rule.id}" for rule in scenario.rules}
    taken = {rule["id"] for rule in whole["rules"]}
    for rule in scenario.rules:
        if names[rule.id] in taken:
            message = f"the id '{names[rule.id]}' is used by two of the stacked scenarios"
            raise ScenarioError([Problem(("rules",), message)])
        whole["rules"].append({**rule.document, "id": names[rule.id]})
    expect = whole.setdefault("expect", {"fired": {}})
    expect["fired"] |= {names[rule_id]: count for rule_id, count in scenario.expected.items()}
    if scenario.expects_clean_audit:
        expect["audit"] = "clean"
