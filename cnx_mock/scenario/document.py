"""What a scenario may say: one vocabulary for files, the control plane, `inject` and the marker, read in one place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from cnx_mock.api.readings import wrong
from cnx_mock.api.validation import problems
from cnx_mock.scenario import faults
from cnx_mock.scenario.fault import At, Fault
from cnx_mock.scenario.matching import Match, Pattern
from cnx_mock.scenario.sections import MatchSection, ProvisioningSection, RuleSection, ScenarioSection, WorldSection
from cnx_mock.text.findings import Path, Problem
from cnx_mock.text.suggestions import did_you_mean
from cnx_mock.world.account import AccountPlan
from cnx_mock.world.lifecycle import Provisioning


class DocumentError(ValueError):
    """A scenario or a rule that cannot be used: everything that is wrong with it, by place."""

    def __init__(self, found: Sequence[Problem]) -> None:
        super().__init__("\n".join(f"{'.'.join(map(str, each.path))}: {each.message}" for each in found))
        self.problems = tuple(found)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that goes wrong: for which requests, how often, when, and what."""

    id: str
    match: Match
    faults: tuple[Fault, ...]
    times: int | None
    probability: float
    at: At
    document: Mapping[str, Any] = field(compare=False)
    """The rule as it was written."""

    @property
    def wins(self) -> bool:
        """Whether it has an outcome: then no later rule's fault is applied."""
        return any(fault.outcome for fault in self.faults)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A story: how the world is, and what goes wrong in it."""

    name: str = "inline"
    description: str = ""
    seed: int | None = None
    world: World = World()
    provisioning: Mapping[str, Provisioning] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """The scenario as it was written."""


def read_scenario(data: Any, operations: Collection[str], name: str = "inline") -> Scenario:
    """A scenario from plain data. Raises DocumentError with everything that is wrong; `operations` are the names that
    rules may match."""
    found: list[Problem] = []
    data = {} if data is None else data
    section = _validated(ScenarioSection, data, (), found)
    rules = []
    written = data.get("rules") if isinstance(data, Mapping) else None
    for index, each in enumerate(written if isinstance(written, list) else ()):
        if isinstance(each, Mapping):
            rules.append(_rule(each, operations, f"rule-{index + 1}", ("rules", index), found))
    world = data.get("world") if isinstance(data, Mapping) else None
    chosen = world.get("readings") if isinstance(world, Mapping) else None
    if isinstance(chosen, Mapping):
        found += [Problem(("world", "readings", *each.path), each.message, each.at_key) for each in wrong(chosen)]
    found += _repeated(written)
    if found or section is None:
        raise DocumentError(found)
    return Scenario(
        name=section.name or name,
        description=section.description,
        seed=section.seed,
        world=_world(section.world),
        provisioning=_provisioning(section.provisioning),
        rules=tuple(rule for rule in rules if rule is not None),
        document=data,
    )


def read_rule(data: Any, operations: Collection[str], default_id: str) -> Rule:
    """A rule from plain data. Raises DocumentError with everything that is wrong."""
    found: list[Problem] = []
    rule = _rule(data, operations, default_id, (), found)
    if found or rule is None:
        raise DocumentError(found)
    return rule


def _provisioning(section: ProvisioningSection) -> dict[str, Provisioning]:
    """What is said of each kind; `polls` speaks of all that have no word of their own."""
    kinds = ("instance", "load_balancer", "snapshot")
    usual = None if section.polls is None else Provisioning(delay=None, polls=section.polls)
    said = {kind: getattr(section, kind) or usual for kind in kinds}
    return {kind: rule for kind, rule in said.items() if rule is not None}


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


def _rule(data: Any, operations: Collection[str], default_id: str, path: Path, found: list[Problem]) -> Rule | None:
    before = len(found)
    section = _validated(RuleSection, data, path, found)
    kinds: tuple[Fault, ...] = ()
    if isinstance(data, Mapping):
        if "fault" in data:
            kinds, wrong = faults.read(data["fault"])
            found += [Problem((*path, "fault", *each.path), each.message, each.at_key) for each in wrong]
        found += _unknown_operations(data.get("match"), operations, (*path, "match"))
    if section is None or len(found) > before:
        return None
    return Rule(
        id=section.id or default_id,
        match=_match(section.match),
        faults=kinds,
        times=section.times,
        probability=section.probability,
        at=section.at,
        document=data,
    )


def _validated(model: type[Any], data: Any, path: Path, found: list[Problem]) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found += [
            Problem((*path, *each.path), each.message, each.at_key) for each in problems(error, model, data, "key")
        ]
        return None


def _match(section: MatchSection) -> Match:
    def pattern(given: object) -> Pattern | None:
        return None if given is None else Pattern(given)

    body = tuple((name, Pattern(given)) for name, given in (section.body or {}).items())
    return Match(pattern(section.operation), pattern(section.method), pattern(section.path), body)


def _unknown_operations(match: Any, operations: Collection[str], path: Path) -> list[Problem]:
    given = match.get("operation") if isinstance(match, Mapping) else None
    found = []
    for index, word in enumerate(given if isinstance(given, list) else [given]):
        if not isinstance(word, str):
            continue
        name = word.removeprefix("!")
        if name and not any(Pattern(name).matches(known) for known in operations):
            place = (*path, "operation", index) if isinstance(given, list) else (*path, "operation")
            found.append(Problem(place, f"no operation is called '{name}'{did_you_mean(name, operations)}"))
    return found


def _repeated(rules: Any) -> list[Problem]:
    """Ids used twice, whatever else may be wrong with their rules."""
    first: dict[str, int] = {}
    found = []
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        rule_id = rule.get("id", f"rule-{index + 1}") if isinstance(rule, Mapping) else None
        if isinstance(rule_id, str) and first.setdefault(rule_id, index) != index:
            message = f"the id '{rule_id}' is already that of rule {first[rule_id] + 1}"
            found.append(Problem(("rules", index, "id"), message))
    return found


def stacked(scenarios: Sequence[Scenario]) -> Scenario:
    """Several scenarios as one: rules in order, single values from the last. Raises DocumentError for an id that two of
    them use."""
    if len(scenarios) == 1:
        return scenarios[0]
    rules = _together(scenarios)
    world: dict[str, Any] = {}
    for scenario in scenarios:
        given = {name: getattr(scenario.world, name) for name in World.__dataclass_fields__}
        readings = {**world.get("readings", {}), **scenario.world.readings}
        world |= {name: value for name, value in given.items() if value is not None} | {"readings": readings}
    return Scenario(
        name=" + ".join(scenario.name for scenario in scenarios),
        description=" ".join(scenario.description for scenario in scenarios if scenario.description),
        seed=next((s.seed for s in reversed(scenarios) if s.seed is not None), None),
        world=World(**world),
        provisioning={kind: rule for scenario in scenarios for kind, rule in scenario.provisioning.items()},
        rules=tuple(rules),
        document={"stacked": [dict(scenario.document) for scenario in scenarios]},
    )


def _together(scenarios: Sequence[Scenario]) -> list[Rule]:
    """The rules of several scenarios. Ids that were given must differ; `rule-N` gets its scenario's name in front."""
    rules: list[Rule] = []
    for scenario in scenarios:
        for rule in scenario.rules:
            named = rule if "id" in rule.document else replace(rule, id=f"{scenario.name}:{rule.id}")
            if any(named.id == other.id for other in rules):
                raise DocumentError(
                    [Problem(("rules",), f"the id '{named.id}' is used by two of the stacked scenarios")]
                )
            rules.append(named)
    return rules
