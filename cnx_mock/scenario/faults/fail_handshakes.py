"""A server with which TLS cannot be agreed on for a while."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from cnx_mock.api.declarations import BeforeValidator, Field, WithJsonSchema
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Exchange, Wire
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.field_types import DURATION, short_while
from cnx_mock.scenario.lasting import LastingOutage
from cnx_mock.text.units import format_duration


class FailingHandshakes(Declared):
    """How many of them."""

    connections: Annotated[int, Field(ge=1, le=100_000)]
    """The next connections over HTTPS, of any client."""


def _read(value: object) -> int | FailingHandshakes:
    return FailingHandshakes.model_validate(value) if isinstance(value, Mapping) else short_while(value)


_SCHEMA = {"anyOf": [DURATION, FailingHandshakes.model_json_schema()]}


class FailHandshakes(Fault):
    """`fail_handshakes: 2s`, or `{connections: 3}`."""

    key: ClassVar[str] = "fail_handshakes"
    fail_handshakes: Annotated[Any, BeforeValidator(_read), WithJsonSchema(_SCHEMA)]
    """The connection is closed after the answer, and new TLS handshakes fail with the alert `handshake_failure`. This
    lasts for a real time (at most 1m) or for a number of connections. It affects the whole server: all sandboxes, and
    the control plane over HTTPS. It applies to calls over HTTPS."""

    def label(self) -> str:
        lasts = self.fail_handshakes
        if isinstance(lasts, FailingHandshakes):
            return f"fail_handshakes={{connections: {lasts.connections}}}"
        return f"fail_handshakes={format_duration(lasts)}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Let handshakes fail when the answer is sent."""
        if not exchange.request.secure:
            await turn.proceed()
            turn.spared("the call did not come over HTTPS")
            return
        exchange.effects.last_on_connection = True
        await turn.proceed()
        lasts = self.fail_handshakes

        def begin(wire: Wire) -> None:
            if isinstance(lasts, FailingHandshakes):
                turn.lasts(LastingOutage(wire.fail_handshakes(None, lasts.connections)))
            else:
                turn.lasts(LastingOutage(wire.fail_handshakes(lasts, None)))

        exchange.effects.afterwards += (begin,)
        turn.fired()
