"""Used what is about to go."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.logical_calls import Traffic


class DeprecatedCall(Check):
    """`deprecated-call`."""

    code: ClassVar[str] = "deprecated-call"
    title: ClassVar[str] = "used a deprecated call"
    why: ClassVar[str] = (
        "It will be gone in a version to come, and then this client breaks on a day that it did not choose."
    )
    fix: ClassVar[str] = "Use its successor, which the answer's Link header names, and log every Deprecation header."

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every endpoint."""
        used: dict[str, list[Call]] = {}
        for call in traffic.calls:
            announced = {"deprecation", "sunset"} & call.response_headers.keys()
            if announced or (call.operation is not None and call.operation.deprecated):
                what = call.operation.path if call.operation else call.path
                used.setdefault(f"{call.method} {what}", []).append(call)
        for endpoint, calls in used.items():
            yield Seen(f"{named(calls)} used {endpoint}, which is deprecated", calls)
