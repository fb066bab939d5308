"""Created again without a look whether the first time had happened."""

from collections.abc import Iterator
from typing import ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named, outcome
from cnx_mock.audit.logical_calls import Traffic, between


class BlindCreate(Check):
    """`blind-create`."""

    code: ClassVar[str] = "blind-create"
    title: ClassVar[str] = "blind retry of a create whose fate was unknown"
    why: ClassVar[str] = (
        "A create without a readable answer may have happened. Sent again it makes a second one, which runs and costs "
        "until somebody finds it. The reference promises no idempotency: an Idempotency-Key changes nothing."
    )
    fix: ClassVar[str] = (
        "After such an answer list what there is, look for the one that was meant, and create only if it is not there."
    )

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every logical call."""
        for logical in traffic.logical:
            blind = [
                (one, two)
                for one, two, _ in logical.retries
                if one.makes and one.fate_unknown and not _looked(traffic, one, two)
            ]
            if blind:
                one, again = blind[0][0], [two for _, two in blind]
                made = [call for call in logical.attempts if call.committed]
                truth = f"; {named(made)} have each made one" if len(made) > 1 else ""
                yield Seen(
                    f"#{one.seq} {one} had {outcome(one)}, and {named(again)} sent it again without a look at what "
                    f"there was{truth}",
                    [one, *again],
                )


def _looked(traffic: Traffic, one: Call, two: Call) -> bool:
    """Whether a list of what is made was read in between."""
    return any(
        call.succeeded
        and call.operation is not None
        and one.operation is not None
        and call.operation.pages
        and call.operation.resource is one.operation.resource
        for call in between(traffic.calls, one, two)
    )
