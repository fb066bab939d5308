"""Resources were created and not deleted. This check runs only if it is asked for by name: most resources are created
to stay."""

from collections.abc import Iterator
from typing import Any, ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.services.prices import monthly_cents
from cnx_mock.text.units import format_money


class LeftBehind(Check):
    """`left-behind`."""

    code: ClassVar[str] = "left-behind"
    title: ClassVar[str] = "left resources behind"
    why: ClassVar[str] = (
        "A resource that is not deleted costs money every hour, even long after the program that created it has ended."
    )
    fix: ClassVar[str] = (
        "Delete in `finally` what the program created, so that a failure does not keep it; tag resources, so that they "
        "can be found."
    )
    on_request: ClassVar[bool] = True

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for all resources."""
        creates = [call for call in traffic.calls if call.creates and call.committed]
        deleted = {
            call.params[0] for call in traffic.calls if call.committed and call.method == "DELETE" and call.params
        }
        known = {call: _id(call) for call in creates}
        others = deleted - set(known.values())  # resources whose create had no readable answer: found, and deleted
        left = []
        for call, created in known.items():
            if created is None and others:
                others.pop()
            elif created not in deleted:
                left.append(call)
        if left:
            yield Hit(_message(left), left)


def _message(left: list[Call]) -> str:
    cost = format_money(sum(_monthly_cents(call) for call in left))
    if len(left) == 1:
        return f"the resource that {named(left)} created still exists and costs {cost} a month"
    return f"the resources that {named(left)} created still exist and cost {cost} a month"


def _id(call: Call) -> str | None:
    return call.items[0]["id"] if call.items and call.succeeded else None


def _monthly_cents(call: Call) -> int:
    """Return the price of a month of what a call created, in cents."""
    sent: dict[str, Any] = call.sent if isinstance(call.sent, dict) else {}
    return monthly_cents(call.operation.resource.name if call.operation else "", sent)
