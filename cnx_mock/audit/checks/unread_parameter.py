"""Parameters or fields were sent that the API does not read."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.api.parsing import query_values
from cnx_mock.api.synonyms import meant
from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.text.suggestions import one_of

_LONGEST = 100
"""Characters of a name, with its suggestion, that a message shows."""


class UnreadParameter(Check):
    """`unread-parameter`."""

    code: ClassVar[str] = "unread-parameter"
    title: ClassVar[str] = "sent parameters that nothing reads"
    why: ClassVar[str] = (
        "The API ignores names that it does not know. So a filter with a wrong name does not filter, and a field with "
        "a wrong name is not set."
    )
    fix: ClassVar[str] = "Correct the name, or leave it out; the reference and `/openapi.json` list all names."

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each operation and set of names. Refused requests are left out: their answer says it."""
        found: dict[tuple[str, ...], list[Call]] = {}
        for call in traffic.calls:
            unread = _unread(call) if call.succeeded_by_status else []
            if unread:
                found.setdefault((str(call.operation and call.operation.name), *unread), []).append(call)
        for (operation, *unread), calls in found.items():
            yield Hit(f"{named(calls)} sent names that {operation} does not read: {one_of(unread)}", calls)


def _unread(call: Call) -> list[str]:
    """Return the names that the operation does not read, each with the name that may have been meant."""
    if call.operation is None:
        return []
    queries = call.operation.query.model_fields if call.operation.query else {}
    fields = call.operation.body.model_fields if call.operation.body else {}
    body = call.sent if isinstance(call.sent, dict) and call.operation.mutates else {}
    unread = [f"?{name}{meant(name, queries)}" for name in query_values(call.query) if name not in queries]
    unread += [f"{name}{meant(name, fields)}" for name in body if name not in fields]
    return [each[:_LONGEST] for each in unread]
