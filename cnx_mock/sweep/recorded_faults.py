"""What struck in a run, each fault at its call: drawn by chance or counted, now a rule that strikes there again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnx_mock.http.journal import JournalRecord
from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.scenario import Rule
from cnx_mock.text.units import format_duration


@dataclass(frozen=True, slots=True)
class Strike:
    """One rule's faults at one call."""

    rule: Mapping[str, Any]
    """A scenario's rule that does it at this call, and at no other."""
    title: str
    """It for a person: "`POST /v1/instances` #2: connection=reset after commit (rule reset)"."""


def strikes(records: Iterable[JournalRecord]) -> list[Strike]:
    """What a scenario's rules did to one sandbox's calls, which are in order of arrival. What a request brought along
    itself, in its header or by magic names, it brings again, and what was injected was none of the scenario."""
    found: list[Strike] = []
    numbers: Counter[str] = Counter()
    for record in records:
        if not record.asked:  # no rule counts it
            continue
        operation = record.operation.name if record.operation else f"{record.request.method} {record.request.path}"
        numbers[operation] += 1
        found += _struck(record, numbers[operation])
    return found


def _struck(record: JournalRecord, number: int) -> Iterator[Strike]:
    labels: dict[str, list[str]] = {}
    for rule_id, label in record.applied:
        labels.setdefault(rule_id, []).append(label)
    for active, rule in record.asked:
        if active.origin == "scenario" and rule.id in labels:
            yield Strike(_again(record, active, rule, number), _title(record, rule, number, labels[rule.id]))


def _again(record: JournalRecord, active: ActiveRule, rule: Rule, number: int) -> dict[str, Any]:
    operation = record.operation
    match = (
        {"operation": operation.name} if operation else {"method": record.request.method, "path": record.request.path}
    )
    place = decision.place if (decision := record.decision(active)) else 1
    fault = dict(rule.document["fault"] if "fault" in rule.document else rule.document["sequence"][place - 1])
    if not isinstance(fault.get("latency", ""), str) and record.exchange.delayed:
        fault["latency"] = format_duration(record.exchange.delayed)  # of a range, what was drawn
    at = {} if rule.at == "before" else {"at": rule.at}
    return {"id": f"{rule.id[:60]}:{record.seq}", "match": match, "times": {"only": [number]}, **at, "fault": fault}


def _title(record: JournalRecord, rule: Rule, number: int, labels: list[str]) -> str:
    path = record.operation.path if record.operation else record.request.path
    after = "" if rule.at == "before" else " after commit"
    return f"`{record.request.method} {path}` #{number}: {', '.join(labels)}{after} (rule {rule.id})"
