"""The journal: every request of a sandbox, with what was decided about it, kept as it passed and rendered when read."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from cnx_mock.api.shapes import Shape
from cnx_mock.http.auth import described
from cnx_mock.scenario.active_rule import ActiveRule, Decision
from cnx_mock.scenario.exchange import Exchange, RawHeaders
from cnx_mock.scenario.matching import Difference
from cnx_mock.scenario.scenario import Rule
from cnx_mock.text.units import format_instant_ms

BODY_SHOWN = 64 * 1024
"""Bytes of a body that an entry shows."""


class Journal:
    """The last so many exchanges, in the order of their arrival."""

    def __init__(self, size: int) -> None:
        self._kept: deque[Exchange] = deque(maxlen=size)
        self._seq = 0

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._kept))

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def seen(self) -> int:
        """Requests ever, those that are no longer kept included."""
        return self._seq

    def open(self, exchange: Exchange) -> None:
        """Keep an exchange from now on; it completes itself."""
        self._seq = exchange.seq = self._seq + 1
        self._kept.append(exchange)

    def find(self, request_id: str) -> Exchange | None:
        """The exchange with this request id."""
        return next((each for each in self._kept if each.request_id == request_id), None)

    def clear(self) -> None:
        """Forget every exchange; numbering goes on."""
        self._kept.clear()


@dataclass(slots=True, kw_only=True, eq=False)
class FaultApplied(Shape):
    """A fault that was applied to a request."""

    rule: str
    """The rule's id."""
    fault: str
    """The fault, such as `error=INTERNAL_ERROR`."""


@dataclass(slots=True, kw_only=True, eq=False)
class RuleDecision(Shape):
    """What one rule decided about a request."""

    rule: str
    """The rule's id."""
    fired: bool
    """Whether its fault was to be applied."""
    reason: str
    """Why, or why not: the field that differs, the count, the draw."""


@dataclass(slots=True, kw_only=True, eq=False)
class NearMiss(Shape):
    """The rule that came closest to meaning a request."""

    rule: str
    """The rule's id."""
    reason: str
    """The field that differs."""


@dataclass(slots=True, kw_only=True, eq=False)
class JournalEntry(Shape):
    """One request, what became of it, and why."""

    seq: int
    """Its number in this journal."""
    request_id: str
    """As in `X-Request-Id` and `error.request_id`."""
    at: str | None
    """When it arrived by the sandbox's clock, RFC 3339 with milliseconds; null where it reached no sandbox."""
    wall: str
    """When it arrived in real time, RFC 3339 with milliseconds."""
    connection: int | None
    """The client's port: requests that share it came over one connection; null where it is not known."""
    method: str
    """The method."""
    path: str
    """The path, undecoded."""
    query: str
    """The query string, undecoded."""
    operation: str | None
    """The operation's name; null where there is none."""
    status: int | None
    """The status that went out; null while it is under way, and where the wire was cut."""
    duration_ms: float | None
    """From arrival to answer, in milliseconds of real time; null while it is under way."""
    delayed_ms: float
    """How much of that was waited on purpose."""
    faults: list[FaultApplied]
    """The faults that were applied."""
    committed: bool
    """Whether it changed something."""
    request_headers: list[list[str]]
    """Headers as they came, the key but for its end."""
    request_body: str | None
    """The body as text, at most 64 KiB."""
    response_headers: list[list[str]]
    """Headers as they went out."""
    response_body: str | None
    """The body as text, at most 64 KiB."""
    decisions: list[RuleDecision]
    """What every rule in force decided, in the order in which they were asked."""
    near_miss: NearMiss | None
    """Where no rule meant it: the one that nearly did."""


def entry(exchange: Exchange) -> JournalEntry:
    """An exchange as the control plane and a failing test show it."""
    return JournalEntry(
        seq=exchange.seq,
        request_id=exchange.request_id,
        at=None if exchange.at is None else format_instant_ms(exchange.at),
        wall=format_instant_ms(exchange.wall),
        connection=exchange.connection,
        method=exchange.method,
        path=exchange.path,
        query=exchange.query,
        operation=exchange.operation.name if exchange.operation else None,
        status=exchange.status,
        duration_ms=None if exchange.duration is None else round(exchange.duration / 1000, 3),
        delayed_ms=round(exchange.delayed / 1000, 3),
        faults=[FaultApplied(rule=rule, fault=fault) for rule, fault in exchange.faults],
        committed=exchange.committed,
        request_headers=_request_headers(exchange),
        request_body=_text(exchange.body),
        response_headers=_texts(exchange.response_headers),
        response_body=_text(exchange.answer.body) if exchange.answer and exchange.response_headers else None,
        decisions=[_decision(exchange, active, rule) for active, rule in exchange.asked],
        near_miss=_near_miss(exchange),
    )


