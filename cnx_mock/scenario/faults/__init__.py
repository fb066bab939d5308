"""The faults, one file each. This registry finds them by importing every file here; no list names them."""

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, get_args

from cnx_mock.api.declarations import BaseModel, model_of
from cnx_mock.api.validation import attempt
from cnx_mock.errors import Problem
from cnx_mock.scenario.fault import Fault
from cnx_mock.text.suggestions import nearest, one_of, unknown

_FILES = tuple(module.name for module in iter_modules(__path__))
"""The names of the files: listed at once, since a test may have a fake file system later."""


@cache
def kinds() -> tuple[type[Fault], ...]:
    """Return every fault, in the order of their files' names."""
    for name in _FILES:
        import_module(f"{__name__}.{name}")
    return tuple(sorted((kind for kind in _descendants() if kind.key), key=lambda kind: kind.__module__))


def keys() -> list[str]:
    """Return every key that a fault may have."""
    return sorted({name for kind in kinds() for name in kind.model_fields})


def words_of(key: str) -> list[str]:
    """Return the plain words that a key takes, such as the kinds of broken connections."""
    return sorted(str(word) for kind in kinds() if kind.key == key for word in _words(kind))


def example(kind: type[Fault]) -> str:
    """Return the example with which a fault's docstring begins, as a scenario file has it: `latency: 200ms`."""
    return (inspect.getdoc(kind) or "").split("`")[1]


def _descendants(base: type[Any] = Fault) -> Iterator[type[Fault]]:
    for child in base.__subclasses__():
        yield child
        yield from _descendants(child)


def read(data: Any) -> tuple[tuple[Fault, ...], list[Problem]]:
    """Return the faults that a rule's `fault` declares, and every problem with it; paths start inside `fault`."""
    if not isinstance(data, Mapping):
        return (), [Problem((), "must be an object: {error: INTERNAL_ERROR}")]
    known = keys()
    found = [Problem((key,), unknown("key", key, known), True) for key in data if key not in known]
    faults: list[Fault] = []
    claimed: set[str] = set()
    for kind in kinds():
        if kind.key not in data or kind.key in claimed or not _means(kind, data[kind.key]):
            continue
        claims = [name for name in kind.model_fields if name in data]
        claimed.update(claims)
        mine = {name: data[name] for name in claims}
        fault, wrong = attempt(kind, mine, "key")
        faults += [] if fault is None else [fault]
        found += wrong
    found += [_stray(key, data[key]) for key in data if key in known and key not in claimed]
    for index, fault in enumerate(faults):
        if fault.role and any(fault.role == earlier.role for earlier in faults[:index]):
            found.append(Problem((fault.key,), f"is a second {fault.role}: a rule can have only one", True))
    if not data:
        found.append(Problem((), f"is empty: name at least one of {one_of(sorted({kind.key for kind in kinds()}))}"))
    return tuple(faults), found


def _words(kind: type[Fault]) -> tuple[Any, ...]:
    """Return the values that tell a fault from others with the same key: those of its Literal; none if any value is
    its own."""
    return get_args(kind.model_fields[kind.key].annotation)


def _parts(kind: type[Fault]) -> tuple[str, ...]:
    """Return the keys that tell a fault from others with the same key if its value is an object."""
    declared = kind.model_fields[kind.key].annotation
    return (
        tuple(declared.model_fields) if isinstance(declared, type) and issubclass(declared, model_of(BaseModel)) else ()
    )


def _means(kind: type[Fault], value: Any) -> bool:
    words, parts = _words(kind), _parts(kind)
    if parts and any(rival.key == kind.key and rival is not kind for rival in kinds()):
        return isinstance(value, Mapping) and any(part in value for part in parts)
    return not words or value in words


def _stray(key: str, value: Any) -> Problem:
    """Return the problem of a known key that belongs to no fault here: its value means no fault, or the main key of its
    fault is missing."""
    rivals = [kind for kind in kinds() if kind.key == key]
    if rivals:
        words = [str(word) for kind in rivals for word in _words(kind)]
        parts = [part for kind in rivals for part in _parts(kind)]
        given = next(iter(value), "") if isinstance(value, Mapping) else value
        near = nearest(given, words + parts)
        meant = f"{{{near}: …}}" if near in parts else near
        hint = "" if near is None else f"; did you mean '{meant}'?"
        return Problem((key,), f"must be one of: {one_of([*words, *(f'{{{part}: …}}' for part in parts)])}{hint}")
    owners = sorted({kind.key for kind in kinds() if key in kind.model_fields})
    return Problem((key,), f"has no effect without {' or '.join(owners)}", True)
