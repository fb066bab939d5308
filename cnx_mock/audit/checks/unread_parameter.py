"""Sent parameters that nothing reads."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.api.parsing import query_values
from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.text.suggestions import did_you_mean, one_of


class UnreadParameter(Check):
    """`unread-parameter`."""

    code: ClassVar[str] = "unread-parameter"
    title: ClassVar[str] = "sent parameters that nothing reads"
    why: ClassVar[str] = (
        "The API ignores what it does not know and answers as if it had not been said: a filter that does not filter, "
        "a field that is never set."
    )
    fix: ClassVar[str] = "Correct the name, or leave it out; the reference and `/openapi.json` list what is read."

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every operation and set of names. What was refused, the client has been told of."""
        found: dict[tuple[str, ...], list[Call]] = {}
        for call in traffic.calls:
            unread = _unread(call) if call.succeeded_by_status else []
            if unread:
                found.setdefault((str(call.operation and call.operation.name), *unread), []).append(call)
        for (operation, *unread), calls in found.items():
            yield Seen(f"{named(calls)} gave {operation} what it does not read: {one_of(unread)}", calls)


def _unread(call: Call) -> list[str]:
    """The names of what it sent for nothing, each with the one that may have been meant."""
    if call.operation is None:
        return []
    queries = call.operation.query.model_fields if call.operation.query else {}
    fields = call.operation.body.model_fields if call.operation.body else {}
    body = call.sent if isinstance(call.sent, dict) and call.operation.mutates else {}
    unread = [f"?{name}{did_you_mean(name, queries)}" for name in query_values(call.query) if name not in queries]
    return [
        each[:100] for each in unread + [f"{name}{did_you_mean(name, fields)}" for name in body if name not in fields]
    ]
