"""What a program did in the mock: its requests, the faults that struck it, what it left, what did not happen."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from cnx_mock.python_api.control import Control
from cnx_mock.python_api.sandbox import Sandbox
from cnx_mock.sweep.state import resources_left
from cnx_mock.text.plural import counted

_SHOWN = 10
"""Resources that the summary names; the report names all."""


@dataclass(frozen=True)
class FiredRule:
    """A rule that fired: how often, and with which faults."""

    rule: str
    fired: int
    faults: list[str]


@dataclass(frozen=True)
class LeftResource:
    """A resource that did not exist at the start."""

    kind: str
    id: str
    name: str | None
    sandbox: str
    """The end of the key whose sandbox it is in."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})" if self.name else f"{self.kind} {self.id}"


@dataclass
class RunSummary:
    """What happened in all sandboxes that were used; every key has its own."""

    requests: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    """How many answers in the journal have each status; `cut` is a connection that was ended without an answer, `open`
    an answer that CMD did not wait for."""
    faults: list[FiredRule] = field(default_factory=list)
    left: list[LeftResource] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    sandboxes: dict[str, int] = field(default_factory=dict)
    """Requests by the end of their key."""
    refused: int = 0
    """Requests that reached no sandbox, such as those with a live key."""

    def lines(self) -> Iterator[str]:
        """Yield the summary for people, line by line."""
        known = sum(self.statuses.values())
        yield counted(self.requests, "request") + _listed(self.statuses)
        if known < self.requests:
            yield f"{self.requests - known} of them are no longer in the journal: --journal-size keeps more"
        if self.refused:
            yield f"{self.refused} of them reached no sandbox: they had no key, or not a test key"
        if len(self.sandboxes) > 1:
            yield "each key has its own sandbox" + _listed({f"…{end}": n for end, n in self.sandboxes.items()})
        for each in self.faults:
            yield f"{each.rule} fired {counted(each.fired, 'time')}: {', '.join(each.faults)}"
        yield from self.leftovers()
        yield from self.missing()

    def leftovers(self) -> Iterator[str]:
        """Yield what is left, for people."""
        for each in self.left[:_SHOWN]:
            yield f"left behind: {each}"
        if len(self.left) > _SHOWN:
            yield f"left behind: {len(self.left) - _SHOWN} more"

    def missing(self) -> Iterator[str]:
        """Yield what was expected and did not happen, for people."""
        for each in self.unmet:
            yield f"expected: {each}"

    def data(self) -> dict[str, Any]:
        """Return it as plain data, for a report."""
        return asdict(self)


def taken(control: Control, sandboxes: Iterable[Sandbox]) -> tuple[RunSummary, list[dict[str, Any]]]:
    """Return the summary and the journal of a server's sandboxes, of which the first is the program's.

    This resets the sandboxes, since a reset shows how they were at the start.
    """
    summary = RunSummary(requests=sum(each["requests"] for each in control.call("GET", "/_mock/sandboxes")["data"]))
    nowhere = control.call("GET", "/_mock/requests")["data"]
    journal = [{"sandbox": None, **each} for each in nowhere]
    summary.refused = nowhere[-1]["seq"] if nowhere else 0
    summary.requests += summary.refused
    faults: dict[str, Counter[str]] = {}
    unmet: dict[str, list[str]] = {}
    fired: Counter[str] = Counter()
    for sandbox in sandboxes:
        end = sandbox.api_key[-4:]
        entries = sandbox.call("GET", "/requests")["data"]
        journal += [{"sandbox": end, **each} for each in entries]
        if entries:
            summary.sandboxes[end] = summary.sandboxes.get(end, 0) + entries[-1]["seq"]
        seen = Counter(each["rule"] for entry in entries for each in entry["faults"])
        for each in (fault for entry in entries for fault in entry["faults"]):
            faults.setdefault(each["rule"], Counter())[each["fault"]] += 1
        numbers = {rule["id"]: rule["fired"] for rule in sandbox.call("GET", "/rules")["data"]}
        fired.update({rule: max(n, seen[rule]) for rule, n in {**seen, **numbers}.items()})
        unmet.setdefault(end, []).extend(sandbox.call("GET", "/scenario")["unmet"])
        summary.left += _left(sandbox)
    summary.faults = [FiredRule(rule, n, list(faults.get(rule, ()))) for rule, n in fired.items() if n]
    used = [end for end in unmet if end in summary.sandboxes] or list(unmet)[:1]
    summary.unmet = [each if len(used) == 1 else f"…{end}: {each}" for end in used for each in unmet[end]]
    journal.sort(key=lambda each: str(each["wall"]))
    summary.statuses = dict(Counter(map(_ending, journal)))
    return summary, journal


def _ending(entry: dict[str, Any]) -> str:
    return str(entry["status"] or ("open" if entry["duration_ms"] is None else "cut"))


def _left(sandbox: Sandbox) -> Iterator[LeftResource]:
    """Yield what a sandbox holds that it did not hold at the start. Resets it: that is how it was at the start."""
    after = sandbox.state()
    sandbox.reset()
    for each in resources_left([sandbox.state()], [after]):
        yield LeftResource(each.noun, each.id, each.name if each.name != each.id else None, sandbox.api_key[-4:])


def _listed(numbers: dict[str, int]) -> str:
    return f" ({', '.join(f'{name} × {n}' for name, n in numbers.items())})" if numbers else ""
