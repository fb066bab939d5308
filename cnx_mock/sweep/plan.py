"""Which faults strike which calls: from the calls of a run without any to the cells of the matrix."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from cnx_mock.api.errors import InsufficientCredits
from cnx_mock.errors import SweepPlanError
from cnx_mock.scenario.matching import Pattern
from cnx_mock.services import operations
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.world.chance import fraction
from cnx_mock.world.kinds import PROVISIONED


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the run without faults, and what can go wrong with it."""

    operation: str
    """The operation's name."""
    ordinal: int
    """Which call of its operation it is, from 1."""
    method: str
    """The operation's method."""
    path: str
    """The operation's path, with its parameters in braces."""
    commits: bool = False
    """Whether it changed something."""
    answered: bool = True
    """Whether its answer had a body that can be spoilt."""
    provisions: bool = False
    """Whether it makes something that takes time to come up."""
    charges: bool = False
    """Whether it makes something that costs money."""
    follows: bool = False
    """Whether it reads, and something was changed before it."""

    @property
    def title(self) -> str:
        """It for a person: `POST /v1/instances #2`."""
        return f"{self.method} {self.path} #{self.ordinal}"


def recorded(entries: Iterable[Mapping[str, Any]]) -> list[Call]:
    """The calls of a journal, as `GET /_mock/requests` shows them, in their order: all that rules can strike. Those
    that the rate limit refused are none, since no rule is asked about them."""
    known = {operation.name: operation for operation in operations()}
    numbers: Counter[str] = Counter()
    calls, changed = [], False
    for entry in entries:
        operation, status = known.get(entry["operation"]), entry["status"]
        if operation is None or (status == 429 and not entry["faults"]):
            continue
        numbers[operation.name] += 1
        commits = entry["committed"]
        creates = commits and operation.method == "POST"
        calls.append(
            Call(
                operation=operation.name,
                ordinal=numbers[operation.name],
                method=operation.method,
                path=operation.path,
                commits=commits,
                answered=bool(status and status < 400 and entry["response_body"] and entry["method"] != "HEAD"),
                provisions=creates and operation.resource.kind in PROVISIONED,
                charges=creates and InsufficientCredits in operation.raises,
                follows=changed and not operation.mutates,
            )
        )
        changed = changed or commits
    return calls


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a call to go wrong."""

    name: str
    """What `--faults`, the matrix and reports call it."""
    said: str
    """It in a sentence: `reset after commit`."""
    strikes: Callable[[Call], bool]
    """Whether it can strike such a call."""
    fault: dict[str, Any]
    """What a scenario's rule says of it."""
    at: str = "before"
    take: int | None = 1
    """How many calls of the operation it strikes, from this one on; None for all of them."""
    usual: bool = True
    """Whether it strikes unless others are asked for."""


def rule_of(operation: str, ordinal: int, fault: Fault) -> dict[str, Any]:
    """A scenario's rule that does it to the call of this number."""
    span = {"skip": ordinal - 1, "take": fault.take}
    times = {"only": [ordinal]} if fault.take == 1 else {key: value for key, value in span.items() if value}
    limited = {"times": times} if times else {}
    at = {} if fault.at == "before" else {"at": fault.at}
    rule_id = f"sweep:{operation}-{ordinal}-{fault.name}"
    return {"id": rule_id, "match": {"operation": operation}, **limited, **at, "fault": fault.fault}


def _every(call: Call) -> bool:
    return True


def _committed(call: Call) -> bool:
    return call.commits


