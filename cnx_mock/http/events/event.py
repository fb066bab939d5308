"""One event, and the bytes of it that a client reads."""

from collections.abc import Mapping
from typing import Any, Literal

import orjson

from cnx_mock.api.shapes import Shape
from cnx_mock.http.journal import JournalRecord
from cnx_mock.http.journal_entry import entry
from cnx_mock.text.live_keys import masked_json

EventKind = Literal["server", "request", "fired", "phase", "clock", "account", "resource", "reset", "lost"]

Loss = Literal["behind", "evicted", "restarted"]
"""Why events are missing: the listener was too slow, the journals do not have them any more, or they are an earlier
process's."""


class StreamEvent:
    """One event. Its bytes are made when the first listener is sent it, and shared."""

    __slots__ = ("_bytes", "_data", "kind", "number", "size")

    def __init__(self, number: int, kind: EventKind, data: bytes, size: int) -> None:
        """`data` is the JSON; `size` is about how many bytes a queue holds because of the event."""
        self.number = number
        self.kind = kind
        self.size = size
        self._data = data
        self._bytes: bytes | None = None

    def encoded(self) -> bytes:
        """Return it as a server-sent event (WHATWG HTML, section 9.2)."""
        if self._bytes is None:
            data = masked_json(self._json())
            self._bytes = b"id: %d\nevent: %b\ndata: %b\n\n" % (self.number, self.kind.encode(), data)
        return self._bytes

    def _json(self) -> bytes:
        return self._data


class RequestEvent(StreamEvent):
    """The event of a completed request, which does not change any more. It costs next to nothing to make."""

    __slots__ = ("_record", "_sandbox")

    kind = "request"

    def __init__(self, sandbox: str | None, record: JournalRecord) -> None:
        """The record has the event's number."""
        self.number = record.event
        self.size = record.size
        self._bytes = None
        self._sandbox = sandbox
        self._record = record

    def _json(self) -> bytes:
        return orjson.dumps({"sandbox": self._sandbox, "request": entry(self._record)})


def stream_event(number: int, kind: EventKind, sandbox: str | None, fields: Mapping[str, Any]) -> StreamEvent:
    """Return an event whose fields are encoded now, because what they show may change."""
    shown = {name: orjson.Fragment(each.json()) if isinstance(each, Shape) else each for name, each in fields.items()}
    data = orjson.dumps({"sandbox": sandbox, **shown})
    return StreamEvent(number, kind, data, len(data))


def server_event(number: int, server: str) -> StreamEvent:
    """Return the event that says which server sends the events, after the event with this number."""
    return stream_event(number, "server", None, {"server": server})


def lost_event(number: int, count: int | None, reason: Loss) -> StreamEvent:
    """Return the event that says how many events are missing; None if it is not known how many."""
    return stream_event(number, "lost", None, {"count": count, "reason": reason})
