"""What would become of a request under a scenario, and why: `cnx-mock scenarios explain`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson

from cnx_mock.asgi import create_app
from cnx_mock.errors import UsageError
from cnx_mock.http.app import App
from cnx_mock.http.journal import JournalEntry, entry
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.settings import Settings
from cnx_mock.text.units import format_duration, parse_duration
from cnx_mock.world.keys import EXAMPLE_DIGITS


@dataclass(frozen=True, slots=True)
class Request:
    """A request to think about."""

    method: str
    target: str
    body: bytes
    headers: RawHeaders

    @classmethod
    def parsed(cls, text: str, headers: Sequence[str]) -> "Request":
        """From `POST /v1/instances {…}` and headers `Name: value`. Raises UsageError."""
        method, target, body = [*text.split(None, 2), "", "", ""][:3]
        if not method.isalpha() or not target.startswith("/"):
            raise UsageError(f"{text!r} is no request: write 'POST /v1/instances {{…}}'")
        raw: RawHeaders = []
        for header in headers:
            name, colon, value = header.partition(":")
            if not colon or not name.strip():
                raise UsageError(f"{header!r} is no header: write 'Name: value'")
            raw.append((name.strip().lower().encode("latin-1", "replace"), value.strip().encode("latin-1", "replace")))
        return cls(method.upper(), target, body.strip().encode(), raw)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


async def explained(name: str, request: Request, count: int, age: str, every: str, seed: str) -> list[str]:
    """Lines that say what would become of the next so many such requests, in the sandbox of the key that `serve`
    prints. Raises what `create_app` raises, ClockError past the end of time, UsageError for durations that are none."""
    try:
        first, between = parse_duration(age), parse_duration(every)
    except ValueError as error:
        raise UsageError(str(error)) from None
    app = create_app(Settings(scenario=(name,), seed=seed))
    tenant = app.tenants.take(EXAMPLE_DIGITS, frozen=True)
    tenant.sandbox.clock.advance(first)
    lines = [f"scenario {app.tenants.defaults.scenario.name}, seed {app.seed}"]
    for number in range(count):
        if number:
            tenant.sandbox.clock.advance(between)
        lines += await _one(app, tenant, request, number + 1)
    return lines


async def _one(app: App, tenant: Tenant, request: Request, number: int) -> list[str]:
    moment, _ = tenant.engine.moment()
    where = f" in phase {moment.phase.name}" if moment.phase else ""
    record = await app.rehearse(tenant, request.method, request.target, request.headers, request.body)
    at = f"at {format_duration(moment.age)}{where}"
    nothing = "no rule is asked about this path" if tenant.engine.scenario.rules else "the scenario has no rules"
    return [f"#{number} {at}: {request} → {_outcome(record.exchange)}", *_decisions(entry(record), nothing)]


def _outcome(exchange: Exchange) -> str:
    """What the client would see, and what would be true."""
    words = []
    if exchange.effects.delivery is not None:
        words.append("no answer")
    elif exchange.answer is not None:
        words.append(f"{exchange.answer.status} {_code(exchange.answer.body)}".strip())
    if exchange.delayed:
        words.append(f"after {format_duration(exchange.delayed)}")
    if exchange.committed:
        words.append("committed")
    return ", ".join(words)


def _code(body: bytes) -> str:
    """The error's code, where the body is the API's error."""
    try:
        error = orjson.loads(body)["error"]["code"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return str(error)


def _decisions(shown: JournalEntry, nothing: str) -> Iterator[str]:
    """A line a rule: what it would do, or why it would not."""
    faults = {rule: ", ".join(each.fault for each in shown.faults if each.rule == rule) for rule in _rules(shown)}
    width = max(map(len, faults), default=0)
    for decision in shown.decisions:
        verdict = f"fires {faults[decision.rule]}" if decision.fired else "does not fire"
        yield f"     {decision.rule:{width}}  {verdict}: {decision.reason}"
    if not faults:
        yield f"     ({nothing})"


def _rules(shown: JournalEntry) -> list[str]:
    return [decision.rule for decision in shown.decisions]
