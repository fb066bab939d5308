"""A call was retried without its body."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, outcome
from cnx_mock.audit.logical_calls import RETRY_WITHIN, Traffic


class EmptyRetry(Check):
    """`empty-retry`."""

    code: ClassVar[str] = "empty-retry"
    title: ClassVar[str] = "retried without the body"
    why: ClassVar[str] = (
        "A body that is read from a stream is gone after the first attempt. The second one is refused, or does what "
        "the caller did not want."
    )
    fix: ClassVar[str] = "Keep the body as bytes, or go back to its beginning, before every attempt."

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each call without its body. It follows a failed attempt at the same method, path and
        parameters that had one."""
        failed: dict[tuple[str, str, str], Call] = {}
        for call in traffic.calls:
            if call.operation is None or call.operation.body is None:
                continue
            target = (call.method, call.path, call.query)
            before = failed.pop(target, None)
            if call.request_body and call.request_body.strip():
                if not call.succeeded and not call.refused:
                    failed[target] = call
            elif before and call.began - (before.ended or before.began) <= traffic.limits[RETRY_WITHIN.name]:
                yield Hit(
                    f"#{before.seq} {before} got {outcome(before)}, and #{call.seq} sent it again without its body",
                    [before, call],
                )
