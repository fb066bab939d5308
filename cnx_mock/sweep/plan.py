"""Plan a sweep: from the calls of a run without faults, make the cells of the matrix, one call and one fault each."""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import combinations
from typing import Any
from zlib import crc32

from cnx_mock.api.operation import Operation
from cnx_mock.api.operation_names import no_operation
from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SweepPlanError
from cnx_mock.scenario.matching import Pattern
from cnx_mock.sweep.swept_call import SweptCall
from cnx_mock.text.suggestions import did_you_mean, one_of
from cnx_mock.world.chance import fraction


@dataclass(frozen=True, slots=True)
class SweepFault:
    """One kind of failure that a sweep injects."""

    name: str
    """Its name in `--faults`, in the matrix and in reports."""
    description: str
    """It in a few words: `reset after commit`."""
    applies_to: Callable[[SweptCall], bool]
    """Return whether it can happen to a call."""
    effect: dict[str, Any]
    """The `fault` of a scenario's rule that causes it."""
    at: str = "before"
    """The `at` of that rule."""
    take: int | None = 1
    """How many calls of the operation it affects, from the chosen one on; None for all of them."""
    seconds: float = 0
    """How long it keeps a client waiting that has no deadline."""
    by_default: bool = True
    """Whether it is used if no faults are named."""
    server: bool = False
    """Whether it strikes the whole server, and with it every sandbox."""
    bars: bool = False
    """Whether no call succeeds any more behind it, so that the client cannot delete anything."""
    title: str = "{call}, {fault}"
    """What happens, in words: `{call}` stands for the call, `{fault}` for the description."""

    def at_call(self, call: SweptCall) -> str:
        """Return what happens to a call, for a person: "`POST /v1/instances` #2, reset after commit"."""
        return self.title.format(call=f"`{call.method} {call.path}` #{call.ordinal}", fault=self.description)


def rule_for(operation: str, ordinal: int, fault: SweepFault) -> dict[str, Any]:
    """Return a scenario's rule that injects a fault into the call with this ordinal of an operation."""
    span = {"skip": ordinal - 1, "take": fault.take}
    times = {"only": [ordinal]} if fault.take == 1 else {key: value for key, value in span.items() if value}
    limited = {"times": times} if times else {}
    at = {} if fault.at == "before" else {"at": fault.at}
    rule_id = f"sweep:{operation}-{ordinal}-{fault.name}"
    return {"id": rule_id, "match": {"operation": operation}, **limited, **at, "fault": fault.effect}


def _every(call: SweptCall) -> bool:
    return True


def _committed(call: SweptCall) -> bool:
    return call.commits


FAULTS = (
    SweepFault("error", "INTERNAL_ERROR before effect", _every, {"error": "INTERNAL_ERROR"}),
    SweepFault("error-after", "INTERNAL_ERROR after commit", _committed, {"error": "INTERNAL_ERROR"}, at="after"),
    SweepFault("outage", "INTERNAL_ERROR five times", _every, {"error": "INTERNAL_ERROR"}, take=5),
    SweepFault("down", "INTERNAL_ERROR from here on", _every, {"error": "INTERNAL_ERROR"}, take=None),
    SweepFault("reset", "reset before effect", _every, {"connection": "reset"}),
    SweepFault("reset-after", "reset after commit", _committed, {"connection": "reset"}, at="after"),
    SweepFault(
        "rate-limit", "RATE_LIMITED with Retry-After 2 s", _every, {"error": "RATE_LIMITED", "retry_after": "2s"}
    ),
    SweepFault(
        "rate-limit-date",
        "RATE_LIMITED with an HTTP date 2 s from now",
        _every,
        {"error": "RATE_LIMITED", "retry_after": {"date": "2s"}},
    ),
    SweepFault("gateway", "503 with an HTML page from a load balancer", _every, {"gateway": 503}),
    SweepFault("revoked", "the key is revoked from here on", _every, {"revoked": "forever"}, bars=True),
    SweepFault("hang", "hang before effect", _every, {"connection": "hang"}),
    SweepFault("hang-after", "hang after commit", _committed, {"connection": "hang"}, at="after"),
    SweepFault("delivered-twice", "delivered twice", _committed, {"delivery": "twice"}),
    SweepFault(
        "dies-idle",
        "then its connection dies while it is idle",
        lambda call: call.reused,
        {"connection": "dies_idle"},
    ),
    SweepFault("truncate", "truncated body", lambda call: call.answered, {"body": {"truncate": 0.5}}),
    SweepFault("bad-json", "malformed JSON", lambda call: call.answered, {"body": "malformed_json"}),
    SweepFault(
        "drip",
        "a body that takes 61 s, piece by piece",
        lambda call: call.leads,
        {"drip": {"chunks": 122, "over": "61s"}},
        seconds=61,
    ),
    SweepFault(
        "no-credits",
        "INSUFFICIENT_CREDITS from here on",
        lambda call: call.charges,
        {"error": "INSUFFICIENT_CREDITS"},
        take=None,
    ),
    SweepFault("never-ready", "provisioning that never ends", lambda call: call.provisions, {"provisioning": "never"}),
    SweepFault("stale", "stale read", lambda call: call.follows, {"stale": "1m"}),
    SweepFault(
        "refused",
        "then connections are refused for 300 ms",
        lambda call: call.followed,
        {"refuse_connections": "300ms"},
        by_default=False,
        server=True,
    ),
    SweepFault(
        "no-handshake",
        "then two TLS handshakes fail",
        lambda call: call.followed and call.secure,
        {"fail_handshakes": {"connections": 2}},
        by_default=False,
        server=True,
    ),
)
"""Every fault, in the order of the matrix's columns."""

