"""Sent again what had been refused for what it is."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named, outcome
from cnx_mock.audit.logical_calls import Traffic, between

_PASSING = ("INVALID_STATE", "REGION_UNAVAILABLE")
"""Refusals that pass by themselves."""


class FutileRetry(Check):
    """`futile-retry`."""

    code: ClassVar[str] = "futile-retry"
    title: ClassVar[str] = "retried what cannot succeed"
    why: ClassVar[str] = "A 4xx says that the request is wrong. The same request again is the same answer again, later."
    fix: ClassVar[str] = "Retry only 429, 5xx and lost answers; hand any other 4xx to whoever can change the request."

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every logical call."""
        made = {item["id"] for call in traffic.calls if call.committed for item in call.items}
        for logical in traffic.logical:
            futile = [(one, two) for one, two, _ in logical.retries if _stays(one, two, traffic, made)]
            if futile:
                first, again = futile[0][0], [two for _, two in futile]
                yield Seen(
                    f"#{first.seq} {first} was {outcome(first)}, and {named(again)} sent it again unchanged",
                    [first, *again],
                )


def _stays(one: Call, two: Call, traffic: Traffic, made: set[str]) -> bool:
    """Whether a refusal was to stay: it does not pass by itself, the answer does not say when to come again, what is
    missing was not just made (a list may lag), and nothing has changed meanwhile."""
    if not one.refused or one.code in _PASSING or one.retry_after is not None:
        return False
    if one.status == 404 and one.method == "GET" and not made.isdisjoint(one.params):
        return False
    return not any(call.committed for call in between(traffic.calls, one, two))
