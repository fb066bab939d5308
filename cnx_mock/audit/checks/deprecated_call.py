"""A deprecated endpoint was used."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import Traffic


class DeprecatedCall(Check):
    """`deprecated-call`."""

    code: ClassVar[str] = "deprecated-call"
    title: ClassVar[str] = "used a deprecated call"
    why: ClassVar[str] = "A future version of the API will not have it, and then this client breaks without warning."
    fix: ClassVar[str] = "Use its successor, which the answer's Link header names, and log every Deprecation header."

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each endpoint."""
        used: dict[str, list[Call]] = {}
        for call in traffic.calls:
            announced = {"deprecation", "sunset"} & call.response_headers.keys()
            if announced or (call.operation is not None and call.operation.deprecated):
                path = call.operation.path if call.operation else call.path
                used.setdefault(f"{call.method} {path}", []).append(call)
        for endpoint, calls in used.items():
            yield Hit(f"{named(calls)} used {endpoint}, which is deprecated", calls)
