"""What is valid in a scenario, but can never happen.

For example: a rule behind one that always wins, a phase that is never reached, a fault that its operations cannot have.
"""

from collections.abc import Collection, Iterator, Sequence

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Path, Problem
from cnx_mock.scenario.matching import Match, Pattern
from cnx_mock.scenario.path_lint import may_be_of, path_problem
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.rule import Rule, below
from cnx_mock.scenario.scenario import Scenario
from cnx_mock.scenario.shadows import Calls, Winners
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.text.units import format_duration
from cnx_mock.world.clock import NEVER

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


def lint(scenario: Scenario, operations: Collection[Operation]) -> list[Problem]:
    """Return everything in a scenario that can never happen."""
    problems = [*_unreachable_phases(scenario), *_short_lived_rules(scenario)]
    linter = RuleLinter(scenario.phases, scenario.repeat, operations)
    for index, rule in enumerate(scenario.rules):
        problems += [below(("rules", index), each) for each in linter.problems(rule)]
        linter.add(rule)
    return [*problems, *_expected_too_often(scenario)]


class RuleLinter:
    """Says why rules can never fire. They are added in the order in which they are asked."""

    def __init__(self, phases: Sequence[Phase], repeat: bool, operations: Collection[Operation]) -> None:
        self._phases = phases
        self._repeat = repeat
        self._operations = operations
        self._calls = Calls(operations)
        self._winners = Winners(self._calls)

    def add(self, rule: Rule) -> None:
        """Add a rule: those whose problems are asked for later are behind it."""
        self._winners.add(rule)

    def problems(self, rule: Rule) -> list[Problem]:
        """Return every reason why a rule can never fire."""
        return [
            *_never_drawn(rule),
            *_never_now(rule, self._phases, self._repeat),
            *self._matches_nothing(rule),
            *self._has_no_effect(rule),
            *self._is_shadowed(rule),
        ]

    def _matches_nothing(self, rule: Rule) -> Iterator[Problem]:
        """The rule's match, if no call can match it."""
        match = rule.match
        calls = self._calls.of(match)
        wrong = [*_wrong_methods(rule), *self._wrong_paths(rule), *_always_there(match)]
        if wrong:
            yield from wrong
        elif match.operation is not None and not any(match.operation.matches(op.name) for op in self._operations):
            yield Problem(("match", "operation"), "excludes every operation: the rule can never fire")
        elif match.operation is not None and not calls:
            yield Problem(("match", "method"), "does not fit these operations: the rule can never fire")
        elif match.resource is not None and not any(op.params for op, _ in calls):
            yield Problem(("match", "resource"), "has no effect: none of these operations has an id in its path")
        elif match.operation is not None and match.path is not None and not _go_together(match.path, calls):
            yield Problem(("match", "path"), "does not fit these operations: the rule can never fire")

    def _wrong_paths(self, rule: Rule) -> Iterator[Problem]:
        """Every word of the rule's path that no request can have."""
        for place, word, subject in _words(rule, "path", rule.match.path):
            message = path_problem(word, self._operations)
            if message is not None:
                yield Problem(place, subject + message)

    def _has_no_effect(self, rule: Rule) -> Iterator[Problem]:
        """The rule's faults, if none of them can be applied to any call that the rule matches."""
        calls = self._calls.of(rule.match)
        faults = [fault for step in rule.steps for fault in step]
        if calls and faults and not any(fault.applies(op, method) for fault in faults for op, method in calls):
            names = one_of(sorted({op.name for op, _ in calls}))
            path: Path = ("sequence",) if "sequence" in rule.document else ("fault",)
            yield Problem(path, f"can never be applied to {names}")

    def _is_shadowed(self, rule: Rule) -> Iterator[Problem]:
        """The rule, if one before it wins every request that it matches."""
        earlier = self._winners.shadow(rule)
        if earlier is not None:
            yield Problem((), f"can never fire: the rule '{earlier.id}' before it always wins")


def _unreachable_phases(scenario: Scenario) -> Iterator[Problem]:
    for index, phase in enumerate(scenario.phases[:-1]):
        if not phase.ends:
            later = one_of([each.name for each in scenario.phases[index + 1 :]])
            message = f"never ends, so the phases after it never begin ({later}): give it for or until"
            yield Problem(("phases", index), message)
            return


