"""The calls of a run as reports show them: in order, on a time axis, with the faults that struck them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.text.units import parse_instant

MOST_CALLS = 200
"""How many calls of a run are shown; a page with more can no longer be read."""
_MILLISECOND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCall:
    """One call of a run."""

    number: int
    """Its number in the run, from 1."""
    method: str
    path: str
    """The path with its query."""
    status: int | None
    """The status of the answer; None if there was none."""
    began: float
    """When it arrived, in milliseconds since the first call."""
    took: float
    """How long it took, in milliseconds."""
    delayed: float
    """How much of that time was a delay by faults."""
    faults: tuple[str, ...]
    """The faults that struck it."""
    committed: bool
    """Whether it changed something."""
    created: str | None
    """The id of the resource that it created; several, with commas, if it was performed more than once."""
    second_run: bool = False
    """Whether it belongs to a second run of the program."""

    @property
    def answer(self) -> str:
        """The status, or a dash."""
        return "–" if self.status is None else str(self.status)

    @property
    def kind(self) -> str:
        """How it ended, in a word: ok, refused (4xx), failed (5xx), cut (no answer)."""
        if self.status is None:
            return "cut"
        return "ok" if self.status < 400 else "refused" if self.status < 500 else "failed"


def shown_calls(entries: Sequence[Mapping[str, Any]], first_of_second: int | None = None) -> tuple[ShownCall, ...]:
    """Return the calls of a run. `entries` are a journal's, in order of arrival, as `GET /_mock/requests` answers them.
    `first_of_second` is the index of the first one of a second run; None if there was one run."""
    if not entries:
        return ()
    start = parse_instant(entries[0]["wall"])
    return tuple(
        _shown(index, each, start, second_run=first_of_second is not None and index >= first_of_second)
        for index, each in enumerate(entries[:MOST_CALLS])
    )


def _shown(index: int, entry: Mapping[str, Any], start: int, *, second_run: bool) -> ShownCall:
    query = f"?{entry['query']}" if entry["query"] else ""
    performed = entry.get("performances") or [entry]
    made = [each["created_id"] for each in performed if each["created_id"]]
    return ShownCall(
        number=index + 1,
        method=entry["method"],
        path=f"{entry['path']}{query}",
        status=entry["status"],
        began=(parse_instant(entry["wall"]) - start) / _MILLISECOND,
        took=entry["duration_ms"] or 0,
        delayed=entry["delayed_ms"],
        faults=tuple(each["fault"] for each in entry["faults"]),
        committed=entry["committed"],
        created=", ".join(made) or None,
        second_run=second_run,
    )


def length(*runs: Iterable[ShownCall]) -> float:
    """Return the length of a time axis on which all calls of these runs fit, in milliseconds; never 0."""
    return max((call.began + call.took for run in runs for call in run), default=0) or 1
