"""Which calls of two programs conflict: their order can change an answer, or what is left."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.race.schedule import Racer
from cnx_mock.sweep.state import KINDS

Token = tuple[str, ...]
"""Something that calls read and write: the list of a kind, a resource by its id, the balance."""

BALANCE: Token = ("balance",)
_REFERENCES = ("instance_ids", "instance", "image")
_ATTACHING = ("firewalls", "load_balancers")


@dataclass(frozen=True, slots=True)
class Access:
    """What a call reads and writes."""

    reads: frozenset[Token]
    writes: frozenset[Token]

    def conflicts(self, with_: "Access") -> bool:
        """Return whether the order of the two calls can matter."""
        return bool(self.writes & (with_.reads | with_.writes) or with_.writes & self.reads)


def access(entry: Mapping[str, Any]) -> Access:
    """Return what a call of a journal reads and writes."""
    kind, _, verb = str(entry["operation"]).partition(".")
    if kind in ("billing", "account"):
        return Access(frozenset([BALANCE]), frozenset())
    if kind not in KINDS:
        return Access(frozenset(), frozenset())
    listed: Token = ("list", kind)
    own: Token = ("id", str(entry["created_id"] or entry["path"].rpartition("/")[2]))
    if verb == "list":
        return Access(frozenset([listed]), frozenset())
    if verb == "get":
        return Access(frozenset([own]), frozenset())
    attached = {("id", each) for each in _references(entry["request_body"])}
    if not entry["committed"]:  # a refusal depends on what it would have changed
        return Access(frozenset({listed, own, BALANCE, *attached}), frozenset())
    changed = {listed, own, *attached, *((BALANCE,) if verb != "replace" else ())}
    if kind == "instances" and verb == "delete":  # it is taken out of whatever it is attached to
        changed |= {("list", each) for each in _ATTACHING}
    return Access(frozenset(attached), frozenset(changed))


def _references(body: str | None) -> Iterator[str]:
    """Yield the ids of other resources that a request's body names. The name of an image is none."""
    try:
        fields = json.loads(body or "{}")
    except ValueError:
        return
    for key in _REFERENCES:
        value = fields.get(key) if isinstance(fields, dict) else None
        given = map(str, value if isinstance(value, list) else [value])
        yield from (each for each in given if "_" in each)


def switch_points(
    entries: Sequence[Mapping[str, Any]], racer: Racer, made: int, known: Sequence[Access]
) -> list[Mapping[str, Any]]:
    """Return the calls of a program before which its turn may end, so that the other program's later calls come first.

    `entries` are those of a run, each with its `racer` and its `number` among that program's calls. `made` is how many
    calls the program had made before its turn; in its turn it makes at least one. `known` is what the other program
    does if it is first: what it does here can depend on what this one did before. Such a call conflicts with one that
    the other program may make then, and so does an earlier call of its own: otherwise that order is the same as another
    one.
    """
    accesses = [(each, access(each)) for each in entries]
    found = []
    for index, (entry, mine) in enumerate(accesses):
        if entry["racer"] != racer or entry["number"] < made + 2:
            continue
        later = [*known, *(its for each, its in accesses[index + 1 :] if each["racer"] != racer)]
        earlier = [own for each, own in accesses[:index] if each["racer"] == racer]
        if _any_conflict([mine], later) and _any_conflict(earlier, later):
            found.append(entry)
    return found


def _any_conflict(some: Iterable[Access], others: Sequence[Access]) -> bool:
    return any(one.conflicts(two) for one in some for two in others)