def _short_lived_rules(scenario: Scenario) -> Iterator[Problem]:
    """Rules that end before they begin. An injected rule is not checked: it may come late in the story."""
    spans = list(_spans(scenario.phases, scenario.repeat))
    for index, rule in enumerate(scenario.rules):
        if not rule.ttl or rule.when is None:
            continue
        phase = rule.when.phase
        starts = [start for each, (start, _) in spans if phase is not None and phase.matches(each.name)]
        begins = max(rule.when.after, min(starts, default=0))
        if rule.ttl <= begins:
            message = f"ends before the rule becomes active, which is after {format_duration(begins)}"
            yield Problem(("rules", index, "ttl"), message)


def _expected_too_often(scenario: Scenario) -> Iterator[Problem]:
    for rule in scenario.rules:
        expected = scenario.expected.get(rule.id)
        most = len(rule.times.only) or rule.times.take
        if expected is not None and most is not None and rule.per == "sandbox" and expected > most:
            yield Problem(("expect", "fired", rule.id), f"expects {expected}, but the rule's times allow only {most}")


def _never_drawn(rule: Rule) -> Iterator[Problem]:
    if rule.probability.start == rule.probability.end == 0:
        yield Problem(("probability",), "is 0: the rule can never fire")
    if not any(rule.steps):
        yield Problem(("sequence",), "has only pass: the rule can never fire")
    if rule.ttl == 0:
        yield Problem(("ttl",), "ends at once: the rule can never fire")


def _never_now(rule: Rule, phases: Sequence[Phase], repeat: bool) -> Iterator[Problem]:
    when = rule.when
    if when is None or when.phase is None:
        return
    spans = [span for phase, span in _spans(phases, repeat) if when.phase.matches(phase.name)]
    until = NEVER if when.until is None else when.until
    if not spans:
        yield Problem(("when", "phase"), "is never reached: the rule can never fire")
    elif all(end <= when.after or until <= start for start, end in spans):
        times = one_of([f"{format_duration(start)} to {_end(end)}" for start, end in spans])
        yield Problem(("when",), f"is never true: the phase lasts from {times}")


def _end(end: int) -> str:
    return "the end" if end >= NEVER else format_duration(end)


def _spans(phases: Sequence[Phase], repeat: bool) -> Iterator[tuple[Phase, tuple[int, int]]]:
    """Yield every phase that is ever reached, with the ages between which the story can be in it."""
    earliest, latest = 0, 0
    for phase in phases:
        latest = NEVER if phase.lasts is None or repeat or latest >= NEVER else latest + phase.lasts
        yield phase, (earliest, NEVER if phase is phases[-1] else latest)
        if not phase.ends:
            return
        earliest += phase.lasts or 0


def _words(rule: Rule, key: str, pattern: Pattern | None) -> Iterator[tuple[Path, str, str]]:
    """Yield every word of one of the match's keys: its place in the rule, the word, and what a message begins with."""
    listed = isinstance(rule.document.get("match", {}).get(key), list)
    for index, word in enumerate(() if pattern is None else map(str, pattern.words)):
        yield (("match", key, index), word, f"'{word}' ") if listed else (("match", key), word, "")


def _wrong_methods(rule: Rule) -> Iterator[Problem]:
    for place, word, subject in _words(rule, "method", rule.match.method):
        method = word.removeprefix("!")
        if not any(map(Pattern(method).matches, _METHODS)):
            yield Problem(place, f"{subject}is not a method of HTTP{did_you_mean(method, _METHODS)}")


def _always_there(match: Match) -> Iterator[Problem]:
    """Headers that are to be missing, although no request without them reaches a rule."""
    for name, pattern in match.header:
        if pattern.words == (None,) and name.lower() in ("authorization", "host"):
            yield Problem(("match", "header", name), "is on every request that reaches a rule: it is never missing")


def _go_together(path: Pattern, calls: Collection[tuple[Operation, str]]) -> bool:
    return any(may_be_of(word, [operation for operation, _ in calls]) for word in map(str, path.words))
