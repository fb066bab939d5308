"""Sent a key of the real cloud to a mock."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.logical_calls import Traffic


class LiveKey(Check):
    """`live-key`."""

    code: ClassVar[str] = "live-key"
    title: ClassVar[str] = "sent a live key"
    why: ClassVar[str] = (
        "A cnx_live_ key opens the real account and spends real money. It has no business in a test, and whatever it "
        "was sent to, logged or not, has seen it."
    )
    fix: ClassVar[str] = (
        "Use a cnx_test_ key in tests, take the live one out of their environment, and replace it at the cloud."
    )

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for all."""
        calls = [call for call in traffic.calls if _live(call)]
        if calls:
            yield Seen(f"{named(calls)} carried a live key", calls)


def _live(call: Call) -> bool:
    """Whether there was one, in the header where keys stand or anywhere else; all that is kept is that there was."""
    texts = (call.path, call.query, call.request_body or "", *call.request_headers.values())
    return call.request_headers.get("authorization") == "live" or any("cnx_live_" in each.lower() for each in texts)
