"""Record the faults that a scenario injected into a run. Each becomes a rule that injects the same fault at the same
call, without chance and counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.replay import applied_fault
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.scenario import Rule


@dataclass(frozen=True, slots=True)
class RecordedFault:
    """What one rule injected into one call."""

    rule: Mapping[str, Any]
    """A scenario's rule that injects the same at this call only."""
    title: str
    """The fault for a person: "`POST /v1/instances` #2: connection=reset after commit (rule reset)"."""


def recorded_faults(records: Iterable[JournalRecord]) -> list[RecordedFault]:
    """Return the faults that a scenario's rules injected into one sandbox's calls, which are in order of arrival.

    Left out are faults that a request asks for itself, by a header or by magic names: the program sends them again.
    Injected rules are left out too, since they are not part of the scenario.
    """
    found: list[RecordedFault] = []
    ordinals: Counter[str] = Counter()
    for record in records:
        if not record.asked:  # no rule counts it
            continue
        operation = record.operation.name if record.operation else f"{record.request.method} {record.request.path}"
        ordinals[operation] += 1
        found += _recorded(record, ordinals[operation])
    return found


def _recorded(record: JournalRecord, ordinal: int) -> Iterator[RecordedFault]:
    labels: dict[str, list[str]] = {}
    for rule_id, label in record.applied:
        labels.setdefault(rule_id, []).append(label)
    for active, rule in record.asked:
        if active.origin == "scenario" and rule.id in labels:
            title = _title(record, rule, ordinal, labels[rule.id])
            yield RecordedFault(_rule_again(record, active, rule, ordinal), title)


def _rule_again(record: JournalRecord, active: ActiveRule, rule: Rule, ordinal: int) -> dict[str, Any]:
    request, operation = record.request, record.operation
    match = {"operation": operation.name} if operation else {"method": request.method, "path": request.path}
    at = {} if rule.at == "before" else {"at": rule.at}
    return {
        "id": f"{rule.id[:60]}:{record.seq}",
        "match": match,
        "times": {"only": [ordinal]},
        **at,
        "fault": applied_fault(record, active, rule),
    }


def _title(record: JournalRecord, rule: Rule, ordinal: int, labels: list[str]) -> str:
    path = record.operation.path if record.operation else record.request.path
    after = "" if rule.at == "before" else " after commit"
    return f"`{record.request.method} {path}` #{ordinal}: {', '.join(labels)}{after} (rule {rule.id})"
