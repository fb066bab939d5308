"""Why rules have not fired yet, as a journal shows it."""

from cnx_mock.http.journal import Journal, JournalRecord
from cnx_mock.http.journal_entry import joined
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.rule import Rule

_MOST_LOOKS = 100_000
"""How many pairs of a rule and a request are looked at for one answer of the control plane."""


class Silence:
    """Says why each of a number of rules has not fired. With many rules, only the newest requests are looked at."""

    def __init__(self, journal: Journal, rules: int) -> None:
        most = max(10, _MOST_LOOKS // max(1, rules))
        newest_first = list(journal)[::-1]
        self._records = newest_first[:most]
        self._left_out = len(newest_first) - len(self._records)
        self._asked: dict[int, dict[ActiveRule, Rule]] = {}

    def reason(self, active: ActiveRule) -> str:
        """Return why a rule has not fired: its last decision, or else the request that it nearly matched."""
        nearest: tuple[int, str] | None = None
        for record in self._records:
            call = f"#{record.seq} {record.request.method} {record.request.path}"
            decision = record.decision(active)
            if decision is not None:
                return f"{decision.reason} ({call})"
            rule = self._rule_then(active, record)
            differences = list(rule.match.differences(record.request)) if rule else []
            if differences and (nearest is None or len(differences) <= nearest[0]):
                nearest = len(differences), f"no request matched; the nearest is {call}: {joined(differences)}"
        if nearest is None:
            return "no request came"
        return nearest[1] + (f" (of the last {len(self._records)} requests)" if self._left_out else "")

    def _rule_then(self, active: ActiveRule, record: JournalRecord) -> Rule | None:
        """Return what an active rule said when this request came; None if it was not asked. Most requests share the
        tuple of those that were asked, so that each tuple is searched once."""
        asked = record.asked
        known = self._asked.get(id(asked))
        if known is None:
            known = self._asked[id(asked)] = dict(asked)
        return known.get(active)
