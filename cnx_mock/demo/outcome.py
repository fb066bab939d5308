"""What a client's run came to: counted, priced, and in one sentence. The verdict is the sweep's own."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnx_mock.services.prices import monthly_cents
from cnx_mock.sweep.explanation import run_reason
from cnx_mock.sweep.results import JudgedRun
from cnx_mock.sweep.state import ResourceState, resources_left
from cnx_mock.sweep.trial import RunResult
from cnx_mock.sweep.verdict import Verdict

Entry = Mapping[str, Any]
"""A request as `GET /_mock/requests` answers it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneOutcome:
    """What a run came to."""

    verdict: Verdict
    sentence: str
    """What the client did wrong, or that it did nothing wrong."""
    duplicated: int
    """How many resources there are beside another one of the same name that should be alone."""
    leaked: int
    """How many other resources the client should not have left."""
    lost: int
    """How many resources are missing or changed although the client reported success."""
    waste_cents: int
    """What the duplicated and leaked resources cost in a month."""


def outcome_of(judged: JudgedRun, run: RunResult, usual: Sequence[RunResult], client: str) -> LaneOutcome:
    """Return what a run came to. `usual` are the runs without faults, `client` is what the sentence calls the
    client."""
    left = judged.judgement.left
    duplicated = _duplicates(judged, run.creates)
    difference = judged.judgement.difference
    lost = len(difference.missing) + len(difference.changed) if judged.status == 0 else 0
    return LaneOutcome(
        verdict=judged.verdict,
        sentence=_sentence(judged, run, usual, client),
        duplicated=duplicated,
        leaked=len(left) - duplicated,
        lost=lost,
        waste_cents=sum(map(_monthly_cents, left)),
    )


def _sentence(judged: JudgedRun, run: RunResult, usual: Sequence[RunResult], client: str) -> str:
    if not run.entries and run.ended.status is not None:
        return f"{client} made no calls to the mock: it must take address and key from the environment"
    said = run_reason(judged, client) or f"{client} did its work, and left nothing that it should not"
    if run.ended.status is not None and any(each.ended.status != 0 for each in usual):
        return f"{said}; but it fails without faults too"
    return said


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