def _decision(exchange: Exchange, active: ActiveRule, rule: Rule) -> RuleDecision:
    """What a rule decided, as it was then; one that did not mean the request says which field differs."""
    decision: Decision | None = exchange.decisions.get(active)
    if decision is not None:
        return RuleDecision(rule=rule.id, fired=decision.fired, reason=decision.reason)
    difference = rule.match.difference(exchange)
    reason = "not asked: the request's own header is wrong" if difference is None else str(difference)
    return RuleDecision(rule=rule.id, fired=False, reason=reason)


def _near_miss(exchange: Exchange) -> NearMiss | None:
    """Of the rules that did not mean the request, the one of which the most holds; none where nothing of it does."""
    if exchange.decisions:
        return None
    misses = [(rule, list(rule.match.differences(exchange))) for _, rule in exchange.asked]
    near = [(rule, differences) for rule, differences in misses if 0 < len(differences) < len(rule.match)]
    if not near:
        return None
    rule, differences = min(near, key=lambda miss: len(miss[1]))
    return NearMiss(rule=rule.id, reason=_said(differences))


def _said(differences: list[Difference]) -> str:
    return "; ".join(map(str, differences))


def silence(active: ActiveRule, journal: Journal) -> str:
    """Why a rule has not fired: what it decided last, or else the request that it nearly meant."""
    nearest: tuple[int, str] | None = None
    for exchange in reversed(list(journal)):
        call = f"#{exchange.seq} {exchange.method} {exchange.path}"
        decision: Decision | None = exchange.decisions.get(active)
        if decision is not None:
            return f"{decision.reason} ({call})"
        rule = next((rule for each, rule in exchange.asked if each is active), None)
        differences = list(rule.match.differences(exchange)) if rule else []
        if differences and (nearest is None or len(differences) <= nearest[0]):
            nearest = len(differences), f"no request matched; the nearest is {call}: {_said(differences)}"
    return nearest[1] if nearest else "no request came"


def _request_headers(exchange: Exchange) -> list[list[str]]:
    """Headers as they came, but of the key only its end; of one that led to no sandbox, what was wrong with it."""
    headers = _texts(exchange.headers)
    keys = [described(value) for name, value in exchange.headers if name == b"authorization"]
    if exchange.sandbox is None and exchange.key is not None:
        keys = ["revoked"]
    others = [header for header in headers if header[0] != "authorization"]
    return [*others, *(["authorization", key] for key in keys or ["missing"])]


def _texts(headers: RawHeaders) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _text(body: bytes) -> str | None:
    return body[:BODY_SHOWN].decode("utf-8", "replace") if body else None


class AccessRecord(NamedTuple):
    """What an access line says of a request."""

    wall: int
    """When it arrived, in microseconds since the epoch."""
    method: str
    target: str
    """Path and query, as sent."""
    status: int | None
    """The answer's status; None if the connection was ended without one."""
    duration: int
    """Microseconds from its arrival to the end of the answer."""
    operation: str
    """The operation's name, `-` if the path has none."""
    sandbox: str
    """The end of its key, `-` if it reached no sandbox."""
    faults: tuple[str, ...]
    """What struck it, each as `rule:fault`."""


def access_record(exchange: Exchange, label: str) -> AccessRecord:
    """Return what an access line says of an exchange; `label` names its sandbox."""
    return AccessRecord(
        wall=exchange.wall,
        method=exchange.method,
        target=f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path,
        status=exchange.status,
        duration=exchange.duration or 0,
        operation=exchange.operation.name if exchange.operation else "-",
        sandbox=label,
        faults=tuple(f"{rule}:{fault}" for rule, fault in exchange.faults),
    )
