"""What struck in a run, each fault at its call: drawn by chance or counted, now a rule that strikes there again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cnx_mock.scenario.active_rule import ActiveRule
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.scenario import Rule
from cnx_mock.text.units import format_duration


@dataclass(frozen=True, slots=True)
class Strike:
    """One rule's faults at one call."""

    rule: Mapping[str, Any]
    """A scenario's rule that does it at this call, and at no other."""
    title: str
    """It for a person: "`POST /v1/instances` #2: connection=reset after commit (rule reset)"."""


def strikes(exchanges: Iterable[Exchange]) -> list[Strike]:
    """What a scenario's rules did to one sandbox's calls, which are in order of arrival. What a request brought along
    itself, in its header or by magic names, it brings again, and what was injected was none of the scenario."""
    found: list[Strike] = []
    numbers: Counter[str] = Counter()
    for exchange in exchanges:
        if not exchange.asked:  # no rule counts it
            continue
        operation = exchange.operation.name if exchange.operation else f"{exchange.method} {exchange.path}"
        numbers[operation] += 1
        found += _struck(exchange, numbers[operation])
    return found


def _struck(exchange: Exchange, number: int) -> Iterator[Strike]:
    labels: dict[str, list[str]] = {}
    for rule_id, label in exchange.faults:
        labels.setdefault(rule_id, []).append(label)
    for active, rule in exchange.asked:
        if active.origin == "scenario" and rule.id in labels:
            yield Strike(_again(exchange, active, rule, number), _title(exchange, rule, number, labels[rule.id]))


def _again(exchange: Exchange, active: ActiveRule, rule: Rule, number: int) -> dict[str, Any]:
    operation = exchange.operation
    match = {"operation": operation.name} if operation else {"method": exchange.method, "path": exchange.path}
    place = exchange.decisions[active].place
    fault = dict(rule.document["fault"] if "fault" in rule.document else rule.document["sequence"][place - 1])
    if not isinstance(fault.get("latency", ""), str) and exchange.delayed:
        fault["latency"] = format_duration(exchange.delayed)  # of a range, what was drawn
    at = {} if rule.at == "before" else {"at": rule.at}
    return {"id": f"{rule.id[:60]}:{exchange.seq}", "match": match, "times": {"only": [number]}, **at, "fault": fault}


def _title(exchange: Exchange, rule: Rule, number: int, labels: list[str]) -> str:
    path = exchange.operation.path if exchange.operation else exchange.path
    after = "" if rule.at == "before" else " after commit"
    return f"`{exchange.method} {path}` #{number}: {', '.join(labels)}{after} (rule {rule.id})"
