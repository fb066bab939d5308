"""The calls of a run without faults, with what decides which faults apply to each."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cnx_mock.api.errors import InsufficientCredits
from cnx_mock.api.operation import Operation
from cnx_mock.dataclass import dataclass
from cnx_mock.services import operations
from cnx_mock.sweep.shape import shape_of
from cnx_mock.world.kinds import PROVISIONED


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptCall:
    """One call of the run without faults, with what decides which faults apply to it."""

    operation: str
    """The operation's name."""
    ordinal: int
    """Its number among the calls of its operation, from 1."""
    method: str
    """The operation's method."""
    path: str
    """The operation's path template, with parameters in braces."""
    commits: bool = False
    """Whether it changed the account."""
    answered: bool = True
    """Whether its answer had a body, which can then be damaged."""
    provisions: bool = False
    """Whether it created a resource that takes time to provision."""
    charges: bool = False
    """Whether it created a resource that costs money."""
    follows: bool = False
    """Whether it is a read after a change."""
    shape: str = ""
    """The properties by which two calls of an operation are alike: the status, the fields of the query, and the types
    of the fields of the body."""
    reused: bool = False
    """Whether its connection is used for a later call."""
    followed: bool = False
    """Whether it is not the last call."""
    secure: bool = False
    """Whether it came over HTTPS."""
    leads: bool = False
    """Whether it is the first read, or the first change, whose answer has a body."""
    program: str = ""
    """Which of two programs makes it; empty if there is one."""
    name: str = ""
    """The text to show instead, if this is not a call."""

    @property
    def title(self) -> str:
        """The call for a person: `POST /v1/instances #2`."""
        whose = f"{self.program}: " if self.program else ""
        return self.name or f"{whose}{self.method} {self.path} #{self.ordinal}"


def swept_calls(entries: Iterable[Mapping[str, Any]]) -> list[SweptCall]:
    """Return the calls that rules can apply to, in order. `entries` are a journal's, as `GET /_mock/requests` answers
    them.

    Requests without an operation are left out, and so are those that the rate limit refused, or a fault of an earlier
    call: no rule sees them.
    """
    known = {operation.name: operation for operation in operations()}
    ordinals: Counter[str] = Counter()
    calls, changed = [], False
    asked = [each for each in entries if known.get(each["operation"]) is not None and _reaches_rules(each)]
    over = Counter(map(_connection, asked))
    for index, entry in enumerate(asked, 1):
        operation = known[entry["operation"]]
        ordinals[operation.name] += 1
        call = _swept_call(operation, ordinals[operation.name], entry, changed=changed)
        over[_connection(entry)] -= 1
        reused = _connection(entry) is not None and over[_connection(entry)] > 0
        calls.append(replace(call, reused=reused, followed=index < len(asked)))
        changed = changed or entry["committed"]
    leading = {call.method == "GET": call for call in reversed(calls) if call.answered}
    return [replace(call, leads=call in leading.values()) for call in calls]


def _reaches_rules(entry: Mapping[str, Any]) -> bool:
    """Return whether the rules were asked about a call. If such a call has a fault without a rule's decision, the fault
    began at an earlier call and still lasts."""
    if entry["faults"]:
        return any(each["fired"] for each in entry.get("decisions", ({"fired": True},)))
    return bool(entry["status"] != 429)


def _connection(entry: Mapping[str, Any]) -> object:
    return entry.get("connection")


def _swept_call(operation: Operation, ordinal: int, entry: Mapping[str, Any], *, changed: bool) -> SweptCall:
    """Return the call of an entry. `changed` is whether a call before it changed the account."""
    status, commits = entry["status"], entry["committed"]
    creates = commits and operation.method == "POST"
    return SweptCall(
        operation=operation.name,
        ordinal=ordinal,
        method=operation.method,
        path=operation.path,
        commits=commits,
        answered=bool(status and status < 400 and entry["response_body"] and entry["method"] != "HEAD"),
        provisions=creates and operation.resource.kind in PROVISIONED,
        charges=creates and InsufficientCredits in operation.raises,
        follows=changed and not operation.mutates,
        secure=bool(entry.get("secure")),
        shape=shape_of(entry),
    )


def unlike(calls: Sequence[SweptCall]) -> list[SweptCall]:
    """Return the calls without repetitions: of several calls with the same operation and the same shape, such as polls,
    only the first, the second and the last stay."""
    groups: dict[tuple[str, str], list[SweptCall]] = {}
    for call in calls:
        groups.setdefault((call.operation, call.shape), []).append(call)
    kept = {id(call) for group in groups.values() for call in (*group[:2], group[-1])}
    return [call for call in calls if id(call) in kept]
