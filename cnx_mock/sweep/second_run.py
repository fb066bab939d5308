"""The verdict on a program that died or failed, and was then run again in the same world.

Only what is there at the end counts: the exit status of the second run, and the resources that both runs have left.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.state import ResourceCounts, ResourceState, state_difference
from cnx_mock.sweep.verdict import VERDICTS, Judgement, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCall:
    """The last call of a run and its answer."""

    title: str
    """The call for a person: `GET /v1/instances/{id}`."""
    status: int | None
    """The status of the answer; None if there was none."""

    def __str__(self) -> str:
        answer = "got no answer" if self.status is None else f"was answered by {self.status}"
        return f"`{self.title}`, which {answer}"


def last_call(entries: Sequence[Mapping[str, Any]], path_of: Callable[[str], str | None]) -> LastCall | None:
    """Return the last call of a run, None if it made none. `entries` are those of the run; `path_of` returns the path
    template of an operation, None if there is no such operation."""
    if not entries:
        return None
    last = entries[-1]
    path = path_of(last["operation"]) or last["path"]
    return LastCall(title=f"{last['method']} {path}", status=last["status"])


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfTwo:
    """What the verdict on two runs depends on."""

    status: int | None
    """The exit status of the second run; None if it went beyond the time limit."""
    last: LastCall | None = None
    """The last call of the second run."""
    resources: ResourceCounts = field(default_factory=Counter)
    """The resources at the end."""


def judge_two(expected: Collection[ResourceCounts], twice: EndOfTwo, actual: EndOfTwo) -> Judgement:
    """Return the verdict on a program that was killed or failed, and was run again. The first that holds: hung, stuck,
    duplicated, leaked, lost, recovered.

    `expected` is what single runs without faults leave. `twice` is the result of two such runs in one world: some
    programs are not made to be run twice, and the effects of that are not caused by the end of the first run. So a
    second run that fails as it did there is not stuck, and may lack what it could not make. And what two such runs
    leave may be left here too, also a part of it.
    """
    if actual.status is None:
        return Judgement(verdict="hung")
    fails_anyway = actual.status != 0 and (actual.status, actual.last) == (twice.status, twice.last)
    if actual.status != 0 and not fails_anyway:
        return Judgement(verdict="stuck")
    if actual.resources == twice.resources:
        return Judgement(verdict="recovered")
    found = [_compared(each, twice.resources, actual.resources, fails_anyway) for each in expected]
    return max(found, key=lambda each: VERDICTS.index(each.verdict))


def _compared(expected: ResourceCounts, twice: ResourceCounts, actual: ResourceCounts, may_lack: bool) -> Judgement:
    """Return the verdict by what is left. What is left after two runs without faults is not looked at, if it is more
    than expected; `may_lack` is whether less than expected is good."""
    known = (actual - expected) & (twice - expected)
    difference = state_difference(expected, actual - known)
    if difference.extra:
        names = {_kind_and_name(each) for each in expected}
        copies = [each for each in difference.extra if _kind_and_name(each) in names]
        verdict: Verdict = "duplicated" if copies else "leaked"
        return Judgement(verdict=verdict, difference=difference, left=tuple(copies or difference.extra))
    if (difference.missing or difference.changed) and not may_lack:
        return Judgement(verdict="lost", difference=difference)
    return Judgement(verdict="recovered", difference=difference)


def _kind_and_name(resource: ResourceState) -> tuple[str, str]:
    """Return what a second copy of a resource has in common with it. A name that varies from run to run is not
    compared."""
    return resource.kind, resource.comparable_name
