"""The parser's events → plain data, with the place of every key and value, and what is wrong with them.

The data is built straight from the events: libyaml's own composer is recursive, and deep nesting makes it crash.
"""

import re
from dataclasses import field, replace
from typing import Any, NoReturn

import yaml

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import SourceProblem
from cnx_mock.text.parser import WRONG_ESCAPE, events
from cnx_mock.text.positions import Position, position, quoted, source_error
from cnx_mock.text.scalars import resolved

MAX_DEPTH = 64
MAX_VALUES = 50_000
"""The most values of a document; a value that an alias repeats counts each time."""

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Place:
    """The position of a value; `plain` is its text if it is an unquoted scalar."""

    start: Position
    key: Position | None = None
    plain: str = ""
    inside: dict[str | int, "Place"] = field(default_factory=dict)
    """The places of the values in a list or a map."""


_Value = tuple[Any, Place]


class DocumentBuilder:
    """Builds data and places from one text; `problems` has what is wrong so far with what could be read."""

    def __init__(self, text: str, file: str, end: int | None = None) -> None:
        """Read the text up to the index `end`; `file` is the name that problems show."""
        self.text, self.file = text, file
        self.problems: list[SourceProblem] = []
        self._events = events(text[:end])
        self._anchors: dict[str, _Value | None] = {}  # None while the anchored value is still being read
        self._values = 0

    def document(self) -> _Value:
        """Return the document's data and its place.

        Raises SourceError for what we do not allow, and ParserError for what the parser cannot read.
        """
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None, Place((1, 1))
        value = self._value(self._next(), 1)
        self._next()  # the end of the document
        if isinstance(event := self._next(), yaml.DocumentStartEvent):
            self._fail(event, "a second document begins here; a file can have only one")
        return value

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _value(self, event: yaml.Event, depth: int) -> _Value:
        self._count(event)
        return self._node(event, depth)

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            self._fail(event, f"there are more than {MAX_VALUES} values")

    def _node(self, event: yaml.Event, depth: int) -> _Value:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.tag:
            self._add(event, f"tags are not supported: {quoted(event.tag.replace('tag:yaml.org,2002:', '!!'))}")
        if event.anchor:
            self._anchors[event.anchor] = None
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> _Value:
        text: str = event.value
        if _HALF_A_CHARACTER.search(text):  # the parser in Python allows "\ud800"; libyaml does not
            start: Any = event.start_mark
            index = max(self.text.lower().find("\\ud", start.index), start.index)
            raise self._error(position(self.text, index), WRONG_ESCAPE)
        if event.style:  # quoted or a block; an unquoted scalar has "" or None, by the parser
            return text, Place(_start(event))
        return self._plain(event, text), Place(_start(event), plain=text)

    def _plain(self, event: yaml.Event, text: str) -> Any:
        try:
            return resolved(text)
        except ValueError as error:
            self._add(event, str(error))
            return text

    def _collection(self, event: yaml.CollectionStartEvent, depth: int) -> _Value:
        self._check_depth(event, depth)
        place = Place(_start(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth), place
        return self._mapping(place, depth), place

    def _sequence(self, place: Place, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item, place.inside[len(items)] = self._value(event, depth + 1)
            items.append(item)
        return items

    def _mapping(self, place: Place, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._node(event, depth + 1)
            key = self._key(event, place)
            value, child = self._value(self._next(), depth + 1)
            if key is not None:
                child.key = _start(event)
                entries[key], place.inside[key] = value, child
        return entries

    def _key(self, event: yaml.Event, place: Place) -> str | None:
        """Return the text of a key; None, after adding a problem, if it cannot be used: its value is dropped."""
        if not isinstance(event, yaml.ScalarEvent):
            self._add(event, "a key must be text")
        elif event.value == "<<" and not event.style:
            self._add(event, "merge keys (<<) are not supported; write the keys out")
        elif first := place.inside.get(event.value):
            line, _ = first.key or first.start
            self._add(event, f"duplicate key {quoted(event.value)} (first set on line {line})")
        else:
            return str(event.value)
        return None

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Value:
        name = str(event.anchor)
        if name not in self._anchors:
            self._fail(event, f"the alias {quoted(name)} has no anchor before it")
        anchored = self._anchors[name]
        if anchored is None:
            self._fail(event, f"the alias {quoted(name)} is inside its own anchor")
        data, place = anchored
        return self._copy(data, event, depth), replace(place)

    def _copy(self, data: Any, event: yaml.Event, depth: int) -> Any:
        """Copy aliased data. Each value counts, so that a bomb is stopped here; and no two places share a list."""
        if not isinstance(data, list | dict):
            return data
        self._check_depth(event, depth)
        for _ in data:
            self._count(event)
        if isinstance(data, list):
            return [self._copy(each, event, depth + 1) for each in data]
        return {key: self._copy(each, event, depth + 1) for key, each in data.items()}

    def _check_depth(self, event: yaml.Event, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._fail(event, f"this is nested deeper than {MAX_DEPTH} levels")

    def _add(self, event: yaml.Event, message: str) -> None:
        self.problems.append(SourceProblem(self.file, *_start(event), message))

    def _fail(self, event: yaml.Event, message: str) -> NoReturn:
        raise self._error(_start(event), message)

    def _error(self, at: Position, message: str) -> Exception:
        return source_error([*self.problems, SourceProblem(self.file, *at, message)], self.text)


def _start(event: yaml.Event) -> Position:
    mark: Any = event.start_mark  # None only for events made by hand
    return mark.line + 1, mark.column + 1
