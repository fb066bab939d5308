"""A request was sent again unchanged, although the API had refused it for its content."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, named, outcome
from cnx_mock.audit.logical_calls import Traffic, between

_TEMPORARY = ("INVALID_STATE", "REGION_UNAVAILABLE")
"""The codes of refusals that end without a change to the request."""
_DECIDING = ("authorization", "content-type", "content-encoding", "accept")
"""The headers that decide how a request is answered: who asks, what it sends, and what it can read."""


class FutileRetry(Check):
    """`futile-retry`."""

    code: ClassVar[str] = "futile-retry"
    title: ClassVar[str] = "retried what cannot succeed"
    why: ClassVar[str] = "A 4xx says that the request is wrong. The same request gets the same answer again."
    fix: ClassVar[str] = (
        "Retry only after a 429, a 5xx or a lost answer; report any other 4xx to the code that can change the request."
    )
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call."""
        made = {item["id"] for call in traffic.calls if call.committed for item in call.items}
        for logical in traffic.logical:
            futile = [(one, two) for one, two, _ in logical.retries if _permanent(one, two, traffic, made)]
            if futile:
                first, again = futile[0][0], [two for _, two in futile]
                yield Hit(
                    f"#{first.seq} {first} got {outcome(first)}, and {named(again)} sent it again unchanged",
                    [first, *again],
                )


def _unchanged(one: Call, two: Call) -> bool:
    """Return whether two calls of the same request also have the same headers, as far as an answer depends on them."""
    return all(one.request_headers.get(name) == two.request_headers.get(name) for name in _DECIDING)


def _permanent(one: Call, two: Call, traffic: Traffic, made: set[str]) -> bool:
    """Return whether a refusal could not end before the second call. It could if it is a temporary one, or if the
    answer has a Retry-After; if the client created the missing resource before (a read may lag behind); or if the
    account changed in between."""
    if not one.refused or one.code in _TEMPORARY or one.retry_after is not None or not _unchanged(one, two):
        return False
    if one.status == 404 and one.method == "GET" and not made.isdisjoint(one.params):
        return False
    return not any(call.committed for call in between(traffic.calls, one, two))
