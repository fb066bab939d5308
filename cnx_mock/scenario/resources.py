"""`expect: {instances: 1}`: the resources that must exist at the end, and sentences about the differences."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cnx_mock.dataclass import dataclass
from cnx_mock.scenario.matching import Pattern
from cnx_mock.text.plural import counted
from cnx_mock.world.kinds import Kind

_MOST = 1_000_000
_SHOWN = 5
"""How many resources a message names."""

_COUNT_OR_LIST = [
    {"type": "integer", "minimum": 0, "maximum": _MOST},
    {"type": "array", "items": {"type": "object", "minProperties": 1}},
]
RESOURCES_SCHEMA: dict[str, Any] = {
    "anyOf": [
        *_COUNT_OR_LIST,
        {
            "type": "object",
            "properties": {"at_least": {"anyOf": _COUNT_OR_LIST, "description": "The same, and there may be more."}},
            "required": ["at_least"],
            "additionalProperties": False,
        },
    ]
}

Fields = Mapping[str, Any]
"""A resource as the API shows it, or what is expected of one."""


@dataclass(frozen=True, slots=True)
class ExpectedResources:
    """Which resources of one kind there must be: a number of them, or one for each item."""

    number: int
    items: tuple[Fields, ...] = ()
    """What is expected of each of them; nothing if only their number counts."""
    more: bool = False
    """Whether there may be more."""

    def unmet(self, kind: Kind, number: int, shown: Callable[[int], Sequence[Fields]]) -> list[str]:
        """Return what is not as expected, one line for each. There are so many resources; `shown` returns the first
        ones as the API shows them.

        Where only their number counts, those that a message names are looked at. Only what is expected of single ones
        looks at all, which takes long in a large world."""
        if not self.items:
            return [] if self._enough(number) else [_wrong_number(self, kind, number, shown(_SHOWN))]
        found = shown(number)
        places = _assigned(self.items, found)
        missing = [item for index, item in enumerate(self.items) if index not in places]
        spare = [each for index, each in enumerate(found) if index not in places.values()]
        return [*_missing(kind, missing, spare, found), *([] if self.more else _unexpected(kind, spare))]

    def _enough(self, number: int) -> bool:
        return number >= self.number if self.more else number == self.number


def read_resources(value: object) -> ExpectedResources:
    """Return what a scenario says about the resources of one kind. Raises ValueError if it cannot be used."""
    if isinstance(value, ExpectedResources):
        return value
    if isinstance(value, Mapping):
        if list(value) != ["at_least"]:
            raise ValueError(f"{_FORM}; write the fields of a resource in a list: [{{name: web-1}}]")
        return _read(value["at_least"], more=True)
    return _read(value, more=False)


_FORM = "must be a number such as 1, a list such as [{name: web-1, status: running}], or {at_least: …} with one of both"


def _read(value: object, *, more: bool) -> ExpectedResources:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return ExpectedResources(value, more=more)
    if isinstance(value, list) and all(isinstance(each, Mapping) and each for each in value):
        return ExpectedResources(len(value), tuple(value), more)
    raise ValueError(_FORM)


def _assigned(items: Sequence[Fields], found: Sequence[Fields]) -> dict[int, int]:
    """Return a resource for as many items as possible, no resource twice: indexes of `found` by indexes of `items`."""
    holders: dict[int, int] = {}

    def placed(item: int, tried: set[int]) -> bool:
        for place, each in enumerate(found):
            if place not in tried and not _differing(items[item], each):
                tried.add(place)
                if place not in holders or placed(holders[place], tried):
                    holders[place] = item
                    return True
        return False

    for index in range(len(items)):
        placed(index, set())
    return {item: place for place, item in holders.items()}


def _missing(kind: Kind, missing: Sequence[Fields], spare: list[Fields], found: Sequence[Fields]) -> Iterator[str]:
    """Yield a line for each item without a resource. If one of the unexpected resources is similar, the sentence names
    it, and it does not count as unexpected any more."""
    for item in missing:
        near = min(spare, key=lambda each: len(_differing(item, each)), default=None)
        fields = [] if near is None else _differing(item, near)
        if near is None or len(fields) == len(item):
            another = "other " if any(not _differing(item, each) for each in found) else ""
            yield f"there is no {another}{kind.words} with {_listed(item)}"
            continue
        spare.remove(near)
        wrong = " and ".join(f"{name} {_text(near.get(name))}, not {_text(item[name])}" for name in fields)
        yield f"the {kind.words} {_name(near)} has {wrong}"


def _unexpected(kind: Kind, spare: Sequence[Fields]) -> Iterator[str]:
    for each in spare:
        yield f"the {kind.words} {_name(each)} ({each['id']}) is not expected"


def _differing(item: Fields, resource: Fields) -> list[str]:
    """Return the names of the fields in which a resource is not as expected."""
    return [name for name, wanted in item.items() if name not in resource or not _matches(wanted, resource[name])]


def _matches(wanted: object, value: object) -> bool:
    """Return whether a value is as expected. Of a list, each expected item must be in it; of an object, each expected
    field. For any other value, a list has alternatives, and `*` stands for any text."""
    if isinstance(value, list):
        items = wanted if isinstance(wanted, list) else [wanted]
        return all(any(_matches(item, each) for each in value) for item in items)
    if isinstance(value, Mapping):
        return isinstance(wanted, Mapping) and not _differing(wanted, value)
    return Pattern(wanted).matches(value)


def _wrong_number(expected: ExpectedResources, kind: Kind, number: int, first: Sequence[Fields]) -> str:
    names = ", ".join(f"{_name(each)} ({each['id']})" for each in first)
    rest = f" and {number - _SHOWN} more" if number > _SHOWN else ""
    wanted = f"at least {expected.number}" if expected.more else str(expected.number)
    verb = "is" if number == 1 else "are"
    return f"there {verb} {counted(number, kind.words)}, not {wanted}" + (f": {names}{rest}" if first else "")


def _name(resource: Fields) -> str:
    return str(resource.get("name") or resource["id"])


def _listed(item: Fields) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in item.items())


def _text(value: object) -> str:
    return " or ".join(map(str, value)) if isinstance(value, list) else "nothing" if value is None else str(value)
