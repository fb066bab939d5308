"""What a run left behind, in words that can be compared: ids, addresses, times and polls left aside."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

State = Iterable[Mapping[str, Any]]
"""Worlds as `GET /_mock/state` writes them down, one for every sandbox of a run."""

KINDS = {
    "instances": "instance",
    "snapshots": "snapshot",
    "firewalls": "firewall",
    "load_balancers": "load balancer",
}
"""The resources of an account, and what one of them is called."""

_ASIDE = frozenset({"id", "number", "created_at", "updated_at", "life", "set_at"})
_REFERENCES = ("instance", "image", "instance_ids")
_COMING_UP = {"provisioning": "running"}
"""Statuses that follow from the number of polls, and what comes of them."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource, but for what differs from run to run."""

    kind: str
    """Its place in the document: `load_balancers`."""
    fields: str
    """All that is compared, as JSON."""
    name: str = field(compare=False)
    """What it is called."""

    def __str__(self) -> str:
        return f"{KINDS[self.kind]} {self.name}"


Things = Counter[Thing]
Aside = Collection[tuple[str, str]]
"""Fields that are left aside, each with its kind."""


def things(state: State, aside: Aside = ()) -> Things:
    """Everything that is there, each as often as it is there."""
    found: Things = Counter()
    for account in (account for world in state for account in world["accounts"]):
        names = {each["id"]: each.get("name") or each["id"] for kind in KINDS for each in account.get(kind, ())}
        for kind in KINDS:
            for each in account.get(kind, ()):
                fields = {key: value for key, value in _fields(each, names).items() if (kind, key) not in aside}
                found[Thing(kind, json.dumps(fields, sort_keys=True), _called(each))] += 1
    return found


def _fields(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """What is compared of one entry: references by name, since ids differ."""
    fields = {key: value for key, value in entry.items() if key not in _ASIDE}
    for key in _REFERENCES:
        if isinstance(fields.get(key), str):
            fields[key] = names.get(fields[key], _without_id(fields[key]))
        elif isinstance(fields.get(key), list):
            fields[key] = sorted(names.get(each, _without_id(each)) for each in fields[key])
    if fields.get("status") in _COMING_UP:
        fields["status"] = _COMING_UP[fields["status"]]
    return fields


def _without_id(value: str) -> str:
    """A reference to something that is gone, by its kind; an image's name as it is."""
    kind, _, digits = value.partition("_")
    return f"{kind}_gone" if len(digits) == 16 and kind in ("inst", "snap") else value


def _called(entry: Mapping[str, Any]) -> str:
    return str(entry.get("name") or entry.get("id"))


def unsteady(one: State, two: State) -> set[tuple[str, str]]:
    """The fields in which two runs of the same differ although they left equally many resources: names with a random
    part, say."""
    aside: set[tuple[str, str]] = set()
    for kind in KINDS:
        left, right = _columns(one, kind), _columns(two, kind)
        if left.get("") == right.get(""):
            aside |= {(kind, key) for key in left.keys() | right.keys() if left.get(key) != right.get(key)}
    return aside


def _columns(state: State, kind: str) -> dict[str, Counter[str]]:
    """Every field's values, with how often each is there; under the empty name how many resources there are."""
    columns: dict[str, Counter[str]] = {"": Counter()}
    for thing, count in things(state).items():
        if thing.kind == kind:
            columns[""]["all"] += count
            for key, value in json.loads(thing.fields).items():
                columns.setdefault(key, Counter())[json.dumps(value)] += count
    return columns


@dataclass(frozen=True, slots=True)
class Difference:
    """How what a run left differs from what the run without faults left."""

    extra: tuple[Thing, ...] = ()
    """What is there beside it."""
    missing: tuple[Thing, ...] = ()
    """What is not there."""
    changed: tuple[tuple[Thing, Thing], ...] = ()
    """What is there otherwise: as it should be, as it is."""

    def fields(self) -> list[str]:
        """The fields of what is there otherwise."""
        names: dict[str, None] = {}
        for expected, actual in self.changed:
            wanted, found = json.loads(expected.fields), json.loads(actual.fields)
            names |= dict.fromkeys(key for key in sorted(wanted | found) if wanted.get(key) != found.get(key))
        return list(names)


def difference(expected: Things, actual: Things) -> Difference:
    """How the actual things differ from the expected ones. Things of one kind and name are one thing that differs."""
    extra, missing = list((actual - expected).elements()), list((expected - actual).elements())
    changed = []
    for thing in list(extra):
        same = next((each for each in missing if (each.kind, each.name) == (thing.kind, thing.name)), None)
        if same is not None:
            missing.remove(same)
            extra.remove(thing)
            changed.append((same, thing))
    return Difference(tuple(extra), tuple(missing), tuple(changed))


def added(start: Mapping[str, Any], end: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what is in a world at the end of a run and was not there at its start, each with its kind.

    Resources are told apart by their ids, which no later resource gets again: this is what the run itself left.
    """
    for before, after in zip(start["accounts"], end["accounts"], strict=False):
        for kind in KINDS:
            known = {each["id"] for each in before.get(kind, ())}
            yield from ((kind, each) for each in after.get(kind, ()) if each["id"] not in known)
