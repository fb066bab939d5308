"""The faults, one file each. This registry finds them by looking; nothing names them."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args

from pydantic import ValidationError

from cnx_mock.api.validation import problems
from cnx_mock.scenario.fault import Fault
from cnx_mock.text.findings import Problem
from cnx_mock.text.suggestions import did_you_mean, one_of


@cache
def kinds() -> tuple[type[Fault], ...]:
    """Every fault there is, in the order of their files' names."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted((kind for kind in _descendants() if kind.key), key=lambda kind: kind.__module__))


def _descendants(base: type[Any] = Fault) -> Iterator[type[Fault]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)


def read(data: Any) -> tuple[tuple[Fault, ...], list[Problem]]:
    """The faults that a rule's `fault` declares, and what is wrong with it; paths start inside `fault`."""
    if not isinstance(data, Mapping):
        return (), [Problem((), "must be an object")]
    known = sorted({name for kind in kinds() for name in kind.model_fields})
    found = [Problem((key,), f"unknown key{did_you_mean(key, known)}", True) for key in data if key not in known]
    faults: list[Fault] = []
    claimed: set[str] = set()
    for kind in kinds():
        if kind.key not in data or kind.key in claimed or not _means(kind, data[kind.key]):
            continue
        claims = [name for name in kind.model_fields if name in data]
        claimed.update(claims)
        mine = {name: data[name] for name in claims}
        try:
            faults.append(kind.model_validate(mine))
        except ValidationError as error:
            found += problems(error, kind, mine, "key")
    found += [_stray(key, data[key]) for key in data if key in known and key not in claimed]
    outcomes = [fault for fault in faults if fault.outcome]
    found += [Problem((f.key,), "is a second outcome: a rule has one", True) for f in outcomes[1:]]
    if not data:
        found.append(Problem((), f"is empty: name at least one of {one_of(sorted({kind.key for kind in kinds()}))}"))
    return tuple(faults), found


def _words(kind: type[Fault]) -> tuple[Any, ...]:
    """The values by which a fault is told from others of the same key: its Literal's; none where any value will do."""
    return get_args(kind.model_fields[kind.key].annotation)


def _means(kind: type[Fault], value: Any) -> bool:
    words = _words(kind)
    return not words or value in words


def _stray(key: str, value: Any) -> Problem:
    """A known key that no fault claimed: its value names no fault, or the key that it belongs to is missing."""
    rivals = [kind for kind in kinds() if kind.key == key]
    if rivals:
        words = [str(word) for kind in rivals for word in _words(kind)]
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        return Problem((key,), f"must be one of: {one_of(words)}{hint}")
    owners = sorted({kind.key for kind in kinds() if key in kind.model_fields})
    return Problem((key,), f"says nothing without {' or '.join(owners)}", True)
