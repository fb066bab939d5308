"""A rule, and how it is read: the same words in files, at the control plane, in `inject` and in the request header."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ValidationError

from cnx_mock.api.operation import Operation
from cnx_mock.api.validation import problems
from cnx_mock.errors import Path, Problem, ScenarioError
from cnx_mock.scenario import faults
from cnx_mock.scenario.conditions import Probability, Times, When, WhenSection
from cnx_mock.scenario.fault import At, Fault
from cnx_mock.scenario.matching import Match, Pattern
from cnx_mock.scenario.models import MatchSection, RuleSection
from cnx_mock.scenario.phases import Phase
from cnx_mock.text.suggestions import did_you_mean, one_of

Step = tuple[Fault, ...]
"""What happens at one turn of a rule: its shapers, then its outcome; nothing where the call passes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that goes wrong: for which requests, in which part of the story, how often, by what chance, and
    what."""

    id: str
    match: Match
    when: When | None
    times: Times
    per: Literal["sandbox", "resource"]
    probability: Probability
    at: At
    steps: tuple[Step, ...]
    """One for a `fault`, several for a `sequence`."""
    then: Literal["pass", "repeat", "last"]
    """What comes behind the steps."""
    ttl: int | None
    """Microseconds of the sandbox's clock after which it ends by itself."""
    document: Mapping[str, Any] = field(compare=False)
    """The rule as it was written."""

    def step(self, turn: int) -> Step:
        """What happens at a turn, from 1."""
        place = self.place(turn)
        return self.steps[place - 1] if place <= len(self.steps) else ()

    def place(self, turn: int) -> int:
        """Which of the steps a turn takes, from 1; behind the last one where all that is left is to pass."""
        if self.then == "repeat":
            return (turn - 1) % len(self.steps) + 1
        return turn if self.then == "pass" else min(turn, len(self.steps))

    @property
    def scripted(self) -> bool:
        """Whether its steps differ."""
        return len(self.steps) > 1 or self.then != "last"


def read_rule(data: Any, operations: Collection[Operation], default_id: str, phases: Sequence[Phase] = ()) -> Rule:
    """A rule from plain data. Raises ScenarioError with everything that is wrong. `phases` are those of the story in
    which it is to hold."""
    found: list[Problem] = []
    rule = rule_at((), data, operations, default_id, phases, found)
    if found or rule is None:
        raise ScenarioError(found)
    return rule


def read_match(data: Any, operations: Collection[Operation]) -> Match:
    """What a rule's `match` would mean, from plain data. Raises ScenarioError with everything that is wrong."""
    found: list[Problem] = []
    section: MatchSection | None = validated(MatchSection, data, (), found)
    found += _unknown_operations(data, operations, ())
    if found or section is None:
        raise ScenarioError(found)
    return _match(section)


def rule_at(
    path: Path,
    data: Any,
    operations: Collection[Operation],
    default_id: str,
    phases: Sequence[Phase],
    found: list[Problem],
) -> Rule | None:
    """The rule that stands at a place of a document, or None with everything that is wrong among `found`."""
    before = len(found)
    section: RuleSection | None = validated(RuleSection, data, path, found)
    found[before:] = map(_placed, found[before:])
    steps: tuple[Step, ...] = ()
    if isinstance(data, Mapping):
        steps = _steps(path, data, found)
        found += _unknown_operations(data.get("match"), operations, (*path, "match"))
        found += _unknown_phases(data.get("when"), phases, (*path, "when", "phase"))
    if section is None or len(found) > before:
        return None
    when = _when(section.when)
    found += _levelled(section.probability, when, phases, (*path, "probability"))
    return Rule(
        id=section.id or default_id,
        match=_match(section.match),
        when=when,
        times=section.times or Times(),
        per=section.per or "sandbox",
        probability=section.probability,
        at=section.at,
        steps=steps,
        then=(section.then or "pass") if section.sequence else "last",
        ttl=section.ttl,
        document=data,
    )


def validated(model: type[Any], data: Any, path: Path, found: list[Problem]) -> Any:
    """The data as its section has it, or None with everything that is wrong among `found`."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        wrong = problems(error, model, data, "key")
        found += [Problem((*path, *each.path), each.message, each.at_key) for each in wrong]
        return None


def _placed(problem: Problem) -> Problem:
    """A word on the section to which a key belongs that no rule has."""
    key = problem.path[-1] if problem.path else None
    if not problem.at_key or not problem.message.startswith("unknown key (known:"):
        return problem
    owners = {"fault": faults.keys(), "match": MatchSection.model_fields, "when": WhenSection.model_fields}
    owner = next((name for name, keys in owners.items() if key in keys), None)
    message = f"unknown key, it belongs to {owner}: write {owner}: {{{key}: …}}"
    return problem if owner is None else Problem(problem.path, message, at_key=True)


def rule_document(given: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as a file has it, from the flat words of `inject` and of the request header: what is no key of a rule is
    one of its fault; `operation` is one of its match."""
    rule = {key: value for key, value in given.items() if key in RuleSection.model_fields}
    fault = {key: value for key, value in given.items() if key not in RuleSection.model_fields and key != "operation"}
    if "operation" in given and given["operation"] != "*":
        match = rule.get("match", {})
        rule["match"] = {"operation": given["operation"], **match} if isinstance(match, Mapping) else match
    if fault or "sequence" not in rule:
        rule["fault"] = (
            {**fault, **rule["fault"]} if isinstance(rule.get("fault"), Mapping) else rule.get("fault", fault)
        )
    return rule


