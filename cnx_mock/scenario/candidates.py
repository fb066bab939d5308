"""Which rules can match a request at all. Most requests match none, and need no further check."""

from collections.abc import Iterable, Sequence

from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.matching import PlainWords, lacks
from cnx_mock.scenario.request import ApiRequest, RequestTarget

_MOST_TARGETS = 100
"""The targets for which the rules of one sandbox are remembered."""

Candidates = tuple[tuple[ActiveRule, PlainWords], ...]
"""Rules that can match a target, each with the words that the body must have."""


class CandidateIndex:
    """The active rules, by the targets that they can match."""

    __slots__ = ("_known", "_rules")

    def __init__(self, rules: Sequence[ActiveRule]) -> None:
        self._rules = rules
        self._known: dict[RequestTarget, Candidates] = {}

    def of(self, target: RequestTarget) -> Candidates:
        """Return the rules that can match a request for this target, in their order."""
        if not self._rules:
            return ()
        found = self._known.get(target)
        if found is None:
            if len(self._known) >= _MOST_TARGETS:
                self._known.clear()
            found = self._known[target] = covering(self._rules, target)
        return found


def covering(rules: Iterable[ActiveRule], target: RequestTarget) -> Candidates:
    """Return those of some rules that can match a request for this target."""
    return tuple((each, each.rule.match.plain_words()) for each in rules if each.rule.match.covers_target(target))


def matching(candidates: Candidates, request: ApiRequest) -> list[ActiveRule]:
    """Return the candidates that match a request for their target."""
    data, found = request.json() if request.body else None, []
    for active, plain in candidates:
        if not (plain and lacks(data, plain)) and active.rule.match.matches_content(request):
            found.append(active)
    return found
