"""The outcome of a client's run: its counts, its cost, and one sentence. The verdict is the sweep's own."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from cnx_mock.dataclass import dataclass
from cnx_mock.services.prices import monthly_cents
from cnx_mock.sweep.explanation import run_reason
from cnx_mock.sweep.results import JudgedRun
from cnx_mock.sweep.state import ResourceState, resources_left
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import Verdict

Entry = Mapping[str, Any]
"""A request as `GET /_mock/requests` answers it."""


NOT_JUDGED: Literal["not judged"] = "not judged"
"""In place of a verdict, if a client does not do its work without faults either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOutcome:
    """What a run came to."""

    verdict: Verdict | Literal["not judged"]
    sentence: str
    """What the client did wrong, or that it did nothing wrong."""
    duplicated: int = 0
    """How many resources there are beside another one of the same name that should be alone."""
    leaked: int = 0
    """How many other resources the client should not have left."""
    lost: int = 0
    """How many resources are missing or changed although the client reported success."""
    waste_cents: int = 0
    """What the duplicated and leaked resources cost in a month."""


def outcome_of(judged: JudgedRun, run: RunResult, fault_free: Sequence[RunResult], client: str) -> LaneOutcome:
    """Return what a run came to. `fault_free` are the runs without faults, `client` is what the sentence calls the
    client."""
    if judged.verdict != "hung" and (why := _unfit(run, fault_free)):
        return LaneOutcome(verdict=NOT_JUDGED, sentence=f"{client} {why}")
    left = judged.judgement.left
    duplicated = _duplicates(judged, run.creates)
    difference = judged.judgement.difference
    return LaneOutcome(
        verdict=judged.verdict,
        sentence=run_reason(judged, client) or f"{client} did its work, and left nothing that it should not leave",
        duplicated=duplicated,
        leaked=len(left) - duplicated,
        lost=len(difference.missing) + len(difference.changed) if judged.status == 0 else 0,
        waste_cents=sum(map(_monthly_cents, left)),
    )


def _unfit(run: RunResult, fault_free: Sequence[RunResult]) -> str:
    """Return why a run says nothing about the faults; an empty text if it does."""
    if not run.entries:
        return "made no calls to the mock: it must take the address and the key from the environment"
    if any(each.ended.status is None for each in fault_free):
        return "takes too long even without faults: give it more time (--timeout)"
    status = next((each.ended.status for each in fault_free if each.ended.status != 0), 0)
    return f"fails even without faults (exit status {status})" if status else ""


def _duplicates(judged: JudgedRun, creates: int) -> int:
    """Return how many of the resources that should not be there have a twin: the same kind, and the same name."""
    left = Counter((each.kind, each.name) for each in judged.judgement.left)
    there = Counter((each.kind, each.name) for each in judged.resources.elements())
    twins = sum(min(count, there[name] - 1) for name, count in left.items())
    if judged.verdict == "duplicated":  # of a client that draws names, twins have different names
        return twins or min(left.total(), creates)
    return twins


def monthly_cost(run_start: Sequence[Mapping[str, Any]], states: Sequence[Mapping[str, Any]]) -> int:
    """Return what the resources cost in a month, in cents, that are in these states and were not at the start."""
    return sum(map(_monthly_cents, resources_left(run_start, states)))


def succeeded(entries: Iterable[Entry]) -> int:
    """Return how many attempts had an answer without an error."""
    return sum(each["status"] is not None and each["status"] < 400 for each in entries)


def _monthly_cents(resource: ResourceState) -> int:
    return monthly_cents(resource.kind, json.loads(resource.fields))
