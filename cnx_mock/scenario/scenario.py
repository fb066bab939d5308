"""A scenario, and how it is read from plain data: from a file, from the control plane, from a test."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from cnx_mock.api.operation import Operation
from cnx_mock.api.readings import wrong
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Problem, ScenarioError
from cnx_mock.scenario.expectation_lint import expectation_problems
from cnx_mock.scenario.models import PhaseModel, ProvisioningModel, ScenarioModel, WorldModel
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.resources import ExpectedResources
from cnx_mock.scenario.rule import Rule, below, read_rule, rule_at, validated
from cnx_mock.world.account import AccountPlan
from cnx_mock.world.lifecycle import ProvisioningRule

if TYPE_CHECKING:
    from cnx_mock.text.source import Source

__all__ = ["Rule", "Scenario", "ScenarioError", "World", "read_rule", "read_scenario", "stacked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The sandbox's state at the start of a scenario. None means: not changed by the scenario."""

    plan: AccountPlan | None = None
    balance: int | None = None
    rate_limit: int | None = None
    quotas: Mapping[str, int] | None = None
    readings: Mapping[str, str] = field(default_factory=dict)
    fixture: str | Mapping[str, Any] | None = None
    """The fixture to start from: its name, its path, or its plain data. It is read when the scenario is accepted."""
    start: int | None = None
    speed: float | None = None
    frozen: bool | None = None

    def changes(self, before: "World") -> "World":
        """Return a world with only the values that differ from those of `before`."""
        values: dict[str, Any] = {name: getattr(self, name) for name in World.__dataclass_fields__}
        return World(**{name: value for name, value in values.items() if value != getattr(before, name)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """The state at the start, what goes wrong and when, and what must be true at the end."""

    name: str = "inline"
    description: str = ""
    seed: int | None = None
    world: World = World()
    provisioning: Mapping[str, ProvisioningRule] = field(default_factory=dict)
    phases: tuple[Phase, ...] = ()
    repeat: bool = False
    rules: tuple[Rule, ...] = ()
    expected: Mapping[str, int] = field(default_factory=dict)
    """How often each rule must have fired by the end, by the rule's id."""
    expects_clean_audit: bool = False
    """Whether the audit must have no finding about the client."""
    expected_resources: Mapping[str, ExpectedResources] = field(default_factory=dict)
    """The resources that there must be at the end, by the kind's plural."""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The scenario as plain data, as it was read."""
    source: "Source | None" = field(default=None, compare=False, repr=False)
    """The file from which it was read, for the positions of later problems; None for plain data."""


def read_scenario(data: Any, operations: Collection[Operation], name: str = "inline") -> Scenario:
    """Return the scenario that plain data describes; `name` is its name if it has none of its own.

    `operations` are those that rules may match. Raises ScenarioError with everything that is wrong.
    """
    problems: list[Problem] = []
    data = {} if data is None else data
    model: ScenarioModel | None = validated(ScenarioModel, data, (), problems)
    phases = tuple(map(_phase, model.phases)) if model else _phases_of(data)
    rules = [
        rule_at(("rules", index), each, operations, f"rule-{index + 1}", phases, problems)
        for index, each in _entries(data, "rules")
    ]
    problems += [
        *_reading_problems(data),
        *_id_problems(data),
        *_phase_problems(data),
        *expectation_problems(data, operations),
    ]
    if problems or model is None:
        raise ScenarioError(problems)
    return _scenario(model, name, phases, tuple(filter(None, rules)), data)


def _scenario(
    model: ScenarioModel, name: str, phases: tuple[Phase, ...], rules: tuple[Rule, ...], document: Mapping[str, Any]
) -> Scenario:
    return Scenario(
        name=model.name or name,
        description=model.description,
        seed=model.seed,
        world=_world(model.world),
        provisioning=_provisioning(model.provisioning),
        phases=phases,
        repeat=model.repeat,
        rules=rules,
        expected=model.expect.fired,
        expects_clean_audit=model.expect.audit == "clean",
        expected_resources=model.expect.resources,
        document=document,
    )


def _phase(model: PhaseModel) -> Phase:
    return Phase(model.name, model.lasts, model.until.requests if model.until else None)


def _phases_of(data: Any) -> tuple[Phase, ...]:
    """Return the phases of a document that has errors, as far as rules can be checked with them."""
    named = ((each, each.get("name")) for _, each in _entries(data, "phases"))
    return tuple(Phase(name, lasts=int("for" in each)) for each, name in named if isinstance(name, str))


def _provisioning(model: ProvisioningModel) -> dict[str, ProvisioningRule]:
    """Return the rule of each kind of resource; `polls` is the rule of the kinds that have none of their own."""
    by_polls = None if model.polls is None else ProvisioningRule(delay=None, polls=model.polls)
    rules: dict[str, ProvisioningRule] = {}
    for kind in ("instance", "load_balancer", "snapshot"):
        own: ProvisioningRule | None = getattr(model, kind)
        rule = own.over(by_polls) if own and by_polls else own or by_polls
        if rule is not None:
            rules[kind] = rule
    return rules


def _world(model: WorldModel) -> World:
    return World(
        plan=model.plan,
        balance=model.balance,
        rate_limit=model.rate_limit,
        quotas=model.quotas,  # type: ignore[arg-type]  # the keys are strings
        readings=model.readings,
        fixture=model.fixture,
        start=model.clock.start,
        speed=model.clock.speed,
        frozen=model.clock.frozen,
    )


def _entries(data: Any, key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects in a list of the document, each with its index; anything else in it is left out."""
    given = data.get(key) if isinstance(data, Mapping) else None
    return ((i, each) for i, each in enumerate(given if isinstance(given, list) else ()) if isinstance(each, Mapping))


def _reading_problems(data: Any) -> Iterator[Problem]:
    """Readings that do not exist."""
    world = data.get("world") if isinstance(data, Mapping) else None
    readings = world.get("readings") if isinstance(world, Mapping) else None
    for problem in wrong(readings) if isinstance(readings, Mapping) else ():
        yield below(("world", "readings"), problem)


def _ids(data: Any) -> dict[int, str]:
    """Return the id of every rule, by the rule's index."""
    ids = ((index, rule.get("id", f"rule-{index + 1}")) for index, rule in _entries(data, "rules"))
    return {index: rule_id for index, rule_id in ids if isinstance(rule_id, str)}


def _id_problems(data: Any) -> Iterator[Problem]:
    """Ids that two rules have."""
    first: dict[str, int] = {}
    for index, rule_id in _ids(data).items():
        if first.setdefault(rule_id, index) != index:
            yield Problem(
                ("rules", index, "id"), f"must be unique: rule {first[rule_id] + 1} has the id '{rule_id}' too"
            )


def _phase_problems(data: Any) -> Iterator[Problem]:
    """Names that two phases have; phases that are to repeat, and do not end."""
    names: set[str] = set()
    phases = list(_entries(data, "phases"))
    repeats = isinstance(data, Mapping) and data.get("repeat") is True
    if repeats and not phases:
        yield Problem(("repeat",), "has no effect without phases", at_key=True)
    for index, phase in phases:
        name = phase.get("name")
        if isinstance(name, str) and name in names:
            yield Problem(("phases", index, "name"), f"must be unique: there is already a phase '{name}'")
        names.add(str(name))
        if repeats and not {"for", "until"} & phase.keys():
            yield Problem(("phases", index), "never ends, but the phases repeat: give it for or until")


def stacked(scenarios: Sequence[Scenario], operations: Collection[Operation]) -> Scenario:
    """Return several scenarios as one: all rules in order, single values from the last, and one set of phases.

    Raises ScenarioError if two of them use the same id, or if two of them have phases.
    """
    if len(scenarios) == 1:
        return scenarios[0]
    stack: dict[str, Any] = {
        "name": " + ".join(scenario.name for scenario in scenarios)[:100],
        "description": " ".join(scenario.description for scenario in scenarios if scenario.description),
        "rules": [],
        "world": {},
        "expect": {"fired": {}},
    }
    for scenario in scenarios:
        _stack_values(stack, scenario.document)
        _stack_rules(stack, scenario)
    return read_scenario(stack, operations)


def _stack_values(stack: dict[str, Any], data: Mapping[str, Any]) -> None:
    """Put the single values of one more scenario's document on top of the stack."""
    if data.get("phases") and stack.get("phases"):
        raise ScenarioError([Problem(("phases",), "only one of the stacked scenarios can have phases")])
    stack |= {key: data[key] for key in ("seed", "phases", "repeat") if data.get(key) is not None}
    world, more = stack["world"], data.get("world") or {}
    deeper = {key: {**world.get(key, {}), **more[key]} for key in ("readings", "clock") if more.get(key)}
    stack["world"] = {**world, **more, **deeper}
    provisioning = data.get("provisioning") or {}
    below_it = {} if "polls" in provisioning else stack.get("provisioning", {})  # `polls` is about every kind
    stack["provisioning"] = {**below_it, **provisioning}


def _stack_rules(stack: dict[str, Any], scenario: Scenario) -> None:
    """Put the rules and the expectations of one more scenario on top of the stack.

    A rule without an id of its own gets the scenario's name in front: `one-day:rule-1`.
    """
    prefix = re.sub("[^A-Za-z0-9._-]+", "-", scenario.name).strip("-._") or "scenario"
    ids = {rule.id: rule.id if "id" in rule.document else f"{prefix}:{rule.id}" for rule in scenario.rules}
    used = {rule["id"] for rule in stack["rules"]}
    for rule in scenario.rules:
        if ids[rule.id] in used:
            message = f"the id '{ids[rule.id]}' is used by two of the stacked scenarios"
            raise ScenarioError([Problem(("rules",), message, sentence=True)])
        stack["rules"].append({**rule.document, "id": ids[rule.id]})
    stack["expect"]["fired"] |= {ids[rule_id]: count for rule_id, count in scenario.expected.items()}
    given = scenario.document.get("expect") or {}
    stack["expect"] |= {key: given[key] for key in given if key != "fired" and given[key] is not None}
