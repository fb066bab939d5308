"""Explain a cell that was not survived, in one sentence."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cnx_mock.programs.start import ending
from cnx_mock.sweep.results import CellResult, JudgedRun
from cnx_mock.sweep.second_run import EndOfTwo
from cnx_mock.sweep.state import KINDS, ResourceCounts, ResourceState, StateDifference
from cnx_mock.sweep.verdict import SURVIVING, Judgement
from cnx_mock.text.plural import counted

_SHOWN = 3
"""How many resources a sentence names."""
_MANY_CALLS = 10
"""More calls of one operation than this are worth mentioning."""


def sentence(result: CellResult) -> str:
    """Return the cell and what the client did wrong in it: "`POST /v1/instances` #2, reset after commit: your client
    retried and left 2 instances named web-1". After two runs: "killed after `POST /v1/instances` #1 was committed, then
    run again: 2 instances named web-1"."""
    return result.words or f"{what_happened(result)}: {reason(result)}"


def what_happened(result: CellResult) -> str:
    """Return what happened to a client: "killed after `POST /v1/instances` #1 was committed, then run again"."""
    return result.cell.title if result.end is None else f"{result.cell.title}, then run again"


def reason(result: CellResult) -> str:
    """Return what the client did wrong, or how it failed; an empty text if it survived or recovered."""
    if result.verdict in SURVIVING:
        return ""
    text = run_reason(result) if result.end is None else after_second_run(result.judgement, result.end)
    if not result.fired:
        return f"{text}; the fault was never injected, so CMD behaves differently from run to run"
    return text


def run_reason(result: JudgedRun, client: str = "your client") -> str:
    """Return what the client, called so, did wrong in a run, or how it failed; an empty text if it survived."""
    judgement = result.judgement
    match result.verdict:
        case "survived":
            return ""
        case "hung":
            return f"{client} was still running after {result.seconds:.1f} s and was ended{_busiest(result.calls)}"
        case "duplicated":
            return f"{client} {_retried(result.status)} and left {_totals(judgement.left, result.resources)}"
        case "leaked":
            return f"{client} {exited(result.status)} and left {_counted(judgement.left)} behind"
        case "lost":
            return f"{client} {exited(result.status)}, but {_lacking(judgement.difference)}"
        case "raised":
            return f"{client} raised {result.output}, which the test does not allow"
        case "doubled":
            left = _what_is_left(judgement.left, result.resources)
            return f"{client} {exited(result.status)} and did not look again: {left}"
        case "failed cleanly":
            return f"{client} {exited(result.status)} and left {_kept(result)}"
        case _:
            return _manners(result.hammering, client)


def _manners(found: Sequence[str], client: str) -> str:
    """Return what the audit found about a client's retries, or about how long it waits."""
    if all(line.startswith("no-deadline:") for line in found):
        return f"{client} has no total deadline: {'; '.join(line.partition(': ')[2] for line in found)}"
    return f"{client} retries badly: {'; '.join(found)}"


def after_second_run(judgement: Judgement, end: EndOfTwo) -> str:
    """Return what is wrong after a second run in the same world; an empty text if nothing is."""
    match judgement.verdict:
        case "hung":
            return "it was still running at the time limit (--timeout), and was ended"
        case "stuck":
            where = "before any call" if end.last is None else f"after its last call, {end.last}"
            return f"it {exited(end.status)} {where}"
        case "duplicated":
            return _what_is_left(judgement.left, end.resources)
        case "leaked":
            verb = "is" if len(judgement.left) == 1 else "are"
            return f"{_counted(judgement.left)} {verb} left behind"
        case "lost":
            return _lacking(judgement.difference)
        case _:
            return ""


def left_over(difference: StateDifference, resources: ResourceCounts) -> str:
    """Return how what is left differs from what is expected: "2 instances named web-1", "the firewall web is missing".
    `resources` are all that are left."""
    if difference.extra:
        return _what_is_left(difference.extra, resources)
    return _lacking(difference)


def _what_is_left(left: Sequence[ResourceState], resources: ResourceCounts) -> str:
    """Return how many resources of each name exist now, as a sentence: a number says that they are too many, and "the
    instance web-1" does not."""
    totals = Counter(map(_title, resources.elements()))
    titles = set(map(_title, left))
    if all(totals[each] > 1 for each in titles):
        return _totals(left, resources)
    return f"{_totals(left, resources)} {'is' if len(titles) == 1 else 'are'} left"


def _kept(result: JudgedRun) -> str:
    """Return what a client that failed cleanly left of its own."""
    if not result.judgement.kept:
        return "nothing of its own behind"
    why = "could not delete" if result.undeletable else "may leave"
    return f"{_counted(result.judgement.kept)}, which it {why}"


def _retried(status: int | None) -> str:
    return "retried" if status == 0 else f"retried, {exited(status)}"


def exited(status: int | None) -> str:
    """Return how a client ended: "failed (exit status 1)"."""
    if status == 0:
        return "reported success (exit status 0)"
    return f"was ended by {ending(status)}" if status is not None and status < 0 else f"failed (exit status {status})"


def _totals(left: Iterable[ResourceState], resources: ResourceCounts) -> str:
    """Return how many resources of each name exist now: `2 instances named web-1`."""
    totals = Counter(map(_title, resources.elements()))
    found = {_title(each): each for each in left}
    return _enumerated([_named(totals[title], each) for title, each in found.items()])


def _counted(resources: Iterable[ResourceState]) -> str:
    found = list(resources)
    counts = Counter(map(_title, found))
    return _enumerated([_named(counts[title], each) for title, each in {_title(each): each for each in found}.items()])


def _title(resource: ResourceState) -> tuple[str, str]:
    """Return the kind, and the name with `*` for what varies by chance."""
    return resource.kind, resource.comparable_name or resource.name


def _named(count: int, resource: ResourceState) -> str:
    noun = KINDS[resource.kind].words
    return f"the {noun} {resource.name}" if count == 1 else f"{counted(count, noun)} named {_title(resource)[1]}"


def _lacking(difference: StateDifference) -> str:
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
