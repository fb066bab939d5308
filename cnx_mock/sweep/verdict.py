"""The verdict on a run with a fault: by what it left behind, not only by its exit status."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from cnx_mock.sweep.state import ResourceCounts, ResourceState, StateDifference, state_difference

Verdict = Literal["hung", "duplicated", "leaked", "lost", "raised", "hammered", "failed cleanly", "survived"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""From the worst to the best; the first that holds is the verdict."""
GOOD: tuple[Verdict, ...] = ("failed cleanly", "survived")
FAILING: tuple[Verdict, ...] = ("hung", "duplicated", "leaked", "lost", "raised")
"""The verdicts for which a sweep fails unless others are chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is known of one run."""

    status: int | None = 0
    """The exit status; None where it went on beyond the time limit. Below zero: the signal that ended it."""
    resources: ResourceCounts = field(default_factory=Counter)
    """What is there at its end."""
    creates: int = 0
    """How many creates were committed."""
    allowed: bool = True
    """Whether, where it failed, it failed in a way that is expected of it; only a test says what is."""
    hammering: Sequence[str] = ()
    """What the audit says of its retries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict, and what it is founded on."""

    verdict: Verdict
    difference: StateDifference = field(default_factory=StateDifference)
    left: tuple[ResourceState, ...] = ()
    """What the run left beside what the run without faults leaves."""


def judge(expected: Run, run: Run, start: ResourceCounts | None = None) -> Judgement:
    """The verdict on a run. `expected` is the run without faults, `start` what is there before any run.

    A run that failed may leave what was there before it as it was: it undid nothing, and left nothing of its own.
    """
    found = state_difference(expected.resources, run.resources)
    left = _left(found, run.status, start or Counter())
    return Judgement(verdict=_verdict(expected, run, found, left), difference=found, left=left)


def _left(found: StateDifference, status: int | None, start: ResourceCounts) -> tuple[ResourceState, ...]:
    if status == 0:
        return found.extra
    more = Counter([*found.extra, *(actual for _, actual in found.changed)])
    return tuple((more - start).elements())


def _verdict(expected: Run, run: Run, found: StateDifference, left: Sequence[ResourceState]) -> Verdict:
    if run.status is None:
        return "hung"
    if left:
        return "duplicated" if run.creates > expected.creates else "leaked"
    if run.status == 0 and (found.missing or found.changed):
        return "lost"
    if run.status != 0 and not run.allowed:
        return "raised"
    if run.hammering:
        return "hammered"
    return "survived" if run.status == expected.status else "failed cleanly"


def milder(*judgements: Judgement) -> Judgement:
    """The mildest of several judgements: what a run without faults may leave is no fault's doing."""
    return max(judgements, key=lambda each: VERDICTS.index(each.verdict))
