"""A rule, and how it is read. Files, the control plane, `inject` and the request header all use these keys."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Literal

from cnx_mock.api import validation
from cnx_mock.api.operation import Operation
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Path, Problem, ScenarioError
from cnx_mock.scenario import faults
from cnx_mock.scenario.conditions import Probability, Times, When, WhenModel
from cnx_mock.scenario.fault import At, Fault
from cnx_mock.scenario.matching import Match, NamedPatterns, Pattern
from cnx_mock.scenario.models import MatchModel, RuleModel
from cnx_mock.scenario.phases import Phase
from cnx_mock.text.suggestions import did_you_mean, nearest, one_of

Step = tuple[Fault, ...]
"""The faults of one request that a rule takes: its shapers, then its outcome. Empty if the request passes."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that goes wrong: for which requests, when, how often, with which probability, and what."""

    id: str
    match: Match
    when: When | None
    times: Times
    per: Literal["sandbox", "resource"]
    probability: Probability
    at: At
    steps: tuple[Step, ...]
    """One step for a `fault`, several for a `sequence`."""
    then: Literal["pass", "repeat", "last"]
    """What comes after the last step."""
    ttl: int | None
    """After how many microseconds of the sandbox's clock the rule ends."""
    document: Mapping[str, Any] = field(compare=False)
    """The rule as it was written."""
    notify: Callable[[], None] | None = field(default=None, compare=False, repr=False)
    """Called when a fault of the rule is applied to a request; with `at: after`, the operation is committed then. It is
    set by code that runs a server in its own process."""

    def step(self, turn: int) -> Step:
        """Return what happens at the request with this place among those that the rule takes, from 1."""
        place = self.place(turn)
        return self.steps[place - 1] if place <= len(self.steps) else ()

    def place(self, turn: int) -> int:
        """Return which step that request gets, from 1. A number above the number of steps means that it passes."""
        if self.then == "repeat":
            return (turn - 1) % len(self.steps) + 1
        return turn if self.then == "pass" else min(turn, len(self.steps))

    @property
    def scripted(self) -> bool:
        """Whether what happens depends on the request's place."""
        return len(self.steps) > 1 or self.then != "last"


def read_rule(data: Any, operations: Collection[Operation], default_id: str, phases: Sequence[Phase] = ()) -> Rule:
    """Return the rule that plain data describes.

    `operations` are those that it may match, `phases` those of the story in which it will be active. Raises
    ScenarioError with everything that is wrong.
    """
    problems: list[Problem] = []
    rule = rule_at((), data, operations, default_id, phases, problems)
    if problems or rule is None:
        raise ScenarioError(problems)
    return rule


def read_match(data: Any, operations: Collection[Operation]) -> Match:
    """Return the match that plain data describes, as in a rule's `match`.

    Raises ScenarioError with everything that is wrong.
    """
    problems: list[Problem] = []
    model: MatchModel | None = validated(MatchModel, data, (), problems)
    problems += _unknown_operations(data, operations, ())
    if problems or model is None:
        raise ScenarioError(problems)
    return _match(model)


def rule_at(
    path: Path,
    data: Any,
    operations: Collection[Operation],
    default_id: str,
    phases: Sequence[Phase],
    problems: list[Problem],
) -> Rule | None:
    """Return the rule at a place of a document; None, after adding to `problems`, if anything is wrong with it."""
    before = len(problems)
    model: RuleModel | None = validated(RuleModel, data, path, problems)
    problems[before:] = map(_with_its_owner, problems[before:])
    steps: tuple[Step, ...] = ()
    if isinstance(data, Mapping):
        steps = _steps(path, data, problems)
        problems += _unknown_operations(data.get("match"), operations, (*path, "match"))
        problems += _unknown_phases(data.get("when"), phases, (*path, "when", "phase"))
    if model is None or len(problems) > before:
        return None
    when = _when(model.when)
    problems += _ramp_problems(model.probability, when, phases, (*path, "probability"))
    return _rule(model, when, steps, default_id, data)


def _rule(
    model: RuleModel, when: When | None, steps: tuple[Step, ...], default_id: str, document: Mapping[str, Any]
) -> Rule:
    return Rule(
        id=model.id or default_id,
        match=_match(model.match),
        when=when,
        times=model.times or Times(),
        per=model.per or "sandbox",
        probability=model.probability,
        at=model.at,
        steps=steps,
        then=(model.then or "pass") if model.sequence else "last",
        ttl=model.ttl,
        document=document,
    )


def validated(model: type[Any], data: Any, path: Path, problems: list[Problem]) -> Any:
    """Return an instance of `model` made from the data at `path`; None, after adding to `problems`, if it is wrong."""
    found, wrong = validation.attempt(model, data, "key")
    problems += [below(path, each) for each in wrong]
    return found


def below(path: Path, problem: Problem) -> Problem:
    """Return a problem whose path begins at `path`, with its path from the top of the document."""
    return replace(problem, path=(*path, *problem.path))


def _with_its_owner(problem: Problem) -> Problem:
    """Return the problem of an unknown key with the name of the object that has such a key."""
    key = problem.path[-1] if problem.path else None
    if not problem.at_key or not problem.message.startswith("unknown key (known:"):
        return problem
    owners = {"fault": faults.keys(), "match": MatchModel.model_fields, "when": WhenModel.model_fields}
    owner = next((name for name, keys in owners.items() if key in keys), None)
    message = f"unknown key; it belongs to {owner}: write {owner}: {{{key}: …}}"
    return problem if owner is None else Problem(problem.path, message, at_key=True)


