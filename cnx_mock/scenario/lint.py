"""What can be read, and can never happen: rules that are shadowed, phases that are never reached, faults that do not go
with their operations."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from cnx_mock.api.operation import Operation
from cnx_mock.errors import Path, Problem
from cnx_mock.scenario.conditions import Times
from cnx_mock.scenario.matching import Match, Pattern
from cnx_mock.scenario.phases import Phase
from cnx_mock.scenario.scenario import Rule, Scenario
from cnx_mock.text.suggestions import one_of
from cnx_mock.text.units import format_duration
from cnx_mock.world.records import NEVER

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


def lint(scenario: Scenario, operations: Collection[Operation]) -> list[Problem]:
    """Everything in a scenario that can never happen."""
    found = [*_endless(scenario), *_short_lived(scenario)]
    for index, rule in enumerate(scenario.rules):
        wrong = lint_rule(rule, scenario.rules[:index], scenario.phases, scenario.repeat, operations)
        found += [Problem(("rules", index, *each.path), each.message, each.at_key) for each in wrong]
    return [*found, *_too_much(scenario)]


def lint_rule(
    rule: Rule,
    before: Sequence[Rule],
    phases: Sequence[Phase],
    repeat: bool,
    operations: Collection[Operation],
) -> list[Problem]:
    """Why a rule can never fire, if it cannot; `before` are the rules that are asked before it."""
    calls = _Calls(operations)
    return [
        *_no_chance(rule),
        *_no_time(rule, phases, repeat),
        *calls.no_call(rule),
        *calls.no_effect(rule),
        *calls.shadowed(rule, before),
    ]


def _endless(scenario: Scenario) -> Iterator[Problem]:
    for index, phase in enumerate(scenario.phases[:-1]):
        if not phase.ends:
            behind = one_of([each.name for each in scenario.phases[index + 1 :]])
            yield Problem(
                ("phases", index), f"never ends, and nothing behind it comes ({behind}): give it for or until"
            )
            return


def _short_lived(scenario: Scenario) -> Iterator[Problem]:
    """Rules that end before they begin. (An injected one may well come when the story is old enough.)"""
    spans = list(_spans(scenario.phases, scenario.repeat))
    for index, rule in enumerate(scenario.rules):
        if not rule.ttl or rule.when is None:
            continue
        phase = rule.when.phase
        starts = [start for each, (start, _) in spans if phase is not None and phase.matches(each.name)]
        begins = max(rule.when.after, min(starts, default=0))
        if rule.ttl <= begins:
            message = f"is over before the rule begins to hold, which is after {format_duration(begins)}"
            yield Problem(("rules", index, "ttl"), message)


def _too_much(scenario: Scenario) -> Iterator[Problem]:
    for rule in scenario.rules:
        expected = scenario.expected.get(rule.id)
        most = len(rule.times.only) or rule.times.take
        if expected is not None and most is not None and rule.per == "sandbox" and expected > most:
            yield Problem(("expect", "fired", rule.id), f"expects {expected}, but the rule's times allow {most}")


def _no_chance(rule: Rule) -> Iterator[Problem]:
    if rule.probability.start == rule.probability.end == 0:
        yield Problem(("probability",), "is 0: the rule can never fire")
    if not any(rule.steps):
        yield Problem(("sequence",), "only passes: the rule can never fire")
    if rule.ttl == 0:
        yield Problem(("ttl",), "is over at once: the rule can never fire")


def _no_time(rule: Rule, phases: Sequence[Phase], repeat: bool) -> Iterator[Problem]:
    when = rule.when
    if when is None or when.phase is None:
        return
    spans = [span for phase, span in _spans(phases, repeat) if when.phase.matches(phase.name)]
    until = NEVER if when.until is None else when.until
    if not spans:
        yield Problem(("when", "phase"), "is never reached: the rule can never fire")
    elif all(end <= when.after or until <= start for start, end in spans):
        times = one_of([f"{format_duration(start)} to {_spelt(end)}" for start, end in spans])
        yield Problem(("when",), f"can never hold: the phase lasts from {times}")


def _spelt(end: int) -> str:
    return "the end" if end >= NEVER else format_duration(end)


def _spans(phases: Sequence[Phase], repeat: bool) -> Iterator[tuple[Phase, tuple[int, int]]]:
    """Every phase that is ever reached, with the ages between which it can be."""
    earliest, latest = 0, 0
    for phase in phases:
        latest = NEVER if phase.lasts is None or repeat or latest >= NEVER else latest + phase.lasts
        yield phase, (earliest, NEVER if phase is phases[-1] else latest)
        if not phase.ends:
            return
        earliest += phase.lasts or 0


@dataclass(frozen=True, slots=True)
class _Calls:
    """What can be called at all."""

    operations: Collection[Operation]

    def _of(self, match: Match) -> list[tuple[Operation, str]]:
        """The calls that a rule can mean."""
        all_calls = ((op, method) for op in self.operations for method in _methods(op))
        return [(op, method) for op, method in all_calls if match.covers(op.name, method)]

    def no_call(self, rule: Rule) -> Iterator[Problem]:
        match = rule.match
        calls = self._of(match)
        if match.method is not None and not any(map(match.method.matches, _METHODS)):
            yield Problem(("match", "method"), "is none of HTTP's methods")
        elif match.operation is not None and not any(match.operation.matches(op.name) for op in self.operations):
            yield Problem(("match", "operation"), "leaves no operation: the rule can never fire")
        elif match.operation is not None and not calls:
            yield Problem(("match", "method"), "calls none of these operations: the rule can never fire")
        elif match.resource is not None and not any(op.params for op, _ in calls):
            yield Problem(("match", "resource"), "none of these operations has an id in its path")
        elif match.path is not None and all(_outside(word) for word in match.path.words):
            yield Problem(("match", "path"), "is outside /v1/, where no rule is asked")

    def no_effect(self, rule: Rule) -> Iterator[Problem]:
        """Faults of which none can be applied to any call that the rule means."""
        calls = self._of(rule.match)
        faults = [fault for step in rule.steps for fault in step]
        if calls and faults and not any(fault.applies(op, method) for fault in faults for op, method in calls):
            names = one_of(sorted({op.name for op, _ in calls}))
            path: Path = ("sequence",) if "sequence" in rule.document else ("fault",)
            yield Problem(path, f"can never be applied to {names}")

    def shadowed(self, rule: Rule, before: Sequence[Rule]) -> Iterator[Problem]:
        for earlier in before:
            if _always(earlier) and self._includes(earlier.match, rule.match):
                yield Problem((), f"can never fire: {earlier.id}, which is asked before it, always wins")
                return

    def _includes(self, wide: Match, narrow: Match) -> bool:
        """Whether all that one means the other means too, as far as can be told from their words."""
        if narrow.operation is None and wide.operation is not None:
            return False
        if narrow.operation is None and wide.method is not None and not _plainly(narrow.method, wide.method):
            return False  # calls of no operation have methods too
        calls = {(op.name, method) for op, method in self._of(narrow)}
        if (narrow.operation is not None and not calls) or not calls <= {(op.name, m) for op, m in self._of(wide)}:
            return False
        single = ((wide.path, narrow.path), (wide.resource, narrow.resource))
        if any(one is not None and (other is None or one.words != other.words) for one, other in single):
            return False
        return all(
            any(spelt(name) == spelt(other) and pattern.words == words.words for other, words in theirs)
            for ours, theirs, spelt in (
                (wide.query, narrow.query, str),
                (wide.header, narrow.header, str.lower),
                (wide.body, narrow.body, str),
            )
            for name, pattern in ours
        )


def _methods(operation: Operation) -> tuple[str, ...]:
    return ("GET", "HEAD") if operation.method == "GET" else (operation.method,)


def _plainly(narrow: Pattern | None, wide: Pattern) -> bool:
    """Whether all that one takes the other takes too, as far as can be told from their words."""
    if narrow is None:
        return False
    plain = all(isinstance(word, str) and "*" not in word and not word.startswith("!") for word in narrow.words)
    return narrow.words == wide.words or (plain and all(map(wide.matches, narrow.words)))


def _outside(word: object) -> bool:
    """Whether no path under /v1/ can be meant, as far as the words before the first `*` tell."""
    literal, star, _ = str(word).partition("*")
    return not literal.startswith("!") and not (literal.startswith("/v1/") or (star and "/v1/".startswith(literal)))


def _always(rule: Rule) -> bool:
    """Whether it wins every request that it means."""
    certain = rule.when is None and rule.times == Times() and rule.probability.start == rule.probability.end == 1
    return certain and rule.ttl is None and not rule.scripted and any(fault.outcome for fault in rule.steps[0])