_HANG = {"connection": "hang"}
CRASHES = (
    SweepFault("crash", "killed before effect", _every, _HANG, title="killed before {call}"),
    SweepFault(
        "crash-after", "killed after commit", _committed, _HANG, at="after", title="killed after {call} was committed"
    ),
)
"""What `--crash` does at each call. The call is not answered, and the program is killed while it waits."""

Injection = tuple[SweptCall, SweepFault]
"""A fault at a call."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One run to make, with one fault at one call, or with two faults at two calls."""

    injections: tuple[Injection, ...]

    @property
    def call(self) -> SweptCall:
        """The first call with a fault."""
        return self.injections[0][0]

    @property
    def fault(self) -> SweepFault:
        """The fault at the first call."""
        return self.injections[0][1]

    @property
    def name(self) -> str:
        """Its name, also that of its file: `instances.create-2-reset-after`."""
        return "--".join(f"{call.operation}-{call.ordinal}-{fault.name}" for call, fault in self.injections)

    @property
    def title(self) -> str:
        """The cell for a person: "`POST /v1/instances` #2, reset after commit"."""
        return "; ".join(filter(None, (fault.at_call(call) for call, fault in self.injections)))

    @property
    def lasts(self) -> bool:
        """Whether one of its faults affects more than one call, so that a client has to back off several times."""
        return any(fault.take != 1 for _, fault in self.injections)

    @property
    def bars(self) -> bool:
        """Whether one of its faults leaves the client without a way to delete anything."""
        return any(fault.bars for _, fault in self.injections)

    @property
    def seconds(self) -> float:
        """How long its faults keep a client waiting that has no deadline."""
        return sum(fault.seconds for _, fault in self.injections)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules that inject its faults."""
        return [rule_for(call.operation, call.ordinal, fault) for call, fault in self.injections]

    def document(self) -> dict[str, Any]:
        """Return its scenario as plain data. Resources are ready at the second poll, so that waiting is short."""
        return {"name": f"sweep {self.name}"[:100], "provisioning": {"polls": 1}, "rules": self.rules}


NO_FAULTS: dict[str, Any] = {"name": "sweep", "provisioning": {"polls": 1}}
"""The scenario of the runs without faults, as plain data."""


def select_faults(
    names: Sequence[str], among: Sequence[SweepFault] = FAULTS, limit: float | None = None
) -> list[SweepFault]:
    """Return the faults with these names, in the order of the matrix. If there are no names, return all default ones
    that a run can outlast whose time limit is `limit`, in seconds. Raises SweepPlanError for an unknown name."""
    known = {fault.name: fault for fault in among}
    for name in names:
        if name not in known:
            raise SweepPlanError(f"no fault is called {name!r}{did_you_mean(name, known)} (there are {one_of(known)})")
    if names:
        return [fault for fault in among if fault.name in names]
    return [fault for fault in among if fault.by_default and (limit is None or fault.seconds < limit)]


def check_operations(patterns: Sequence[str], known: Collection[Operation]) -> None:
    """Raise SweepPlanError for a pattern that matches no operation's name."""
    for pattern in patterns:
        if not any(Pattern(pattern.removeprefix("!")).matches(each.name) for each in known):
            raise SweepPlanError(no_operation(pattern, known))


def plan_cells(
    calls: Sequence[SweptCall], faults: Sequence[SweepFault], patterns: Sequence[str] = (), *, pairs: bool = False
) -> list[Cell]:
    """Return the cells, call by call.

    `patterns` select operations by name; without any, all are selected. `pairs` adds a cell for every two faults at
    two different calls, without those that take long.
    """
    selected = Pattern(list(patterns)) if patterns else Pattern("*")
    injections = [
        (call, fault)
        for call in calls
        for fault in faults
        if selected.matches(call.operation) and fault.applies_to(call)
    ]
    cells = [Cell((injection,)) for injection in injections]
    short = [(call, fault) for call, fault in injections if not fault.seconds]
    return [*cells, *_pairs(short)] if pairs else cells


def _pairs(injections: Sequence[Injection]) -> Iterator[Cell]:
    return (Cell((one, two)) for one, two in combinations(injections, 2) if one[0] != two[0])


def sample_cells(cells: Sequence[Cell], most: int | None, seed: int) -> list[Cell]:
    """Return at most `most` of the cells, in their order. Single faults come before pairs; otherwise the seed decides.
    None for `most` returns all."""
    if most is None or len(cells) <= most:
        return list(cells)
    drawn = sorted(cells, key=lambda cell: (len(cell.injections), fraction(seed, "sweep", cell.name)))[:most]
    kept = set(map(id, drawn))
    return [cell for cell in cells if id(cell) in kept]


def in_shard(cells: Sequence[Cell], shard: tuple[int, int]) -> list[Cell]:
    """Return the cells of one shard, given as its number from 1 and how many there are. The names of the cells decide,
    so that each cell is in exactly one shard, on whichever machine."""
    number, of = shard
    return [cell for cell in cells if crc32(cell.name.encode()) % of == number - 1]
