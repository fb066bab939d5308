"""The API's own errors, on demand: `error: CODE` from the catalogue, or a bare `status`."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

from cnx_mock.api import errors
from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Allowance, Answer, Exchange
from cnx_mock.scenario.fault import Outcome
from cnx_mock.scenario.field_types import DURATION, Duration
from cnx_mock.text.suggestions import one_of
from cnx_mock.text.units import format_http_date, parse_duration
from cnx_mock.world.clock import SECOND, wall_now

RETRY_AFTER = SECOND
"""How long an injected 429 asks the client to wait, unless its rule has `retry_after`."""


def _known_code(code: object) -> str:
    known = sorted(errors.catalogue())
    if not isinstance(code, str) or code not in known:
        raise ValueError(f"must be one of: {one_of(known, code)} (or use status: alone)")
    return code


class RetryDate(Declared):
    """A `Retry-After` that is an HTTP date, which RFC 9110 allows as well as seconds."""

    date: Duration
    """How far the date is from now, rounded up to a whole second."""


def read_retry_after(value: object) -> int | RetryDate:
    """Read `2s`, or `{date: 2s}` for an HTTP date. Return microseconds, or the date. Raises ValueError."""
    return RetryDate.model_validate(value) if isinstance(value, Mapping) else parse_duration(value)


def retry_after_header(wait: int | RetryDate) -> tuple[bytes, bytes]:
    """Return the header that asks a client to wait this many microseconds, or until the date after this time."""
    seconds = -(-(wait.date if isinstance(wait, RetryDate) else wait) // SECOND)
    until = -(-wall_now() // SECOND) + seconds
    text = format_http_date(until) if isinstance(wait, RetryDate) else str(seconds)
    return b"retry-after", text.encode()


RETRY_AFTER_SCHEMA = {"anyOf": [DURATION, RetryDate.model_json_schema()]}
StatusCode = Annotated[int, Field(ge=400, le=599)]
Details = dict[str, str]


class _ErrorOutcome(Outcome):
    """What `error` and `status` have in common."""

    message: str | None = None
    """Replaces the default message."""
    details: Details | None = None
    """Replaces the default details."""
    retry_after: Annotated[Any, BeforeValidator(read_retry_after), WithJsonSchema(RETRY_AFTER_SCHEMA)] = None
    """The `Retry-After` to send, rounded up to whole seconds; `{date: 2s}` sends it as an HTTP date."""

    def send(self, exchange: Exchange, status: int, code: str, message: str, details: Details) -> None:
        """Make the error the exchange's answer."""
        wait = self.retry_after
        if code == errors.RateLimited.code:
            wait = RETRY_AFTER if wait is None else wait
            details = _limited(exchange, -(-(wait.date if isinstance(wait, RetryDate) else wait) // SECOND))
        headers = [] if wait is None else [retry_after_header(wait)]
        details = details if self.details is None else self.details
        body = errors.body(code, self.message or message, details, exchange.request_id)
        exchange.answer = Answer(status, [*headers, *_extra(code, details)], body)


class Error(_ErrorOutcome):
    """`error: INTERNAL_ERROR`, with the default status, message and details of this code. The rule may have its own."""

    key: ClassVar[str] = "error"
    error: Annotated[str, BeforeValidator(_known_code), WithJsonSchema({"enum": sorted(errors.catalogue())})]
    """The code of an API error, such as INTERNAL_ERROR."""
    status: StatusCode | None = None
    """Replaces the default status."""

    def replace(self, exchange: Exchange) -> None:
        """Answer with the error."""
        kind = errors.catalogue()[self.error]
        fill = _FILLED.get(kind)
        details = fill(exchange) if fill else dict(kind.example)
        readings = exchange.sandbox.readings if exchange.sandbox else {}
        self.send(exchange, self.status or kind.status_under(readings), kind.code, kind.message, details)


class Status(_ErrorOutcome):
    """`status: 503`, for any error status. The error code is made from the reason phrase of the status."""

    key: ClassVar[str] = "status"
    status: StatusCode
    """400 to 599."""

    def replace(self, exchange: Exchange) -> None:
        """Answer with the status."""
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = f"HTTP {self.status}"
        code = phrase.upper().replace(" ", "_").replace("-", "_").replace("'", "")
        self.send(exchange, self.status, code, f"{phrase}.", {})


def _extra(code: str, details: Details) -> errors.Headers:
    """Return the headers that HTTP requires with some errors; the one of a 429 is already there."""
    kind = errors.catalogue().get(code)
    if kind is None or kind is errors.RateLimited:
        return ()
    headers = kind(**{**kind.example, **details}).headers()
    return tuple((name, value) for name, value in headers if value.decode().isprintable())  # a header is one line


def _limited(exchange: Exchange, seconds: int) -> Details:
    """Return the details of an injected 429, and make the headers agree: nothing remains, and the window is reset when
    the wait is over."""
    limit = exchange.allowance.limit if exchange.allowance else 0
    exchange.allowance = Allowance(limit, 0, -(-wall_now() // SECOND) + seconds)
    return {"limit": str(limit), "remaining": "0", "reset": str(exchange.allowance.reset), "retry_after": str(seconds)}


def _not_found(exchange: Exchange) -> Details:
    operation = exchange.request.operation
    for record_class in operation.records.values() if operation else ():
        return {"resource": record_class.kind.noun, "id": exchange.request.params[0]}
    return {"path": exchange.request.path}


def _forbidden(exchange: Exchange) -> Details:
    scope = exchange.request.operation.scope if exchange.request.operation else None
    granted = exchange.key.scopes if exchange.key else ()
    return {
        "required_scope": scope or "none",
        "granted_scopes": ", ".join(each for each in granted if each != scope),
    }


def _region(exchange: Exchange) -> Details:
    data = exchange.request.json()
    region = data.get("region") if isinstance(data, dict) else None
    return {"region": region} if isinstance(region, str) else dict(errors.RegionUnavailable.example)


_FILLED: dict[type[errors.ApiError], Callable[[Exchange], Details]] = {
    errors.NotFound: _not_found,
    errors.Forbidden: _forbidden,
    errors.RegionUnavailable: _region,
    errors.MethodNotAllowed: lambda exchange: {"method": exchange.request.method, "allowed": "GET, HEAD"},
}
"""The errors whose details follow from the request."""
