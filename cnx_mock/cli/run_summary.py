"""What a program did in the mock: its requests, the faults that struck it, what it left, what did not happen."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from cnx_mock.dataclass import dataclass
from cnx_mock.net.allowed_hosts import option_for
from cnx_mock.python_api.control import Control
from cnx_mock.python_api.sandbox import Sandbox
from cnx_mock.sweep.state import resources_left
from cnx_mock.text.plural import counted

if TYPE_CHECKING:
    from cnx_mock.audit.audit import Finding

_SHOWN = 10
"""Resources and findings that the summary names; the report names all."""


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
    refused_hosts: list[str] = field(default_factory=list)
    """Hosts, with their ports, that the proxy refused."""

    def lines(self) -> Iterator[str]:
        """Yield the summary for people, line by line."""
        known = sum(self.statuses.values())
        yield counted(self.requests, "request") + _listed(self.statuses)
        if known < self.requests:
            gone = self.requests - known
            yield f"{gone} of them {'is' if gone == 1 else 'are'} no longer in the journal: --journal-size keeps more"
        if self.refused:
            they = "it" if self.refused == 1 else "they"
            yield f"{self.refused} of them reached no sandbox: {they} had no key, or not a test key"
        for host in self.refused_hosts[:_SHOWN]:
            yield f"the proxy refused {host}: {option_for(*_address(host))} lets it pass"
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


def finding_lines(found: "Sequence[Finding]", report: str) -> Iterator[str]:
    """Yield a line for each finding, and one that names the report that says more; nothing for a careful client."""
    for each in found[:_SHOWN]:
        yield f"audit: {each}"
    if found:
        more = f"{len(found) - _SHOWN} more findings; " if len(found) > _SHOWN else ""
        yield f"audit: {more}{report} says why it matters, and how to fix it"


@dataclass(frozen=True)
class _SandboxRecord:
    """What happened in one sandbox."""

    end: str
    """The end of its key."""
    entries: list[dict[str, Any]]
    """Its journal."""
    fired: dict[str, int]
    """How often each rule fired, by the rules' ids."""
    unmet: list[str]
    left: list[LeftResource]
    state: dict[str, Any]
    """What the sandbox holds at the end."""


@dataclass(frozen=True)
class RunRecord:
    """What is known of a run when it is over."""

    summary: RunSummary
    journal: list[dict[str, Any]]
    """Every request, each with its sandbox."""
    states: list[dict[str, Any]]
    """The state of each sandbox at the end."""


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":")
    return name, int(port)


def taken(control: Control, sandboxes: Iterable[Sandbox], expect: Mapping[str, Any]) -> RunRecord:
    """Return what happened in a server's sandboxes. The first one is that of the program.

    `expect` is what must be true of each that was used, beside what its scenario expects. This resets the sandboxes,
    since a reset shows how they were at the start.
    """
    requests = sum(each["requests"] for each in control.call("GET", "/_mock/sandboxes")["data"])
    outside = control.call("GET", "/_mock/requests")["data"]
    refused = outside[-1]["seq"] if outside else 0
    records = [_record(sandbox, expect) for sandbox in sandboxes]
    journal = [{"sandbox": None, **each} for each in outside]
    journal += [{"sandbox": record.end, **each} for record in records for each in record.entries]
    journal.sort(key=lambda each: str(each["wall"]))
    summary = RunSummary(
        requests=requests + refused,
        statuses=dict(Counter(map(_ending, journal))),
        faults=_fired_rules(records),
        left=[each for record in records for each in record.left],
        unmet=_unmet(records),
        sandboxes=_requests_by_key(records),
        refused=refused,
        refused_hosts=control.call("GET", "/_mock/health")["refused_hosts"],
    )
    return RunRecord(summary, journal, [record.state for record in records])


def _record(sandbox: Sandbox, expect: Mapping[str, Any]) -> _SandboxRecord:
    entries = sandbox.call("GET", "/requests")["data"]
    seen = Counter(each["rule"] for entry in entries for each in entry["decisions"] if each["fired"])
    counted_rules = {rule["id"]: rule["fired"] for rule in sandbox.call("GET", "/rules")["data"]}
    unmet = sandbox.call("GET", "/scenario")["unmet"]
    if expect:
        unmet += sandbox.call("POST", "/expect", dict(expect))["unmet"]
    state = sandbox.state()
    return _SandboxRecord(
        end=sandbox.api_key[-4:],
        entries=entries,
        fired={rule: max(number, seen[rule]) for rule, number in {**seen, **counted_rules}.items()},
        unmet=list(dict.fromkeys(unmet)),
        left=list(_left(sandbox, state)),
        state=state,
    )


def _fired_rules(records: Iterable[_SandboxRecord]) -> list[FiredRule]:
    """Return the rules that fired, each with the faults that it did."""
    times: Counter[str] = Counter()
    faults: dict[str, dict[str, None]] = {}
    for record in records:
        times.update(record.fired)
        for each in (fault for entry in record.entries for fault in entry["faults"]):
            faults.setdefault(each["rule"], {})[each["fault"]] = None
    return [FiredRule(rule, number, list(faults.get(rule, ()))) for rule, number in times.items() if number]


def _requests_by_key(records: Iterable[_SandboxRecord]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for record in records:
        if record.entries:
            found[record.end] += record.entries[-1]["seq"]
    return dict(found)


def _unmet(records: list[_SandboxRecord]) -> list[str]:
    """Return what was expected and did not happen in the sandboxes that were used, or else in the program's own."""
    used = [record for record in records if record.entries] or records[:1]
    several = len({record.end for record in used}) > 1
    return [f"…{record.end}: {each}" if several else each for record in used for each in record.unmet]


def _ending(entry: dict[str, Any]) -> str:
    return str(entry["status"] or ("open" if entry["duration_ms"] is None else "cut"))


def _left(sandbox: Sandbox, after: dict[str, Any]) -> Iterator[LeftResource]:
    """Yield what a sandbox holds that it did not hold at the start; `after` is its state. Resets it: that is how it was
    at the start."""
    sandbox.reset()
    for each in resources_left([sandbox.state()], [after]):
        yield LeftResource(each.noun, each.id, each.name if each.name != each.id else None, sandbox.api_key[-4:])


def _listed(numbers: dict[str, int]) -> str:
    return f" ({', '.join(f'{name} × {n}' for name, n in numbers.items())})" if numbers else ""
