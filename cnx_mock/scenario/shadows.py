"""Rules that can never fire because one before them wins every request that they match.

Each rule is compared only with earlier rules that can match at least as much. These are found by the properties that
they match, so the time grows with the number of rules, not with its square.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from cnx_mock.api.operation import Operation
from cnx_mock.scenario.conditions import Times
from cnx_mock.scenario.matching import Match, NamedPatterns, Pattern
from cnx_mock.scenario.rule import Rule

PossibleCall = tuple[Operation, str]
"""A call that a client can make: its operation and its method."""

_Words = tuple[Any, ...] | None
_Item = tuple[str, str, tuple[Any, ...]]
"""A field that a rule looks at: where, its name, and the words."""


class Calls:
    """The calls that clients can make, and which of them rules match. Results are remembered."""

    def __init__(self, operations: Collection[Operation]) -> None:
        self._all = [(op, method) for op in operations for method in _methods(op)]
        self._masks: dict[tuple[_Words, _Words], int] = {}

    def mask(self, match: Match) -> int:
        """Return the calls that a rule can match: a bit for each."""
        key = _words(match.operation), _words(match.method)
        found = self._masks.get(key)
        if found is None:
            bits = (1 << place for place, (op, method) in enumerate(self._all) if match.covers(op.name, method))
            found = self._masks[key] = sum(bits)
        return found

    def of(self, match: Match) -> list[PossibleCall]:
        """Return the calls that a rule can match."""
        mask = self.mask(match)
        return [call for place, call in enumerate(self._all) if mask >> place & 1]


class Winners:
    """The rules that always win what they match, among those that were added."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._added = 0
        self._groups: dict[tuple[_Words, _Words, _Item | None], dict[object, list[tuple[int, Rule]]]] = {}
        """By path, resource and the rarest of the other fields; in each the rules of equal matches, each with its
        place."""

    def add(self, rule: Rule) -> None:
        """Add a rule that is asked behind those that were added before."""
        self._added += 1
        if _always_wins(rule):
            match, items = rule.match, _items(rule.match)
            place = _words(match.path), _words(match.resource)
            rarest = min(items, key=lambda item: len(self._groups.get((*place, item), ())), default=None)
            group = self._groups.setdefault((*place, rarest), {})
            equal = _words(match.operation), _words(match.method), items
            group.setdefault(equal, []).append((self._added, rule))

    def shadow(self, rule: Rule) -> Rule | None:
        """Return the first rule that wins all that this one matches; None if there is none."""
        found = ((place, each) for equal in self._including(rule.match) for place, each in self._striking(equal, rule))
        return min(found, key=lambda each: each[0], default=(0, None))[1]

    def _including(self, narrow: Match) -> Iterator[Sequence[tuple[int, Rule]]]:
        """Yield the rules that match all that `narrow` matches, those of equal matches together."""
        items = _items(narrow)
        for path in dict.fromkeys((_words(narrow.path), None)):
            for resource in dict.fromkeys((_words(narrow.resource), None)):
                for item in (None, *items):
                    for equal in self._groups.get((path, resource, item), {}).values():
                        wide = equal[0][1].match
                        if _items(wide) <= items and self._includes_calls(wide, narrow):
                            yield equal

    def _includes_calls(self, wide: Match, narrow: Match) -> bool:
        """Whether `wide` matches the operations and methods that `narrow` matches."""
        if narrow.operation is None and wide.operation is not None:
            return False
        if narrow.operation is None and wide.method is not None and not _pattern_includes(wide.method, narrow.method):
            return False  # calls of no operation have methods too
        mask = self._calls.mask(narrow)
        return (narrow.operation is None or mask != 0) and not mask & ~self._calls.mask(wide)

    def _striking(self, equal: Sequence[tuple[int, Rule]], rule: Rule) -> Iterator[tuple[int, Rule]]:
        """Yield the first of these rules whose outcome can be applied to every call that the rule matches."""
        calls = self._calls.of(rule.match)
        for place, each in equal:
            outcomes = [fault for fault in each.steps[0] if fault.outcome]
            if all(fault.applies(op, method) for op, method in calls for fault in outcomes):
                yield place, each
                return


def _methods(operation: Operation) -> tuple[str, ...]:
    return ("GET", "HEAD") if operation.method == "GET" else (operation.method,)


def _words(pattern: Pattern | None) -> _Words:
    return None if pattern is None else pattern.words


def _items(match: Match) -> frozenset[_Item]:
    """Return what a match looks at beside operation, method, path and resource."""
    places: tuple[tuple[str, NamedPatterns], ...] = (
        ("query", match.query),
        ("header", match.header),
        ("body", match.body),
    )
    return frozenset(
        (place, name.lower() if place == "header" else name, pattern.words)
        for place, named in places
        for name, pattern in named
    )


def _pattern_includes(wide: Pattern, narrow: Pattern | None) -> bool:
    """Whether `wide` matches all that `narrow` matches, as far as their words show it."""
    if narrow is None:
        return False
    plain = all(isinstance(word, str) and "*" not in word and not word.startswith("!") for word in narrow.words)
    return narrow.words == wide.words or (plain and all(map(wide.matches, narrow.words)))


def _always_wins(rule: Rule) -> bool:
    """Whether a rule wins every request that it matches."""
    certain = rule.when is None and rule.times == Times() and rule.probability.start == rule.probability.end == 1
    return certain and rule.ttl is None and not rule.scripted and any(fault.outcome for fault in rule.steps[0])
