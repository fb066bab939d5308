"""Values that vary by chance from run to run: the varying part is normalised, and the rest of the value is compared.

Two runs without faults are compared. `job-3f2a` and `job-9c1d` become `job-*`: a later run may have any word there, and
no other name. So a random word in a firewall's rules does not hide that a rule is missing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from cnx_mock.dataclass import dataclass

ValuePath = tuple[str, ...]
"""Where a value stands in a resource: the kind, and then keys; `[]` stands for every item of a list."""
Template = tuple[str | None, ...]
"""The words and separators of a text; None for a word that varies. An empty one fits every value."""

_ANYTHING: Template = ()
_SHOWN = "*"


@dataclass(frozen=True)
class Varying:
    """The values that vary."""

    templates: Mapping[ValuePath, frozenset[Template]] = field(default_factory=dict)

    def fields(self) -> set[tuple[str, str]]:
        """Return the fields in which something varies, as pairs of kind and field."""
        return {(place[0], place[1]) for place in self.templates}

    def and_also(self, other: "Varying") -> "Varying":
        """Return what varies here, and there."""
        found = dict(self.templates)
        for place, templates in other.templates.items():
            found[place] = found.get(place, frozenset()) | templates
        return Varying(found)

    def normalised(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields of a resource with `*` for what varies."""
        if not any(place[0] == kind for place in self.templates):
            return dict(fields)
        return {key: self._value((kind, key), value) for key, value in fields.items()}

    def _value(self, place: ValuePath, value: Any) -> Any:
        templates = self.templates.get(place, frozenset())
        if _ANYTHING in templates:
            return _SHOWN
        if isinstance(value, str):
            words = _words(value)
            fitting = (template for template in templates if _fits(template, words))
            found = min(fitting, key=lambda each: each.count(None), default=None)
            return value if found is None else "".join(_SHOWN if word is None else word for word in found)
        if isinstance(value, Mapping):
            return {key: self._value((*place, key), each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._value((*place, "[]"), each) for each in value]
        return value


NOTHING = Varying()


def varying(pairs: Iterable[tuple[str, Mapping[str, Any], Mapping[str, Any]]]) -> Varying:
    """Return what varies between the fields of resources that are the same in two runs, each pair with its kind."""
    found: dict[ValuePath, set[Template]] = {}
    for kind, one, two in pairs:
        for place, template in _differences((kind,), one, two):
            found.setdefault(place, set()).add(template)
    return Varying({place: frozenset(templates) for place, templates in found.items()})


def _differences(place: ValuePath, one: Any, two: Any) -> Iterator[tuple[ValuePath, Template]]:
    if one == two:
        return
    if isinstance(one, Mapping) and isinstance(two, Mapping) and one.keys() == two.keys():
        for key in one:
            yield from _differences((*place, key), one[key], two[key])
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for left, right in zip(one, two, strict=True):
            yield from _differences((*place, "[]"), left, right)
    elif len(place) == 1:  # two resources of a kind with other fields: every field that differs
        for key in sorted(one.keys() | two.keys()):
            if one.get(key) != two.get(key):
                yield (*place, key), _ANYTHING
    else:
        both = isinstance(one, str) and isinstance(two, str)
        yield place, _template(_words(one), _words(two)) if both else _ANYTHING


def _words(text: str) -> list[str]:
    """Split a text into words of letters and digits, and what stands between them."""
    return [word for word in re.split("([0-9A-Za-z]+)", text) if word]


def _template(one: Sequence[str], two: Sequence[str]) -> Template:
    """Return what two texts have in common; a template that fits everything if their forms differ."""
    same_form = len(one) == len(two) and all(
        left == right or (left.isalnum() and right.isalnum()) for left, right in zip(one, two, strict=True)
    )
    if not same_form:
        return _ANYTHING
    return tuple(left if left == right else None for left, right in zip(one, two, strict=True))


def _fits(template: Template, words: Sequence[str]) -> bool:
    return len(template) == len(words) and all(
        fixed == word or (fixed is None and word.isalnum()) for fixed, word in zip(template, words, strict=True)
    )
