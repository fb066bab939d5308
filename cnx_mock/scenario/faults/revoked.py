"""A key that is revoked in the middle of a run."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from cnx_mock.api import errors
from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Answer, Exchange
from cnx_mock.scenario.fault import Outcome, Turn
from cnx_mock.scenario.field_types import DURATION
from cnx_mock.scenario.lasting import Revocation
from cnx_mock.text.units import format_duration, parse_duration


class RevokedCalls(Declared):
    """For how many calls."""

    calls: Annotated[int, Field(ge=1, le=1_000_000)]
    """This call, and the next ones with the same key."""


def _read(value: object) -> int | RevokedCalls | None:
    if isinstance(value, Mapping):
        return RevokedCalls.model_validate(value)
    if value == "forever":
        return None
    try:
        lasts = parse_duration(value)
    except ValueError:
        raise ValueError("must be forever, a duration such as 30s, or {calls: 5}") from None
    if lasts == 0:
        raise ValueError("must be longer than 0s")
    return lasts


_SCHEMA = {"anyOf": [{"const": "forever"}, DURATION, RevokedCalls.model_json_schema()]}


class Revoked(Outcome):
    """`revoked: forever`, `30s`, or `{calls: 5}`."""

    key: ClassVar[str] = "revoked"
    revoked: Annotated[Any, BeforeValidator(_read), WithJsonSchema(_SCHEMA)]
    """How long every call with the key is refused, from this call on: with 401 and the reason `revoked_key`. Other keys
    of the account stay valid. A duration is measured by the sandbox's clock. The fault also ends when its rule is
    removed."""

    def label(self) -> str:
        lasts = self.revoked
        if isinstance(lasts, RevokedCalls):
            return f"revoked={{calls: {lasts.calls}}}"
        return f"revoked={'forever' if lasts is None else format_duration(lasts)}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Refuse this call, and those that follow."""
        await Outcome.apply(self, exchange, turn)
        if not exchange.effects.replaced or exchange.key is None or exchange.at is None:
            return
        lasts = self.revoked
        if isinstance(lasts, RevokedCalls):
            turn.lasts(Revocation(exchange.key, calls=lasts.calls - 1))
        else:
            turn.lasts(Revocation(exchange.key, until=None if lasts is None else exchange.at + lasts))

    def replace(self, exchange: Exchange) -> None:
        """Answer as to a key that is revoked: without the headers of a rate limit."""
        refusal = errors.Unauthorized(reason="revoked_key")
        body = errors.body(refusal.code, refusal.message, refusal.details, exchange.request_id)
        exchange.allowance = None
        exchange.answer = Answer(refusal.status, [*refusal.headers()], body)
