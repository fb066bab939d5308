"""Only the first page of a list was read, although there are more."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from cnx_mock.api.parsing import query_values
from cnx_mock.audit.call import Call
from cnx_mock.audit.check import Check, Hit
from cnx_mock.audit.logical_calls import Traffic

_NEXT = re.compile(r';\s*rel="?next"?')


class FirstPageOnly(Check):
    """`first-page-only`."""

    code: ClassVar[str] = "first-page-only"
    title: ClassVar[str] = "read only the first page of several"
    why: ClassVar[str] = (
        "Every list has pages, of 20 resources unless the request says otherwise. This client does not see the "
        "resources on the other pages: it never finds them, never deletes them, and creates them twice."
    )
    fix: ClassVar[str] = (
        'Follow Link: rel="next", or count `page` up to `pagination.total_pages`; `limit=100` needs fewer calls.'
    )

    def run(self, traffic: Traffic) -> Iterator[Hit]:
        """Yield one hit for each list."""
        first: dict[object, Call] = {}
        read_on: set[object] = set()
        uses = _Uses(traffic.calls)
        for call in traffic.calls:
            uses.see(call)
            which = _list(call)
            if which is None:
                continue
            if _page(call) > 1 or (call.succeeded and not _more(call)):
                read_on.add(which)
            elif call.succeeded and not _only_counts(call) and not uses.found(call):
                first.setdefault(which, call)
        for which, call in first.items():
            if which not in read_on:
                message = f"#{call.seq} {call} shows page 1 of {_pages(call)}, and no other page was requested"
                yield Hit(message, [call])


class _Uses:
    """What a client tried to create before a list, and which resources it used after it."""

    def __init__(self, calls: Iterable[Call]) -> None:
        own = [call for call in calls if call.params]
        self._used = {call.params[0]: call.began for call in own}
        self._changed = {call.params[0]: call.began for call in own if call.method != "GET"}
        self._wanted: dict[int, set[object]] = {}

    def see(self, call: Call) -> None:
        """Remember the name of a resource that a call tries to create. Calls come in order."""
        if call.creates and call.operation is not None and isinstance(call.sent, dict):
            name = call.sent.get("name")
            if isinstance(name, str):
                self._wanted.setdefault(id(call.operation.resource), set()).add(name)

    def found(self, call: Call) -> bool:
        """Return whether a list has what the client probably looked for: a resource that it had tried to create, or the
        single resource of the list that it used afterwards. A client that then changes or deletes half of the list or
        more has not looked for one resource."""
        changed = sum(self._changed.get(item["id"], 0) > call.began for item in call.items)
        if changed > 1 and 2 * changed >= len(call.items):
            return False
        wanted = self._wanted.get(id(call.operation.resource), set()) if call.operation else set()
        if any(item.get("name") in wanted for item in call.items if isinstance(item.get("name"), str)):
            return True
        return sum(self._used.get(item["id"], 0) > call.began for item in call.items) == 1


def _list(call: Call) -> object | None:
    """Return what identifies the list that a call reads, without the page; None if it does not read a list."""
    if call.method != "GET" or call.operation is None or not call.operation.pages:
        return None
    values = query_values(call.query)
    return call.path, tuple((name, tuple(values[name])) for name in sorted(values) if name not in ("page", "limit"))


def _page(call: Call) -> int:
    given = query_values(call.query).get("page", ["1"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 1


def _only_counts(call: Call) -> bool:
    """Return whether a call only asks if there is a resource, or how many there are."""
    return query_values(call.query).get("limit") == ["1"]


def _counts(call: Call) -> dict[str, Any]:
    shown = call.shown if isinstance(call.shown, dict) else {}
    within = shown.get("pagination")
    return within if isinstance(within, dict) else shown


def _total(call: Call) -> int:
    """Return how many pages there are, by the answer; 0 if it does not say."""
    counts = _counts(call)
    total = counts.get("total_pages", counts.get("pages", 0))
    return total if isinstance(total, int) else 0


def _more(call: Call) -> bool:
    """Return whether the answer says that there are more pages, in any of the API's list formats."""
    return bool(_NEXT.search(call.response_headers.get("link", ""))) or _total(call) > 1


def _pages(call: Call) -> str:
    return str(_total(call) or "several")
