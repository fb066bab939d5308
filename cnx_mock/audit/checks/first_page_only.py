"""Took the first page of a list for all of it."""

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from cnx_mock.api.parsing import query_values
from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Seen
from cnx_mock.audit.logical_calls import Traffic

_NEXT = re.compile(r';\s*rel="?next"?')


class FirstPageOnly(Check):
    """`first-page-only`."""

    code: ClassVar[str] = "first-page-only"
    title: ClassVar[str] = "read only the first page of several"
    why: ClassVar[str] = (
        "Every list comes in pages, of 20 unless asked otherwise. What stands on the others does not exist for this "
        "client: it is never found, never cleaned up, created twice."
    )
    fix: ClassVar[str] = (
        'Follow Link: rel="next", or count `page` up to `pagination.total_pages`; `limit=100` needs fewer calls.'
    )

    def look(self, traffic: Traffic) -> Iterator[Seen]:
        """One finding for every list."""
        first: dict[object, Call] = {}
        read_on: set[object] = set()
        for call in traffic.calls:
            which = _list(call)
            if which is None:
                continue
            if _page(call) > 1 or (call.succeeded and not _more(call)):
                read_on.add(which)
            elif call.succeeded and not _peek(call) and not _found(call, traffic):
                first.setdefault(which, call)
        for which, call in first.items():
            if which not in read_on:
                yield Seen(f"#{call.seq} {call} shows page 1 of {_pages(call)}, and nobody asked for another", [call])


def _list(call: Call) -> object | None:
    """Which list is read, the page aside; None for anything else."""
    if call.method != "GET" or call.operation is None or not call.operation.pages:
        return None
    values = query_values(call.query)
    return call.path, tuple((name, tuple(values[name])) for name in sorted(values) if name not in ("page", "limit"))


def _page(call: Call) -> int:
    given = query_values(call.query).get("page", ["1"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 1


def _peek(call: Call) -> bool:
    """Whether it wanted no more than to see that there is something, or how many."""
    return query_values(call.query).get("limit") == ["1"]


def _counts(call: Call) -> dict[str, Any]:
    shown = call.shown if isinstance(call.shown, dict) else {}
    within = shown.get("pagination")
    return within if isinstance(within, dict) else shown


def _total(call: Call) -> int:
    """How many pages its answer says there are; 0 where it does not say."""
    counts = _counts(call)
    total = counts.get("total_pages", counts.get("pages", 0))
    return total if isinstance(total, int) else 0


def _more(call: Call) -> bool:
    """Whether its answer says that there are more pages, whatever the envelope."""
    return bool(_NEXT.search(call.response_headers.get("link", ""))) or _total(call) > 1


def _pages(call: Call) -> str:
    return str(_total(call) or "several")


def _found(call: Call, traffic: Traffic) -> bool:
    """Whether the client has found on this page what it can have been looking for: what it had tried to create, or the
    one resource of the page that it turned to afterwards."""
    wanted = {
        each.sent.get("name")
        for each in traffic.calls
        if each.makes and each.began < call.began and isinstance(each.sent, dict) and _same_kind(each, call)
    }
    if any(item.get("name") in wanted for item in call.items):
        return True
    shown = {item["id"] for item in call.items}
    turned = {each.params[0] for each in traffic.calls if each.began > call.began and each.params}
    return len(shown & turned) == 1


def _same_kind(one: Call, two: Call) -> bool:
    return one.operation is not None and two.operation is not None and one.operation.resource is two.operation.resource
