"""Before a sweep: does the program do the same twice? Compares two runs without faults; no verdict depends on it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnx_mock.services import operations
from cnx_mock.sweep.state import KINDS, WorldStates, resources, varying_values
from cnx_mock.text.plural import counted

Entry = Mapping[str, Any]
"""A request as `GET /_mock/requests` answers it."""

VARIES = re.compile(
    r"(?P<kind>inst|snap|fw|lb|key|acct|req)_[0-9a-f]{16}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:\.[0-9]+)?(?:Z|[+-][0-9:]{5})?"
)
"""Ids and times, which differ from run to run."""


def changed_calls(one: Sequence[Entry], two: Sequence[Entry]) -> Iterator[str]:
    """Yield a line for each operation that two runs call differently. Order, ids and times are not compared."""
    for name, title in _titles([*one, *two]).items():
        left, right = ([_content(each) for each in run if _name(each) == name] for run in (one, two))
        if len(left) != len(right):
            yield f"{title} was called {_times(len(left))}, then {_times(len(right))}"
        elif Counter(left) != Counter(right):
            yield f"{title} #{_first(left, right)} was sent with a different {_part(left, right)}"


def changed_state(one: WorldStates, two: WorldStates) -> Iterator[str]:
    """Yield a line for each field, and for each kind of resource, in which the states after two runs differ."""
    for kind, key in sorted(varying_values(one, two).fields()):
        yield f"the {key.replace('_', ' ')} of the {kind.replace('_', ' ')} that are left"
    for kind in KINDS:
        left, right = (sum(each.kind == kind for each in resources(states)) for states in (one, two))
        if left != right:
            yield f"{counted(left, KINDS[kind].words)} {'was' if left == 1 else 'were'} left, then {right}"


def _name(entry: Entry) -> str:
    return str(entry["operation"] or entry["path"])


def _titles(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the method and path of each operation by its name."""
    paths = {operation.name: operation.path for operation in operations()}
    return {_name(each): f"{each['method']} {paths.get(each['operation'], each['path'])}" for each in entries}


def _content(entry: Entry) -> tuple[str, str]:
    """Return the address and the body of a request without ids and times."""
    address = f"{entry['path']}?{entry['query']}"
    return VARIES.sub("…", address), VARIES.sub("…", entry["request_body"] or "")


def _first(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> int:
    """Return the number, from 1, of the first call of the second run that the first run did not make as often."""
    return next((i for i, each in enumerate(right, 1) if right.count(each) != left.count(each)), 1)


def _part(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> str:
    return "address" if Counter(a for a, _ in left) != Counter(a for a, _ in right) else "body"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
