"""Gave up after one error that would have passed. Asked for only by name: a client may leave retrying to its caller."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, outcome
from cnx_mock.audit.logical_calls import Traffic


class GaveUp(Check):
    """`gave-up`."""

    code: ClassVar[str] = "gave-up"
    title: ClassVar[str] = "gave up after one retryable error"
    why: ClassVar[str] = (
        "Such errors pass within seconds. A client that does not try again turns each of them into a failure."
    )
    fix: ClassVar[str] = (
        "Try again a few times, with growing random waits; a create only after a look whether it has happened."
    )
    on_request: ClassVar[bool] = True

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every logical call."""
        for logical in traffic.logical:
            call = logical.first
            if len(logical.attempts) == 1 and _passes(call) and not (call.makes and _looked_after(traffic, call)):
                yield Seen(f"#{call.seq} {call} had {outcome(call)}, and was not tried again", [call])


def _passes(call: Call) -> bool:
    if call.status is None:
        return call.ended is not None
    return call.status in (408, 425, 429) or (call.status >= 500 and call.status != 501) or call.spoilt


def _looked_after(traffic: Traffic, create: Call) -> bool:
    """Whether the client listed what there is behind a create: it may have found it there."""
    return any(
        (call.began, call.seq) > (create.began, create.seq)
        and call.succeeded
        and call.operation is not None
        and create.operation is not None
        and call.operation.pages
        and call.operation.resource is create.operation.resource
        for call in traffic.calls
    )