def rule_document(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a rule as a file has it, made from the flat keys of `inject` and of the request header.

    A key that is not a rule's becomes one of its `fault`; `operation` becomes one of its `match`. Raises ScenarioError
    for a key that `fault` or `match` has already: one of both would be lost.
    """
    rule = {key: value for key, value in given.items() if key in RuleModel.model_fields}
    fault = {key: value for key, value in given.items() if key not in RuleModel.model_fields and key != "operation"}
    if "operation" in given and given["operation"] != "*":
        rule["match"] = _joined("match", {"operation": given["operation"]}, rule.get("match", {}))
    if fault or "sequence" not in rule:
        rule["fault"] = _joined("fault", fault, rule.get("fault", {}))
    return rule


def _joined(name: str, flat: Mapping[str, Any], given: Any) -> Any:
    """Return the flat keys and those that are given in an object as one object. A value that is not an object stays as
    it is."""
    if not isinstance(given, Mapping):
        return given
    if twice := [Problem((name, key), "is given twice: leave one out") for key in flat if key in given]:
        raise ScenarioError(twice)
    return {**flat, **given}


def _steps(path: Path, data: Mapping[str, Any], problems: list[Problem]) -> tuple[Step, ...]:
    """Return the steps that a rule's `fault` or `sequence` describes, adding to `problems` what is wrong with them."""
    if "fault" in data and "sequence" in data:
        problems.append(Problem((*path, "sequence"), "cannot be used together with fault: leave one out", at_key=True))
        return ()
    if "fault" not in data and "sequence" not in data:
        if not any(map(_is_meant_as_fault, data)):  # such a key is a problem already
            problems.append(Problem(path, "needs fault or sequence"))
        return ()
    problems += [
        Problem((*path, key), f"has no effect without {owner}", at_key=True)
        for key, owner in (("then", "sequence"), ("per", "times"))
        if key in data and not {owner, "sequence"} & data.keys()
    ]
    if "fault" in data:
        return (_step(data["fault"], (*path, "fault"), problems),)
    sequence = data["sequence"]
    steps: list[Step] = []
    for index, each in enumerate(sequence if isinstance(sequence, list) else ()):
        steps.append(() if each == "pass" else _step(each, (*path, "sequence", index), problems))
    return tuple(steps)


def _is_meant_as_fault(key: object) -> bool:
    """Return whether an unknown key of a rule is a misspelt `fault` or `sequence`, or belongs into `fault`."""
    if key in RuleModel.model_fields:
        return False
    return key in set(faults.keys()) or nearest(key, RuleModel.model_fields) in ("fault", "sequence")


def _step(data: Any, path: Path, problems: list[Problem]) -> Step:
    step, wrong = faults.read(data)
    problems += [below(path, each) for each in wrong]
    return tuple(sorted(step, key=lambda fault: fault.outcome))  # a rule's own shapers act around its outcome


def _when(model: WhenModel | None) -> When | None:
    if model is None:
        return None
    return When(None if model.phase is None else Pattern(model.phase), model.after or 0, model.until)


def _match(model: MatchModel) -> Match:
    def pattern(given: object) -> Pattern | None:
        return None if given is None else Pattern(given)

    def patterns(given: Mapping[str, Any]) -> NamedPatterns:
        return tuple((name, Pattern(words)) for name, words in given.items())

    methods = None if model.method is None else [word.upper() for word in _listed(model.method)]
    return Match(
        operation=pattern(model.operation),
        method=pattern(methods),
        path=pattern(model.path),
        resource=Pattern(model.resource) if "resource" in model.model_fields_set else None,
        query=patterns(model.query),
        header=patterns(model.header),
        body=patterns(model.body),
    )


def _listed(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]


def _words(data: Any, key: str, path: Path) -> list[tuple[Path, str]]:
    """Return every text of a key that takes one text or several: its path, and the text without its `!`."""
    given = data.get(key) if isinstance(data, Mapping) else None
    items = [((*path, index), each) for index, each in enumerate(given)] if isinstance(given, list) else [(path, given)]
    return [(place, word.removeprefix("!")) for place, word in items if isinstance(word, str) and word.strip("!")]


def _unknown_operations(match: Any, operations: Collection[Operation], path: Path) -> list[Problem]:
    names = [operation.name for operation in operations]
    wrong = [
        (place, word)
        for place, word in _words(match, "operation", (*path, "operation"))
        if word not in names and not any(map(Pattern(word).matches, names))
    ]
    if not wrong:
        return []
    from cnx_mock.api.operation_names import no_operation  # lazy: only a mistake needs it

    return [Problem(place, no_operation(word, operations), sentence=True) for place, word in wrong]


def _unknown_phases(when: Any, phases: Sequence[Phase], path: Path) -> list[Problem]:
    names = [phase.name for phase in phases]
    hint = f"the phases are {one_of(names)}" if names else "the scenario has no phases"
    return [
        Problem(place, f"no phase is called '{word}'{did_you_mean(word, names)} ({hint})", sentence=True)
        for place, word in _words(when, "phase", path)
        if word not in names and not any(map(Pattern(word).matches, names))
    ]


def _ramp_problems(probability: Probability, when: When | None, phases: Sequence[Phase], path: Path) -> list[Problem]:
    """Return what is wrong with a ramp: it needs a phase that has a duration."""
    if not probability.ramps:
        return []
    if when is None or when.phase is None:
        return [Problem(path, "is a ramp, and needs a phase: when: {phase: NAME}")]
    endless = [phase.name for phase in phases if phase.lasts is None and when.phase.matches(phase.name)]
    return [Problem(path, f"is a ramp, and needs a phase with `for`: {one_of(endless)} has none")] if endless else []
