"""`cnx-mock scenarios explain`: what a scenario would do to the next requests, and why."""

import asyncio
from collections.abc import Iterator, Sequence

import click
import orjson

from cnx_mock.asgi import create_app
from cnx_mock.cli import completions
from cnx_mock.cli.terminal import shown
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import UsageError
from cnx_mock.http.app import App
from cnx_mock.http.journal_entry import JournalEntry, entry
from cnx_mock.http.tenant import Tenant
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.request import RawHeaders
from cnx_mock.settings import Settings
from cnx_mock.text.units import format_duration, parse_duration
from cnx_mock.world.keys import EXAMPLE_DIGITS

_LONGEST_WHY = 300
"""So many characters of a refusal are shown."""


@click.command("explain")
@click.argument("name", metavar="NAME|PATH", shell_complete=completions.scenarios)
@click.option(
    "--request",
    "request_text",
    required=True,
    metavar="TEXT",
    help="Predict what happens to this request, with method, path and body: 'POST /v1/instances {…}'.",
)
@click.option(
    "--header", "headers", multiple=True, metavar="NAME: VALUE", help="Add a header to the request; may be repeated."
)
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Predict N such requests.",
)
@click.option("--age", default="0s", show_default=True, metavar="DURATION", help="Start at this age of the sandbox.")
@click.option(
    "--every",
    default="0s",
    show_default=True,
    metavar="DURATION",
    help="Let this time pass between two requests.",
)
@click.option("--seed", default="0", show_default=True, metavar="N", help="Use this seed for all random choices.")
def explain(
    name: str, request_text: str, headers: tuple[str, ...], count: int, age: str, every: str, seed: str
) -> None:
    """Predict what a scenario does to the next requests, rule by rule.

    No time passes, and no server is needed.

    \b
    Examples:
      cnx-mock scenarios explain lost-response -n 2 --request 'DELETE /v1/instances/inst_0000000000000000'
      cnx-mock scenarios explain brownout --age 45s --every 10s -n 5 --request 'GET /v1/instances'
    """
    request = ImaginedRequest.parsed(request_text, headers)
    for line in asyncio.run(explained(name, request, count, age, every, seed)):
        click.echo(shown(line))


@dataclass(frozen=True, slots=True)
class ImaginedRequest:
    """A request that is not sent."""

    method: str
    target: str
    body: bytes
    headers: RawHeaders

    @classmethod
    def parsed(cls, text: str, headers: Sequence[str]) -> "ImaginedRequest":
        """Read `POST /v1/instances {…}` and headers `Name: value`. Raises UsageError if they are not like that."""
        method, target, body = [*text.split(None, 2), "", "", ""][:3]
        if not method.isalpha() or not target.startswith("/"):
            path = " (a path begins with /)" if method.isalpha() and target else ""
            raise UsageError(f"{text!r} is not a request{path}: write 'POST /v1/instances {{…}}'")
        raw: RawHeaders = []
        for header in headers:
            name, colon, value = header.partition(":")
            if not colon or not name.strip():
                raise UsageError(f"{header!r} is not a header: write 'Name: value'")
            raw.append((name.strip().lower().encode("latin-1", "replace"), value.strip().encode("latin-1", "replace")))
        return cls(method.upper(), target, body.strip().encode(), raw)

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


async def explained(name: str, request: ImaginedRequest, count: int, age: str, every: str, seed: str) -> list[str]:
    """Return lines that say what would happen to the next `count` such requests, in the sandbox of the key that
    `serve` prints.

    Raises what `create_app` raises, ClockError past the end of time, and UsageError for a bad duration.
    """
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


async def _one(app: App, tenant: Tenant, request: ImaginedRequest, number: int) -> list[str]:
    moment, _ = tenant.engine.moment()
    where = f" in phase {moment.phase.name}" if moment.phase else ""
    record = await app.rehearse(tenant, request.method, request.target, request.headers, request.body)
    at = f"at {format_duration(moment.age)}{where}"
    nothing = "no rule is evaluated for this path" if tenant.engine.scenario.rules else "the scenario has no rules"
    shown = entry(record)
    answer = record.exchange.answer
    why = _why(answer.body) if answer is not None and answer.status == 400 and not shown.faults else ""
    return [f"#{number} {at}: {request} → {_outcome(record.exchange)}{why}", *_decisions(shown, nothing)]


def _outcome(exchange: Exchange) -> str:
    """Return what the client would see, and whether the change would be committed."""
    words = []
    if exchange.effects.connection_fault is not None:
        words.append("no answer")
    elif exchange.answer is not None:
        words.append(f"{exchange.answer.status} {_code(exchange.answer.body)}".strip())
    if exchange.delayed:
        words.append(f"after {format_duration(exchange.delayed)}")
    if exchange.committed:
        words.append("committed")
    return ", ".join(words)


def _code(body: bytes) -> str:
    """Return the error's code; empty if the body is not an error of the API."""
    try:
        error = orjson.loads(body)["error"]["code"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return str(error)


def _why(body: bytes) -> str:
    """Return why the API itself refuses the request, in parentheses; empty if the body is not an error of the API."""
    try:
        details = orjson.loads(body)["error"]["details"].items()
    except (AttributeError, orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    listed = "; ".join(f"{name}: {text}" for name, text in details)
    return f" ({listed[:_LONGEST_WHY]})" if listed else ""


def _decisions(request: JournalEntry, nothing: str) -> Iterator[str]:
    """Yield a line for each rule: what it would do, or why it would not."""
    faults = {rule: ", ".join(each.fault for each in request.faults if each.rule == rule) for rule in _rules(request)}
    width = max(map(len, faults), default=0)
    for decision in request.decisions:
        verdict = f"fires {faults[decision.rule]}" if decision.fired else "does not fire"
        yield f"     {decision.rule:{width}}  {verdict}: {decision.reason}"
    if not faults:
        yield f"     ({nothing})"


def _rules(request: JournalEntry) -> list[str]:
    return [decision.rule for decision in request.decisions]
