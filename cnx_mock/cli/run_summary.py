"""What a program did to the mock: what it asked for, what struck it, what it left, what never came."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from cnx_mock.python_api.control import Control
from cnx_mock.python_api.sandbox import Sandbox

_KINDS = {
    "instance": "instances",
    "snapshot": "snapshots",
    "firewall": "firewalls",
    "load balancer": "load_balancers",
}
_SHOWN = 10
"""Resources that the summary names; the report names all."""


@dataclass(frozen=True)
class Fired:
    """A rule that struck: how often, and with what."""

    rule: str
    fired: int
    faults: list[str]


@dataclass(frozen=True)
class Left:
    """A resource that was not there at the start."""

    kind: str
    id: str
    name: str | None
    sandbox: str
    """The end of the key whose sandbox it is in."""

    def __str__(self) -> str:
        return f"{self.kind} {self.name} ({self.id})" if self.name else f"{self.kind} {self.id}"


@dataclass
class Summary:
    """All that happened, over all sandboxes that were used: every key has its own."""

    requests: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    """How many answers of each status, of those in the journal; `cut` where the wire was cut, `open` where CMD did not
    wait for the answer."""
    faults: list[Fired] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    sandboxes: dict[str, int] = field(default_factory=dict)
    """Requests by the end of their key."""
    refused: int = 0
    """Requests that reached no sandbox, such as those with a live key."""

    def lines(self) -> Iterator[str]:
        """For a person to read."""
        known = sum(self.statuses.values())
        yield _counted(self.requests, "request") + _listed(self.statuses)
        if known < self.requests:
            yield f"of {self.requests - known} no more than their number is known: --journal-size keeps more"
        if self.refused:
            yield f"{self.refused} of them reached no sandbox: without a key, or with none of the mock's"
        if len(self.sandboxes) > 1:
            yield "each key has a sandbox of its own" + _listed({f"…{end}": n for end, n in self.sandboxes.items()})
        for each in self.faults:
            yield f"{each.rule} fired {_counted(each.fired, 'time')}: {', '.join(each.faults)}"
        yield from self.leftovers()
        yield from self.missing()

    def leftovers(self) -> Iterator[str]:
        """What is left, for a person to read."""
        for each in self.left[:_SHOWN]:
            yield f"left behind: {each}"
        if len(self.left) > _SHOWN:
            yield f"left behind: {len(self.left) - _SHOWN} more"

    def missing(self) -> Iterator[str]:
        """What did not come, for a person to read."""
        for each in self.unmet:
            yield f"expected: {each}"

    def data(self) -> dict[str, Any]:
        """For a report."""
        return asdict(self)


def taken(control: Control, sandboxes: Iterable[Sandbox]) -> tuple[Summary, list[dict[str, Any]]]:
    """The summary and the journal of a server's sandboxes, the first of which is the program's. They are reset by
    this: how they were at the start is how a reset leaves them."""
    summary = Summary(requests=sum(each["requests"] for each in control.call("GET", "/_mock/sandboxes")["data"]))
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
        counted = {rule["id"]: rule["fired"] for rule in sandbox.call("GET", "/rules")["data"]}
        fired.update({rule: max(n, seen[rule]) for rule, n in {**seen, **counted}.items()})
        unmet.setdefault(end, []).extend(sandbox.call("GET", "/scenario")["unmet"])
        summary.left += _left(sandbox)
    summary.faults = [Fired(rule, n, list(faults.get(rule, ()))) for rule, n in fired.items() if n]
    used = [end for end in unmet if end in summary.sandboxes] or list(unmet)[:1]
    summary.unmet = [each if len(used) == 1 else f"…{end}: {each}" for end in used for each in unmet[end]]
    journal.sort(key=lambda each: str(each["wall"]))
    summary.statuses = dict(Counter(map(_ending, journal)))
    return summary, journal


def _ending(entry: dict[str, Any]) -> str:
    return str(entry["status"] or ("open" if entry["duration_ms"] is None else "cut"))


def _left(sandbox: Sandbox) -> Iterator[Left]:
    """What a sandbox holds that it did not hold at the start."""
    after = sandbox.state()["accounts"][0]
    sandbox.reset()
    before = sandbox.state()["accounts"][0]
    for kind, name in _KINDS.items():
        known = {each["id"] for each in before[name]}
        for each in after[name]:
            if each["id"] not in known:
                yield Left(kind, each["id"], each["name"], sandbox.api_key[-4:])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _listed(numbers: dict[str, int]) -> str:
    return f" ({', '.join(f'{name} × {n}' for name, n in numbers.items())})" if numbers else ""
