"""Two runs of the same: do they make the same calls, and leave the same?"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from cnx_mock.audit.sweep.state import KINDS, State, things, unsteady
from cnx_mock.scenario.exchange import Exchange

_VARIES = re.compile(
    r"(?:inst|snap|fw|lb|key|acct|req)_[0-9a-f]{16}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(?:\.[0-9]+)?(?:Z|[+-][0-9:]{5})?"
)
"""Ids and times."""


def changed_calls(one: Sequence[Exchange], two: Sequence[Exchange]) -> Iterator[str]:
    """Where the calls of two runs differ, order, ids and times aside; one line for each operation."""
    for name, call in _called([*one, *two]).items():
        left, right = ([_content(each) for each in run if _name(each) == name] for run in (one, two))
        if len(left) != len(right):
            yield f"{call} was called {_times(len(left))}, then {_times(len(right))}"
        elif Counter(left) != Counter(right):
            yield f"{call} #{_first(left, right)} was sent with another {_part(left, right)}"


def changed_state(one: State, two: State) -> Iterator[str]:
    """How what two runs left differs."""
    for kind, key in sorted(unsteady(one, two)):
        yield f"the {key.replace('_', ' ')} of what is left among the {kind.replace('_', ' ')}"
    for kind in KINDS:
        left, right = (sum(n for each, n in things(state).items() if each.kind == kind) for state in (one, two))
        if left != right:
            yield f"{left} {kind.replace('_', ' ')} were left, then {right}"


def _name(exchange: Exchange) -> str:
    return exchange.operation.name if exchange.operation else exchange.path


def _called(exchanges: Sequence[Exchange]) -> dict[str, str]:
    """The operations by name, each with its method and path."""
    return {_name(each): f"{each.method} {each.operation.path if each.operation else each.path}" for each in exchanges}


def _content(exchange: Exchange) -> tuple[str, str]:
    """The address and the body, but for ids and times."""
    address = f"{exchange.path}?{exchange.query}"
    return _VARIES.sub("…", address), _VARIES.sub("…", exchange.body.decode("utf-8", "replace"))


def _first(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> int:
    """The first of the calls of which the other run has no like."""
    return next((i for i, each in enumerate(right, 1) if right.count(each) != left.count(each)), 1)


def _part(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> str:
    return "address" if Counter(a for a, _ in left) != Counter(a for a, _ in right) else "body"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