FAULTS = (
    Fault("error", "INTERNAL_ERROR before effect", _every, {"error": "INTERNAL_ERROR"}),
    Fault("error-after", "INTERNAL_ERROR after commit", _committed, {"error": "INTERNAL_ERROR"}, at="after"),
    Fault("outage", "INTERNAL_ERROR five times", _every, {"error": "INTERNAL_ERROR"}, take=5),
    Fault("down", "INTERNAL_ERROR from here on", _every, {"error": "INTERNAL_ERROR"}, take=None, usual=False),
    Fault("reset", "reset before effect", _every, {"connection": "reset"}),
    Fault("reset-after", "reset after commit", _committed, {"connection": "reset"}, at="after"),
    Fault("rate-limit", "RATE_LIMITED with Retry-After 2 s", _every, {"error": "RATE_LIMITED", "retry_after": "2s"}),
    Fault("hang", "hang before effect", _every, {"connection": "hang"}),
    Fault("hang-after", "hang after commit", _committed, {"connection": "hang"}, at="after"),
    Fault("truncate", "truncated body", lambda call: call.answered, {"body": {"truncate": 0.5}}),
    Fault("bad-json", "malformed JSON", lambda call: call.answered, {"body": "malformed_json"}),
    Fault("no-credits", "INSUFFICIENT_CREDITS", lambda call: call.charges, {"error": "INSUFFICIENT_CREDITS"}),
    Fault("never-ready", "provisioning that never ends", lambda call: call.provisions, {"provisioning": "never"}),
    Fault("stale", "stale read", lambda call: call.follows, {"stale": "1m"}),
)
"""Every fault, in the order of the matrix."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run to be made: one fault at one call, or two."""

    strikes: tuple[tuple[Call, Fault], ...]

    @property
    def call(self) -> Call:
        """The (first) call."""
        return self.strikes[0][0]

    @property
    def fault(self) -> Fault:
        """The (first) fault."""
        return self.strikes[0][1]

    @property
    def name(self) -> str:
        """It as a file's name: `instances.create-2-reset-after`."""
        return "--".join(f"{call.operation}-{call.ordinal}-{fault.name}" for call, fault in self.strikes)

    @property
    def title(self) -> str:
        """It for a person: "`POST /v1/instances` #2, reset after commit"."""
        said = (f"`{call.method} {call.path}` #{call.ordinal}, {fault.said}" for call, fault in self.strikes)
        return "; ".join(said)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """What happens in it, as a scenario's rules."""
        return [rule_of(call.operation, call.ordinal, fault) for call, fault in self.strikes]

    def document(self) -> dict[str, Any]:
        """The scenario in which it happens. Resources come up at the second look, so that waiting for them is short."""
        return {"name": f"sweep {self.name}"[:100], "provisioning": {"polls": 1}, "rules": self.rules}


CALM: dict[str, Any] = {"name": "sweep", "provisioning": {"polls": 1}}
"""The scenario of the runs without faults."""


def chosen_faults(names: Sequence[str]) -> list[Fault]:
    """The faults with these names, or else the usual ones. Raises SweepPlanError."""
    known = {fault.name: fault for fault in FAULTS}
    for name in names:
        if name not in known:
            raise SweepPlanError(f"no fault is called {name!r}{did_you_mean(name, known)} (there are {one_of(known)})")
    return [fault for fault in FAULTS if (fault.name in names if names else fault.usual)]


def check_operations(patterns: Sequence[str], known: Collection[str]) -> None:
    """Raise SweepPlanError for a pattern that means no operation."""
    for pattern in patterns:
        if not any(Pattern(pattern.removeprefix("!")).matches(name) for name in known):
            raise SweepPlanError(f"no operation is called {pattern!r}{did_you_mean(pattern, known)}")


def planned(
    calls: Sequence[Call], faults: Sequence[Fault], patterns: Sequence[str] = (), *, pairs: bool = False
) -> list[Cell]:
    """The cells, call by call. `patterns` are of operations' names, all of them unless given; `pairs` adds every two
    faults at two calls."""
    meant = Pattern(list(patterns)) if patterns else Pattern("*")
    single = [(call, fault) for call in calls for fault in faults if meant.matches(call.operation)]
    strikes = [(call, fault) for call, fault in single if fault.strikes(call)]
    cells = [Cell((strike,)) for strike in strikes]
    return [*cells, *_pairs(strikes)] if pairs else cells


def _pairs(strikes: Sequence[tuple[Call, Fault]]) -> Iterator[Cell]:
    """Two faults at two calls."""
    return (Cell((one, two)) for one, two in combinations(strikes, 2) if one[0] != two[0])


def sampled(cells: Sequence[Cell], most: int | None, seed: int) -> list[Cell]:
    """At most so many of the cells, in their order: single faults before pairs, else drawn by the seed."""
    if most is None or len(cells) <= most:
        return list(cells)
    drawn = sorted(cells, key=lambda cell: (len(cell.strikes), fraction(seed, "sweep", cell.name)))[:most]
    kept = set(map(id, drawn))
    return [cell for cell in cells if id(cell) in kept]
