"""Compare the resources that two runs left, for the verdicts.

Ids, times and provisioning progress differ from run to run: they are not compared, and a reference to another resource
is compared by that resource's name.
"""

import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.sweep.varying import NOTHING, Varying, varying
from cnx_mock.world.kinds import INSTANCE, MADE, SNAPSHOT

WorldStates = Sequence[Mapping[str, Any]]
"""The state of every sandbox of a run, each as `GET /_mock/state` answers it."""

KINDS = {kind.plural: kind for kind in MADE}
"""The kinds of resources that a program can leave, by their key in a state."""

_NOT_COMPARED = frozenset({"id", "number", "created_at", "updated_at", "life", "set_at"})
_REFERENCES = ("instance", "image", "instance_ids")
FINAL_STATUS = {"provisioning": "running"}
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


def resources(states: WorldStates, chance: Varying = NOTHING) -> Iterator[ResourceState]:
    """Yield every resource, sandbox by sandbox, account by account and kind by kind. What varies by `chance` is
    normalised."""
    for account in (account for state in states for account in state["accounts"]):
        names = {each["id"]: each.get("name") or each["id"] for kind in KINDS for each in account.get(kind, ())}
        for kind in KINDS:
            for each in account.get(kind, ()):
                fields = chance.normalised(kind, _fields(each, names))
                yield ResourceState(kind, json.dumps(fields, sort_keys=True), str(names[each["id"]]), str(each["id"]))


def count_resources(states: WorldStates, chance: Varying = NOTHING) -> ResourceCounts:
    """Return how many resources there are of each state."""
    return Counter(resources(states, chance))


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
    if fields.get("status") in FINAL_STATUS:
        fields["status"] = FINAL_STATUS[fields["status"]]
    return fields


def _without_id(reference: str) -> str:
    """Return `inst_gone` or `snap_gone` for the id of a resource that no longer exists; an image's name unchanged."""
    kind, _, digits = reference.partition("_")
    return f"{kind}_gone" if len(digits) == 16 and kind in (INSTANCE.prefix, SNAPSHOT.prefix) else reference


def varying_values(one: WorldStates, two: WorldStates) -> Varying:
    """Return what varies by chance between two runs without faults, in the kinds of which both left equally many: for
    example a name with a random part."""
    return varying(_pairs(one, two))


def _pairs(one: WorldStates, two: WorldStates) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the resources of two runs that differ, in pairs: those with the same name, then those in the same place."""
    found, others = list(resources(one)), list(resources(two))
    for kind in KINDS:
        left, right = ([each for each in run if each.kind == kind] for run in (found, others))
        if len(left) != len(right):
            continue
        rest = list((Counter(right) - Counter(left)).elements())
        for each in (Counter(left) - Counter(right)).elements():
            same = next((other for other in rest if other.name == each.name), rest[0])
            rest.remove(same)
            yield kind, json.loads(each.fields), json.loads(same.fields)


@dataclass(frozen=True, slots=True)
class StateDifference:
    """How the resources that a run left differ from the expected ones."""

    extra: tuple[ResourceState, ...] = ()
    """Resources that are not expected."""
    missing: tuple[ResourceState, ...] = ()
    """Expected resources that do not exist."""
    changed: tuple[tuple[ResourceState, ResourceState], ...] = ()
    """Resources with other fields than expected: the expected one, and the actual one."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no difference."""
        return not (self.extra or self.missing or self.changed)

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
    waiting: dict[tuple[str, str], deque[ResourceState]] = {}
    for each in (expected - actual).elements():
        waiting.setdefault((each.kind, each.name), deque()).append(each)
    extra, changed = [], []
    for resource in (actual - expected).elements():
        if same := waiting.get((resource.kind, resource.name)):
            changed.append((same.popleft(), resource))
        else:
            extra.append(resource)
    taken = Counter((each.kind, each.name) for each, _ in changed)
    missing = []
    for each in (expected - actual).elements():
        if taken[each.kind, each.name]:
            taken[each.kind, each.name] -= 1  # the first ones
        else:
            missing.append(each)
    return StateDifference(tuple(extra), tuple(missing), tuple(changed))
