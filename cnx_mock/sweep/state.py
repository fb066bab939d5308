"""What a run left, for the verdicts: compare the resources of two runs.

Ids, times and provisioning progress differ from run to run: they are not compared, and a reference to another resource
is compared by that resource's name.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnx_mock.world.kinds import INSTANCE, MADE, SNAPSHOT

WorldStates = Sequence[Mapping[str, Any]]
"""The state of every sandbox of a run, each as `GET /_mock/state` answers it."""

KINDS = {kind.plural: kind for kind in MADE}
"""The kinds of resources that a program can leave, by their key in a state."""

_NOT_COMPARED = frozenset({"id", "number", "created_at", "updated_at", "life", "set_at"})
_REFERENCES = ("instance", "image", "instance_ids")
_FINAL_STATUS = {"provisioning": "running"}
"""Statuses that depend on how often the program polled, with the status that follows."""


@dataclass(frozen=True, slots=True)
class ResourceState:
    """One resource of a state. Two are equal if their kind and their compared fields are."""

    kind: str
    """Its key in the state: `load_balancers`."""
    fields: str
    """The compared fields as JSON with sorted keys."""
    name: str = field(compare=False)
    """Its name; its id if it has no name."""
    id: str = field(compare=False, default="")

    @property
    def noun(self) -> str:
        """The noun for its kind: `load balancer`."""
        return KINDS[self.kind].words

    @property
    def comparable_name(self) -> str:
        """Its name, if that is compared; otherwise an empty text."""
        return str(json.loads(self.fields).get("name") or "")

    def __str__(self) -> str:
        return f"{self.noun} {self.name}"


ResourceCounts = Counter[ResourceState]
"""How many resources there are of each state."""
IgnoredFields = Collection[tuple[str, str]]
"""Fields that are not compared, as pairs of kind and field."""


def resources(states: WorldStates, ignored: IgnoredFields = ()) -> Iterator[ResourceState]:
    """Yield every resource, sandbox by sandbox, account by account and kind by kind."""
    for account in (account for state in states for account in state["accounts"]):
        names = {each["id"]: each.get("name") or each["id"] for kind in KINDS for each in account.get(kind, ())}
        for kind in KINDS:
            for each in account.get(kind, ()):
                fields = {key: value for key, value in _fields(each, names).items() if (kind, key) not in ignored}
                yield ResourceState(kind, json.dumps(fields, sort_keys=True), str(names[each["id"]]), str(each["id"]))


def count_resources(states: WorldStates, ignored: IgnoredFields = ()) -> ResourceCounts:
    """Return how many resources there are of each state."""
    return Counter(resources(states, ignored))


def resources_left(before: WorldStates, after: WorldStates) -> list[ResourceState]:
    """Return what a run left behind: the resources of `after` whose ids are not in `before`.

    Both must be of the same sandboxes, so that what was there before the run has the same id in both. A resource that
    the run only changed is not left behind by it.
    """
    known = {each.id for each in resources(before)}
    return [each for each in resources(after) if each.id not in known]


def _fields(entry: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the compared fields of a resource; `names` are the names of the account's resources by id."""
    fields = {key: value for key, value in entry.items() if key not in _NOT_COMPARED}
    for key in _REFERENCES:
        if isinstance(fields.get(key), str):
            fields[key] = names.get(fields[key], _without_id(fields[key]))
        elif isinstance(fields.get(key), list):
            fields[key] = sorted(names.get(each, _without_id(each)) for each in fields[key])
    if fields.get("status") in _FINAL_STATUS:
        fields["status"] = _FINAL_STATUS[fields["status"]]
    return fields


def _without_id(reference: str) -> str:
    """Return `inst_gone` or `snap_gone` for the id of a resource that no longer exists; an image's name unchanged."""
    kind, _, digits = reference.partition("_")
    return f"{kind}_gone" if len(digits) == 16 and kind in (INSTANCE.prefix, SNAPSHOT.prefix) else reference


def varying_fields(one: WorldStates, two: WorldStates) -> set[tuple[str, str]]:
    """Return the fields, as pairs of kind and field, that differ between two runs without faults which left equally
    many resources of that kind: for example a name with a random part."""
    varying: set[tuple[str, str]] = set()
    for kind in KINDS:
        left, right = _columns(one, kind), _columns(two, kind)
        if left.get("") == right.get(""):
            varying |= {(kind, key) for key in left.keys() | right.keys() if left.get(key) != right.get(key)}
    return varying


def _columns(states: WorldStates, kind: str) -> dict[str, Counter[str]]:
    """Return how often each field has each value; under the empty name, how many resources there are."""
    columns: dict[str, Counter[str]] = {"": Counter()}
    for resource in resources(states):
        if resource.kind == kind:
            columns[""]["all"] += 1
            for key, value in json.loads(resource.fields).items():
                columns.setdefault(key, Counter())[json.dumps(value)] += 1
    return columns


@dataclass(frozen=True, slots=True)
class StateDifference:
    """How the resources that a run left differ from the expected ones."""

    extra: tuple[ResourceState, ...] = ()
    """Resources that are not expected."""
    missing: tuple[ResourceState, ...] = ()
    """Expected resources that do not exist."""
    changed: tuple[tuple[ResourceState, ResourceState], ...] = ()
    """Resources with other fields than expected: the expected one, and the actual one."""

    def fields(self) -> list[str]:
        """Return the names of the fields in which the changed resources differ."""
        names: dict[str, None] = {}
        for expected, actual in self.changed:
            wanted, found = json.loads(expected.fields), json.loads(actual.fields)
            names |= dict.fromkeys(key for key in sorted(wanted | found) if wanted.get(key) != found.get(key))
        return list(names)


def state_difference(expected: ResourceCounts, actual: ResourceCounts) -> StateDifference:
    """Return how the actual resources differ from the expected ones. An extra and a missing resource of one kind and
    name count as one that has changed."""
    extra, missing = list((actual - expected).elements()), list((expected - actual).elements())
    changed = []
    for resource in list(extra):
        same = next((each for each in missing if (each.kind, each.name) == (resource.kind, resource.name)), None)
        if same is not None:
            missing.remove(same)
            extra.remove(resource)
            changed.append((same, resource))
    return StateDifference(tuple(extra), tuple(missing), tuple(changed))
