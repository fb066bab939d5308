"""The client gave up after one temporary error. This check runs only if it is asked for by name: a client may leave
retries to its caller."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, outcome
from cnx_mock.audit.logical_calls import Traffic


class GaveUp(Check):
    """`gave-up`."""

    code: ClassVar[str] = "gave-up"
    title: ClassVar[str] = "gave up after one retryable error"
    why: ClassVar[str] = (
        "Such errors end within seconds. A client that does not retry turns each of them into a failure."
    )
    fix: ClassVar[str] = (
        "Retry a few times, with random waits that grow; retry a create only after checking whether it has happened."
    )
    on_request: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call."""
        for logical in traffic.logical:
            call = logical.first
            if len(logical.attempts) == 1 and _temporary(call) and not (call.creates and _checked(traffic, call)):
                yield Hit(f"#{call.seq} {call} got {outcome(call)} and was not retried", [call])


def _temporary(call: Call) -> bool:
    if call.status is None:
        return call.ended is not None
    return call.status in (408, 425, 429) or (call.status >= 500 and call.status != 501) or call.unreadable


def _checked(traffic: Traffic, create: Call) -> bool:
    """Return whether the client listed the resources of that kind after a create: it may have found its resource."""
    later = (call for call in traffic.calls if (call.began, call.seq) > (create.began, create.seq))
    return any(call.succeeded and call.lists_what(create) for call in later)
