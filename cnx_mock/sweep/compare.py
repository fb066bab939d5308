"""Two runs of the same: do they make the same calls, and leave the same?"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cnx_mock.services import operations
from cnx_mock.sweep.state import KINDS, WorldStates, count_resources, varying_fields

Entry = Mapping[str, Any]
"""A request as `GET /_mock/requests` shows it."""

_VARIES = re.compile(
    r"(?:inst|snap|fw|lb|key|acct|req)_[0-9a-f]{16}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:\.[0-9]+)?(?:Z|[+-][0-9:]{5})?"
)
"""Ids and times."""


def changed_calls(one: Sequence[Entry], two: Sequence[Entry]) -> Iterator[str]:
    """Where the calls of two runs differ, order, ids and times aside; one line for each operation."""
    for name, call in _called([*one, *two]).items():
        left, right = ([_content(each) for each in run if _name(each) == name] for run in (one, two))
        if len(left) != len(right):
            yield f"{call} was called {_times(len(left))}, then {_times(len(right))}"
        elif Counter(left) != Counter(right):
            yield f"{call} #{_first(left, right)} was sent with another {_part(left, right)}"


def changed_state(one: WorldStates, two: WorldStates) -> Iterator[str]:
    """How what two runs left differs."""
    for kind, key in sorted(varying_fields(one, two)):
        yield f"the {key.replace('_', ' ')} of what is left among the {kind.replace('_', ' ')}"
    for kind in KINDS:
        left, right = (
            sum(n for each, n in count_resources(state).items() if each.kind == kind) for state in (one, two)
        )
        if left != right:
            yield f"{left} {kind.replace('_', ' ')} were left, then {right}"


def _name(entry: Entry) -> str:
    return str(entry["operation"] or entry["path"])


def _called(entries: Sequence[Entry]) -> dict[str, str]:
    """The operations by name, each with its method and path."""
    paths = {operation.name: operation.path for operation in operations()}
    return {_name(each): f"{each['method']} {paths.get(each['operation'], each['path'])}" for each in entries}


def _content(entry: Entry) -> tuple[str, str]:
    """The address and the body, but for ids and times."""
    address = f"{entry['path']}?{entry['query']}"
    return _VARIES.sub("…", address), _VARIES.sub("…", entry["request_body"] or "")


def _first(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> int:
    """The first of the calls of which the other run has no like."""
    return next((i for i, each in enumerate(right, 1) if right.count(each) != left.count(each)), 1)


def _part(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> str:
    return "address" if Counter(a for a, _ in left) != Counter(a for a, _ in right) else "body"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
