"""Record the faults that a scenario injected into a run. Each becomes a rule that injects it at the same call again,
whether chance or a count had decided on it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.scenario import Rule
from cnx_mock.text.units import format_duration


@dataclass(frozen=True, slots=True)
class RecordedFault:
    """What one rule injected into one call."""

    rule: Mapping[str, Any]
    """A scenario's rule that injects the same at this call only."""
    title: str
    """The fault for a person: "`POST /v1/instances` #2: connection=reset after commit (rule reset)"."""


def recorded_faults(exchanges: Iterable[Exchange]) -> list[RecordedFault]:
    """Return the faults that a scenario's rules injected into one sandbox's calls, which are in order of arrival.

    Left out are faults that a request asks for itself, by a header or by magic names: the program sends them again.
    Injected rules are left out too, since they are not part of the scenario.
    """
    found: list[RecordedFault] = []
    ordinals: Counter[str] = Counter()
    for exchange in exchanges:
        if not exchange.asked:  # no rule counts it
            continue
        operation = exchange.operation.name if exchange.operation else f"{exchange.method} {exchange.path}"
        ordinals[operation] += 1
        found += _recorded(exchange, ordinals[operation])
    return found


def _recorded(exchange: Exchange, ordinal: int) -> Iterator[RecordedFault]:
    labels: dict[str, list[str]] = {}
    for rule_id, label in exchange.faults:
        labels.setdefault(rule_id, []).append(label)
    for active, rule in exchange.asked:
        if active.origin == "scenario" and rule.id in labels:
            title = _title(exchange, rule, ordinal, labels[rule.id])
            yield RecordedFault(_rule_again(exchange, active, rule, ordinal), title)


def _rule_again(exchange: Exchange, active: ActiveRule, rule: Rule, ordinal: int) -> dict[str, Any]:
    operation = exchange.operation
    match = {"operation": operation.name} if operation else {"method": exchange.method, "path": exchange.path}
    place = exchange.decisions[active].place
    fault = dict(rule.document["fault"] if "fault" in rule.document else rule.document["sequence"][place - 1])
    if not isinstance(fault.get("latency", ""), str) and exchange.delayed:
        fault["latency"] = format_duration(exchange.delayed)  # the rule has a range: this is what was drawn
    at = {} if rule.at == "before" else {"at": rule.at}
    return {"id": f"{rule.id[:60]}:{exchange.seq}", "match": match, "times": {"only": [ordinal]}, **at, "fault": fault}


def _title(exchange: Exchange, rule: Rule, ordinal: int, labels: list[str]) -> str:
    path = exchange.operation.path if exchange.operation else exchange.path
    after = "" if rule.at == "before" else " after commit"
    return f"`{exchange.method} {path}` #{ordinal}: {', '.join(labels)}{after} (rule {rule.id})"
