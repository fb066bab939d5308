"""What became of a bad cell, in one sentence that anybody understands."""

from collections import Counter
from collections.abc import Iterable

from cnx_mock.sweep.results import Result
from cnx_mock.sweep.state import KINDS, ResourceState
from cnx_mock.sweep.verdict import GOOD

_SHOWN = 3
"""Resources that a sentence names."""


def sentence(result: Result) -> str:
    """ "`POST /v1/instances` #2, reset after commit: your client retried and left 2 instances named web-1"."""
    return f"{result.cell.title}: {blame(result)}"


def blame(result: Result) -> str:
    """What the client did wrong, empty where it did nothing wrong."""
    if result.verdict in GOOD:
        return ""
    if not result.fired:
        return f"{_blame(result)}; the fault never struck, so CMD differs from run to run"
    return _blame(result)


def _blame(result: Result) -> str:
    judgement = result.judgement
    match result.verdict:
        case "hung":
            return f"your client went on beyond {result.seconds:.1f} s and was ended{_busiest(result.calls)}"
        case "duplicated":
            return f"your client {_tried(result.status)} and left {_present(judgement.left, result.resources)}"
        case "leaked":
            return f"your client {_exited(result.status)} and left {_counted(judgement.left)} behind"
        case "lost":
            return f"your client {_exited(result.status)}, but {_lacking(result)}"
        case "raised":
            return f"your client raised {result.words}, which is not among what the test allows"
        case _:
            return f"your client hammers: {'; '.join(result.hammering)}"


def _tried(status: int | None) -> str:
    return "retried" if status == 0 else f"retried, {_exited(status)}"


def _exited(status: int | None) -> str:
    if status == 0:
        return "reported success (exit status 0)"
    return f"was ended by signal {-status}" if status is not None and status < 0 else f"failed (exit status {status})"


def _present(left: Iterable[ResourceState], resources: Counter[ResourceState]) -> str:
    """How many of the name of each there are now: `2 instances named web-1`."""
    names = dict.fromkeys((thing.kind, thing.name) for thing in left)
    totals = [(sum(n for each, n in resources.items() if (each.kind, each.name) == name), name) for name in names]
    return _listed([_named(total, kind, name) for total, (kind, name) in totals])


def _counted(left: Iterable[ResourceState]) -> str:
    counts = Counter((thing.kind, thing.name) for thing in left)
    return _listed([_named(count, kind, name) for (kind, name), count in counts.items()])


def _named(count: int, kind: str, name: str) -> str:
    return f"the {KINDS[kind]} {name}" if count == 1 else f"{count} {KINDS[kind]}s named {name}"


def _lacking(result: Result) -> str:
    difference = result.judgement.difference
    if difference.missing:
        verb = "is" if len(difference.missing) == 1 else "are"
        return f"{_counted(difference.missing)} {verb} missing"
    fields = ", ".join(difference.fields())
    return f"{_counted(expected for expected, _ in difference.changed)} has another {fields}"


def _listed(words: list[str]) -> str:
    if len(words) > _SHOWN:
        words = [*words[:_SHOWN], f"{len(words) - _SHOWN} more"]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _busiest(calls: dict[str, int]) -> str:
    """Which operation it called most, where that is often."""
    name = max(calls, key=lambda each: calls[each], default="")
    return f"; it called {name} {calls[name]} times" if name and calls[name] > 10 else ""
