"""A create was sent again, although the first one may have happened, and the client did not check."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.check import Check, Hit, named, outcome
from cnx_mock.audit.logical_calls import Traffic, looked_for


class BlindCreate(Check):
    """`blind-create`."""

    code: ClassVar[str] = "blind-create"
    title: ClassVar[str] = "blind retry of a create that may have happened"
    why: ClassVar[str] = (
        "A create without a readable answer may have happened. Sending it again creates a second resource, which runs "
        "and costs money until somebody finds it. The API promises no idempotency: an Idempotency-Key changes nothing."
    )
    fix: ClassVar[str] = (
        "After such an answer, list the resources and look for the one that you wanted. Create it again only if it is "
        "not there."
    )
    by_worker: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each logical call."""
        for logical in traffic.logical:
            blind = [
                (one, two)
                for one, two, _ in logical.retries
                if one.creates and one.outcome_unknown and not looked_for(traffic.calls, one, two)
            ]
            if blind:
                one, again = blind[0][0], [two for _, two in blind]
                made = [call for call in logical.attempts if call.committed]
                result = f"; {named(made)} each created a resource" if len(made) > 1 else ""
                yield Hit(
                    f"#{one.seq} {one} got {outcome(one)}, and {named(again)} sent it again without checking whether "
                    f"it had happened{result}",
                    [one, *again],
                )
