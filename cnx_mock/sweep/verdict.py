"""The verdict on a run with a fault. It depends on the resources that the run left, and not only on its exit status."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from typing import Literal, get_args

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.state import ResourceCounts, ResourceState, StateDifference, state_difference

Verdict = Literal[
    "hung",
    "stuck",
    "duplicated",
    "leaked",
    "lost",
    "raced",
    "misread",
    "raised",
    "hammered",
    "doubled",
    "failed cleanly",
    "recovered",
    "serial",
    "survived",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, from the worst to the best. The first one that is true of a run is its verdict."""
GOOD: tuple[Verdict, ...] = ("doubled", "failed cleanly", "recovered", "serial", "survived")
SURVIVING: tuple[Verdict, ...] = ("recovered", "serial", "survived")
"""The verdicts that need no explanation."""
CLEAN: tuple[Verdict, ...] = ("failed cleanly", "survived")
"""The verdicts on one run in which the client did nothing wrong."""
FAILING: tuple[Verdict, ...] = ("hung", "stuck", "duplicated", "leaked", "lost", "raced", "misread", "raised")
"""The verdicts that make a sweep fail, unless others are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the verdict on a run depends on."""

    status: int | None = 0
    """The exit status; below zero, the signal that ended the program; None if it went beyond the time limit."""
    resources: ResourceCounts = field(default_factory=Counter)
    """The resources at its end."""
    creates: int = 0
    """How many creates it committed."""
    own: ResourceCounts = field(default_factory=Counter)
    """Those of the resources at its end that it created itself."""
    undeletable: ResourceCounts = field(default_factory=Counter)
    """Those of the resources at its end that it wanted to delete, and the fault refused every delete to the end."""
    unannounced: ResourceCounts = field(default_factory=Counter)
    """The resources at its end that the client does not know, because a call was performed twice."""
    allowed: bool = True
    """Whether a failure is of an expected kind. Only tests name the kinds that they expect."""
    hammering: Sequence[str] = ()
    """What the audit found about its retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict and the facts that it rests on."""

    verdict: Verdict
    difference: StateDifference = field(default_factory=StateDifference)
    """How the resources differ from those after the run without faults."""
    left: tuple[ResourceState, ...] = ()
    """The resources that the run should not have left."""
    kept: tuple[ResourceState, ...] = ()
    """The resources of its own that a run which failed may leave."""


def judge(
    expected: Evidence, actual: Evidence, start: ResourceCounts | None = None, *, allow_partial: bool = False
) -> Judgement:
    """Return the verdict on a run. `expected` is the run without faults, `start` the resources before any run.

    A run that succeeds leaves too much if it leaves what the run without faults does not. A run that fails also leaves
    too much if anything is left that it has created itself, since the next run will meet it. With `allow_partial`, such
    a run may leave what the run without faults leaves. In any case it may leave the resources of `start` unchanged, and
    what it could not delete.

    What only the second delivery of a call made is not blamed on the client: the API gives it no means to prevent that.
    If that is all that is left too much, the run is "doubled".
    """
    difference = state_difference(expected.resources, actual.resources)
    doubled = Counter(difference.extra) & actual.unannounced
    if actual.status == 0:
        more = own = Counter(difference.extra) - doubled
    else:
        changed = Counter([*difference.extra, *(after for _, after in difference.changed)])
        more = changed - (start or Counter()) - actual.undeletable - actual.unannounced
        own = more if allow_partial else more | (actual.own - actual.undeletable)
    verdict = _verdict(expected, actual, difference, more, own)
    if verdict in CLEAN and doubled:
        verdict, own = "doubled", doubled
    kept = Counter() if actual.status == 0 else actual.own - own
    return Judgement(verdict=verdict, difference=difference, left=tuple(own.elements()), kept=tuple(kept.elements()))


def _verdict(
    expected: Evidence, actual: Evidence, difference: StateDifference, more: ResourceCounts, left: ResourceCounts
) -> Verdict:
    """`more` are the resources that the run without faults does not leave, `left` all that should not be there."""
    if actual.status is None:
        return "hung"
    if left:
        return "duplicated" if more and actual.creates > expected.creates else "leaked"
    if actual.status == 0 and (difference.missing or difference.changed):
        return "lost"
    if actual.status != 0 and not actual.allowed:
        return "raised"
    if actual.hammering:
        return "hammered"
    return "survived" if actual.status == expected.status else "failed cleanly"


def best_of(*judgements: Judgement) -> Judgement:
    """Return the judgement with the best verdict. A run is compared with two runs without faults, and what one of
    these may leave is not caused by a fault."""
    return max(judgements, key=lambda each: VERDICTS.index(each.verdict))
