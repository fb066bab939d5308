"""A retried delete got a 404, and the client took it for a failure."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Hit, outcome
from cnx_mock.audit.logical_calls import LogicalCall, Traffic


class Delete404(Check):
    """`delete-404`."""

    code: ClassVar[str] = "delete-404"
    title: ClassVar[str] = "treated the 404 of a retried delete as a failure"
    why: ClassVar[str] = (
        "A delete without a readable answer may have happened. If the next attempt gets a 404, it has: the resource is "
        "gone, as it should be. A client that stops there does not do the rest of its work."
    )
    fix: ClassVar[str] = "Treat a 404 as success if an earlier attempt at the same delete may have happened."
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each such delete, if the client is known to have failed, and nothing else went wrong."""
        if not traffic.failed:
            return
        unsuccessful = [each for each in traffic.logical if not each.last.succeeded]
        gone = [each for each in unsuccessful if _gone(each)]
        for logical in gone if len(gone) == len(unsuccessful) else []:
            one, two = logical.attempts[-2:]
            yield Hit(
                f"#{one.seq} {one} got {outcome(one)}, #{two.seq} got a 404 because the delete had worked, "
                "and the client failed",
                [one, two],
            )


def _gone(logical: LogicalCall) -> bool:
    """Return whether the last attempt at a delete got a 404 after one that may have happened."""
    if logical.first.method != "DELETE" or logical.last.status != 404:
        return False
    return any(each.outcome_unknown for each in logical.attempts[:-1])