def _steps(path: Path, data: Mapping[str, Any], found: list[Problem]) -> tuple[Step, ...]:
    """What a rule's `fault` or `sequence` says."""
    if ("fault" in data) == ("sequence" in data):
        message = "is given beside fault: a rule has one of them" if "fault" in data else "is required (or sequence)"
        place = "sequence" if "fault" in data else "fault"
        found.append(Problem((*path, place), message, at_key="fault" in data))
        return ()
    found += [
        Problem((*path, key), f"says nothing without {owner}", at_key=True)
        for key, owner in (("then", "sequence"), ("per", "times"))
        if key in data and not {owner, "sequence"} & data.keys()
    ]
    if "fault" in data:
        return (_step(data["fault"], (*path, "fault"), found),)
    sequence = data["sequence"]
    steps: list[Step] = []
    for index, each in enumerate(sequence if isinstance(sequence, list) else ()):
        steps.append(() if each == "pass" else _step(each, (*path, "sequence", index), found))
    return tuple(steps)


def _step(data: Any, path: Path, found: list[Problem]) -> Step:
    kinds, wrong = faults.read(data)
    found += [Problem((*path, *each.path), each.message, each.at_key) for each in wrong]
    return tuple(sorted(kinds, key=lambda fault: fault.outcome))  # a rule's own shapers come around its outcome


def _when(section: WhenSection | None) -> When | None:
    if section is None:
        return None
    return When(None if section.phase is None else Pattern(section.phase), section.after or 0, section.until)


def _match(section: MatchSection) -> Match:
    def pattern(given: object) -> Pattern | None:
        return None if given is None else Pattern(given)

    def named(given: Mapping[str, Any] | None, spelt: Any = lambda word: word) -> tuple[tuple[str, Pattern], ...]:
        return tuple((name, Pattern([spelt(word) for word in _listed(words)])) for name, words in (given or {}).items())

    methods = None if section.method is None else [word.upper() for word in _listed(section.method)]
    return Match(
        operation=pattern(section.operation),
        method=pattern(methods),
        path=pattern(section.path),
        resource=pattern(section.resource),
        query=named(section.query, _as_text),
        header=named(section.header, _as_text),
        body=named(section.body),
    )


def _listed(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]


def _as_text(word: object) -> str:
    """A word as it stands in a query or a header."""
    return str(word).lower() if isinstance(word, bool) else str(word)


def _words(section: Any, key: str, path: Path) -> list[tuple[Path, str]]:
    """Every text of a key that takes one or several, without its `!`, with its place."""
    given = section.get(key) if isinstance(section, Mapping) else None
    items = [((*path, index), each) for index, each in enumerate(given)] if isinstance(given, list) else [(path, given)]
    return [(place, word.removeprefix("!")) for place, word in items if isinstance(word, str) and word.strip("!")]


def _unknown_operations(match: Any, operations: Collection[Operation], path: Path) -> list[Problem]:
    names = [operation.name for operation in operations]
    return [
        Problem(place, f"no operation is called '{word}'{did_you_mean(word, names)}")
        for place, word in _words(match, "operation", (*path, "operation"))
        if not any(Pattern(word).matches(name) for name in names)
    ]


def _unknown_phases(when: Any, phases: Sequence[Phase], path: Path) -> list[Problem]:
    names = [phase.name for phase in phases]
    there = f"the phases are {one_of(names)}" if names else "the scenario has no phases"
    return [
        Problem(place, f"no phase is called '{word}'{did_you_mean(word, names)} ({there})")
        for place, word in _words(when, "phase", path)
        if not any(Pattern(word).matches(name) for name in names)
    ]


def _levelled(probability: Probability, when: When | None, phases: Sequence[Phase], path: Path) -> list[Problem]:
    """A ramp goes across a phase, which must last a time."""
    if not probability.ramps:
        return []
    if when is None or when.phase is None:
        return [Problem(path, "is a ramp, and needs a phase: when: {phase: NAME}")]
    endless = [phase.name for phase in phases if phase.lasts is None and when.phase.matches(phase.name)]
    return [Problem(path, f"is a ramp, and needs a phase with `for`: {one_of(endless)} has none")] if endless else []
