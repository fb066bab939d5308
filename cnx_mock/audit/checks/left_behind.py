"""Made what it did not delete. Asked for only by name: most of what is made is made to stay."""

from collections.abc import Iterator
from typing import Any, ClassVar

from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen, named
from cnx_mock.audit.logical_calls import Traffic
from cnx_mock.services.network import REGION_HOURLY_CENTS
from cnx_mock.text.units import format_money
from cnx_mock.world.catalogue import Catalogue

_HOURS = 730
"""Hours in a month: 8,760 a year, over twelve."""


class LeftBehind(Check):
    """`left-behind`."""

    code: ClassVar[str] = "left-behind"
    title: ClassVar[str] = "left resources behind"
    why: ClassVar[str] = (
        "What nobody deletes is paid for by the hour, also when the program that made it has long ended."
    )
    fix: ClassVar[str] = (
        "Delete what was made, in `finally`, also on the way out of a failure; tag it, so that it can be found."
    )
    on_request: ClassVar[bool] = True

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for all."""
        creates = [call for call in traffic.calls if call.makes and call.committed]
        deleted = {
            call.params[0] for call in traffic.calls if call.committed and call.method == "DELETE" and call.params
        }
        known = {call: _id(call) for call in creates}
        strangers = deleted - set(known.values())  # of what was made without the client hearing its id
        left = []
        for call, made in known.items():
            if made is None and strangers:
                strangers.pop()
            elif made not in deleted:
                left.append(call)
        if left:
            cost = sum(_monthly(call) for call in left)
            many = "is" if len(left) == 1 else "are"
            yield Seen(f"what {named(left)} made {many} still there, and costs {format_money(cost)} a month", left)


def _id(call: Call) -> str | None:
    return call.items[0]["id"] if call.items and call.succeeded else None


def _monthly(call: Call) -> int:
    """Cents for a month of what it made: an instance by its plan, a load balancer by its regions; the rest is free."""
    sent: dict[str, Any] = call.sent if isinstance(call.sent, dict) else {}
    name = call.operation.resource.name if call.operation else ""
    if name == "load_balancers":
        return _HOURS * REGION_HOURLY_CENTS * len(sent.get("regions", ()))
    plan = Catalogue().plans.get(str(sent.get("plan"))) if name == "instances" else None
    return _HOURS * plan.hourly_cents if plan else 0
