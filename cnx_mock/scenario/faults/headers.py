"""Changed headers: an answer that describes itself wrongly."""

import re
from functools import partial
from typing import Annotated, ClassVar

from cnx_mock.api.declarations import BeforeValidator, WithJsonSchema, model_validator
from cnx_mock.api.validation import Declared
from cnx_mock.scenario.exchange import Exchange
from cnx_mock.scenario.fault import Fault, Turn
from cnx_mock.scenario.field_types import header_name
from cnx_mock.scenario.own_text import text_of
from cnx_mock.scenario.request import RawHeaders

_VALUE = re.compile(r"(?:[!-~](?:[ \t!-~]*[!-~])?)?")
_FRAMING = ("content-length", "transfer-encoding")


def _name(name: object) -> str:
    name = header_name(name)
    if name.lower() in _FRAMING:
        raise ValueError(
            "frames the body and cannot be changed: use body: {truncate: 0.5} or connection: malformed_chunk"
        )
    return name


def _value(value: object) -> str:
    if value is None:
        raise ValueError('is null: write "" for an empty value, or put the name into remove')
    text = None if isinstance(value, list | dict) else text_of(value)
    if text is None or not _VALUE.fullmatch(text):
        raise ValueError("must be printable ASCII in one line")
    return text


def _listed(value: object) -> object:
    if not isinstance(value, list):
        raise ValueError("must be an array of header names: [X-RateLimit-Reset]")
    return value


_Name = Annotated[str, BeforeValidator(_name)]
_Value = Annotated[str, BeforeValidator(_value), WithJsonSchema({"type": ["string", "number", "boolean"]})]


class Changes(Declared):
    """Which headers are changed; the case of their names does not matter."""

    set: dict[_Name, _Value] = {}
    """Headers to add, or to send in place of the default ones. A value is the text that is written: `1.10` is not
    `1.1`."""
    remove: Annotated[list[_Name], BeforeValidator(_listed)] = []
    """Headers to leave out."""

    @model_validator(mode="after")
    def _something(self) -> "Changes":
        if not self.set and not self.remove:
            raise ValueError("needs set or remove: {set: {Content-Type: text/html}, remove: [X-RateLimit-Reset]}")
        return self


class Headers(Fault):
    """`headers: {set: {Retry-After: "7"}, remove: [Date]}`."""

    key: ClassVar[str] = "headers"
    headers: Changes
    """Can change every header of the answer, including those of the rate limit and of CORS."""

    def label(self) -> str:
        return f"headers={' '.join([*self.headers.set, *(f'-{name}' for name in self.headers.remove)])}"

    async def apply(self, exchange: Exchange, turn: Turn) -> None:
        """Change the headers of the answer, whichever it will be. Of several rules the first wins. It counts as applied
        once they differ."""
        first = exchange.effects.change_headers is None
        if first:
            exchange.effects.change_headers = partial(self._change, turn)
        await turn.proceed()
        if not first:
            turn.spared("an earlier rule changes the headers")
        elif exchange.effects.connection_fault:
            turn.spared("no headers are sent")

    def _change(self, turn: Turn, headers: RawHeaders) -> RawHeaders:
        """Return the headers to send. Only here, with all of them, is it known whether the fault has an effect."""
        changed = self.changed(headers)
        if sorted(changed) != sorted(headers):
            turn.fired()
        elif self.headers.set:
            turn.spared("the answer has these headers already")
        else:
            turn.spared(f"the answer has no {' and no '.join(self.headers.remove)}")
        return changed

    def changed(self, headers: RawHeaders) -> RawHeaders:
        """Return the headers to send."""
        added = [(name.lower().encode(), value.encode()) for name, value in self.headers.set.items()]
        gone = {name for name, _ in added} | {name.lower().encode() for name in self.headers.remove}
        return [*(each for each in headers if each[0] not in gone), *added]
