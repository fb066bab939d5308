"""A key of the real cloud was sent to the mock."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.text.live_keys import has_live_key


class LiveKey(Check):
    """`live-key`."""

    code: ClassVar[str] = "live-key"
    title: ClassVar[str] = "sent a live key"
    why: ClassVar[str] = (
        "A cnx_live_ key opens the real account and spends real money. A test must not have it, and every server that "
        "it was sent to has seen it."
    )
    fix: ClassVar[str] = (
        "Use a cnx_test_ key in tests, remove the live one from their environment, and replace it in the real account."
    )

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for all requests."""
        calls = [call for call in traffic.calls if _has_live_key(call)]
        if calls:
            yield Hit(f"{named(calls)} carried a live key", calls)


def _has_live_key(call: Call) -> bool:
    """Return whether a request had a live key, in the Authorization header or anywhere else. A journal keeps no live
    key, only the word that there was one."""
    texts = (call.path, call.query, call.request_body or "", *call.request_headers.values())
    return call.request_headers.get("authorization") == "live" or any(map(has_live_key, texts))
