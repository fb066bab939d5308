"""Explain a cell that was not survived, in one sentence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cnx_mock.sweep.results import CellResult
from cnx_mock.sweep.state import KINDS, ResourceCounts, ResourceState
from cnx_mock.text.plural import counted

_SHOWN = 3
"""How many resources a sentence names."""
_MANY_CALLS = 10
"""More calls of one operation than this are worth mentioning."""


def sentence(result: CellResult) -> str:
    """Return the cell and what the client did wrong in it: "`POST /v1/instances` #2, reset after commit: your client
    retried and left 2 instances named web-1"."""
    return f"{result.cell.title}: {reason(result)}"


def reason(result: CellResult) -> str:
    """Return what the client did wrong, or how it failed; an empty text if it survived."""
    if result.verdict == "survived":
        return ""
    if not result.fired:
        return f"{_reason(result)}; the fault was never injected, so CMD behaves differently from run to run"
    return _reason(result)


def _reason(result: CellResult) -> str:
    judgement = result.judgement
    match result.verdict:
        case "hung":
            return f"your client was still running after {result.seconds:.1f} s and was ended{_busiest(result.calls)}"
        case "duplicated":
            return f"your client {_retried(result.status)} and left {_totals(judgement.left, result.resources)}"
        case "leaked":
            return f"your client {_exited(result.status)} and left {_counted(judgement.left)} behind"
        case "lost":
            return f"your client {_exited(result.status)}, but {_lacking(result)}"
        case "raised":
            return f"your client raised {result.output}, which the test does not allow"
        case "failed cleanly":
            return f"your client {_exited(result.status)} and left {_kept(result)}"
        case _:
            return _manners(result.hammering)


def _manners(found: Sequence[str]) -> str:
    """Return what the audit found about a client's retries, or about how long it waits."""
    if all(line.startswith("no-deadline:") for line in found):
        return f"your client has no total deadline: {'; '.join(line.partition(': ')[2] for line in found)}"
    return f"your client retries badly: {'; '.join(found)}"


def _kept(result: CellResult) -> str:
    """Return what a client that failed cleanly left of its own."""
    if not result.judgement.kept:
        return "nothing of its own behind"
    why = "could not delete" if result.undeletable else "may leave"
    return f"{_counted(result.judgement.kept)}, which it {why}"


def _retried(status: int | None) -> str:
    return "retried" if status == 0 else f"retried, {_exited(status)}"


def _exited(status: int | None) -> str:
    if status == 0:
        return "reported success (exit status 0)"
    return f"was ended by signal {-status}" if status is not None and status < 0 else f"failed (exit status {status})"


def _totals(left: Iterable[ResourceState], resources: ResourceCounts) -> str:
    """Return how many resources of each name exist now: `2 instances named web-1`."""
    totals = Counter((each.kind, each.name) for each in resources.elements())
    names = dict.fromkeys((each.kind, each.name) for each in left)
    return _enumerated([_named(totals[kind, name], kind, name) for kind, name in names])


def _counted(resources: Iterable[ResourceState]) -> str:
    counts = Counter((each.kind, each.name) for each in resources)
    return _enumerated([_named(count, kind, name) for (kind, name), count in counts.items()])


def _named(count: int, kind: str, name: str) -> str:
    noun = KINDS[kind].words
    return f"the {noun} {name}" if count == 1 else f"{counted(count, noun)} named {name}"


def _lacking(result: CellResult) -> str:
    difference = result.judgement.difference
    if difference.missing:
        verb = "is" if len(difference.missing) == 1 else "are"
        return f"{_counted(difference.missing)} {verb} missing"
    verb = "has" if len(difference.changed) == 1 else "have"
    fields = ", ".join(difference.fields())
    return f"{_counted(expected for expected, _ in difference.changed)} {verb} a different {fields}"


def _enumerated(phrases: Sequence[str]) -> str:
    if len(phrases) > _SHOWN:
        phrases = [*phrases[:_SHOWN], f"{len(phrases) - _SHOWN} more"]
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)


def _busiest(calls: Mapping[str, int]) -> str:
    """Return which operation it called most, if it called it often."""
    name = max(calls, key=lambda each: calls[each], default="")
    return f"; it called {name} {calls[name]} times" if name and calls[name] > _MANY_CALLS else ""
