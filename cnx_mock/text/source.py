"""YAML text → plain data, with the line and column of every key and value.

Scalars follow the YAML 1.2 core schema, so that ``no``, ``1:30`` and ``2026-01-01`` are text; ``0777`` is text too.
Keys are always text. The data is built straight from the parser's events: libyaml's own composer is recursive and
dies of a segmentation fault on deep nesting.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml

from cnx_mock.errors import Path, Problem, SourceError, SourceProblem

Position = tuple[int, int]

LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what YAML counts as one, unlike str.splitlines()
NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_VALUES = 50_000

_MAX_DIGITS = 100  # int() and str() refuse thousands of digits, each with an error of its own
_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # PyYAML built without libyaml has only the slower one

_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%")
_SURROGATE = re.compile("[\ud800-\udfff]")

_SCALAR = re.compile(
    r"""
      (?P<null> ~ | null | Null | NULL | )
    | (?P<bool> true | True | TRUE | false | False | FALSE )
    | (?P<int> [-+]? (?: 0 | [1-9][0-9]* ) )
    | 0o (?P<octal> [0-7]+ )
    | 0x (?P<hexadecimal> [0-9a-fA-F]+ )
    | (?P<float> [-+]? (?: \.[0-9]+ | (?: 0 | [1-9][0-9]* ) (?: \.[0-9]* )? ) (?: [eE][-+]?[0-9]+ )? )
    | (?P<special> [-+]? \.(?: inf | Inf | INF ) | \.(?: nan | NaN | NAN ) )
    """,
    re.VERBOSE,
)

_TRAPS = {  # what YAML 1.1 took for something else than text → what to write instead
    re.compile(r"yes|on|y", re.IGNORECASE): "true",
    re.compile(r"no|off|n", re.IGNORECASE): "false",
    re.compile(r"[0-9]+(?::[0-5]?[0-9])+"): "a duration as 1m30s, or a time with its date",
    re.compile(r"[-+]?0[0-7]+"): "a number without leading zeros, or 0o17 for octal",
    re.compile(r"[-+]?0[0-9]+(?:\.[0-9]*)?"): "a number without leading zeros",
    re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*"): "a number without underscores",
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"): "an instant as 2026-01-01T00:00:00Z",
}


@dataclass(slots=True)
class _Place:
    """Where a value stands; `plain` is its text if it is an unquoted scalar."""

    start: Position
    key: Position | None = None
    plain: str = ""
    inside: dict[str | int, "_Place"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A document that could be read: its data, and what has to be refused in it nevertheless."""

    file: str
    text: str = field(repr=False)
    data: Any
    findings: tuple[SourceProblem, ...]
    _root: _Place = field(repr=False)

    def position(self, path: Path, at_key: bool = False) -> Position:
        """Return (line, column), from 1, of the value at `path` or of its key.

        Where nothing is at `path`, it is that of the deepest value on the way to it.
        """
        place, rest = self._find(path)
        return place.key if at_key and place.key and not rest else place.start

    def refuse(self, problems: Iterable[Problem] = ()) -> SourceError:
        """Return the error to raise, with the findings met while reading and `problems` at their positions."""
        found = [
            SourceProblem(self.file, *self.position(each.path, each.at_key), _line(each.message)) for each in problems
        ]
        return _source_error((*self.findings, *found), self.text)

    def trap(self, path: Path) -> str:
        """Return a hint for a value of the wrong kind, such as `` ('no' is text here; write false)``, or ``""``.

        It explains unquoted text that older YAML took for a boolean, a number or a date.
        """
        place, rest = self._find(path)
        plain = "" if rest else place.plain
        better = next((better for trap, better in _TRAPS.items() if trap.fullmatch(plain)), "")
        return f" ({_shown(plain)} is text here; write {better})" if better else ""

    def _find(self, path: Path) -> tuple[_Place, Path]:
        place = self._root
        for depth, part in enumerate(path):
            if part not in place.inside:
                return place, path[depth:]
            place = place.inside[part]
        return place, ()


def read(text: str, file: str) -> Source:
    """Read one YAML document; `file` is the name that findings show. A text without any value has the data None.

    Raises `SourceError` for what cannot be read at all: bad syntax, control characters, several documents, directives,
    and what is larger than `MAX_BYTES`, `MAX_VALUES` (aliases expanded) or `MAX_DEPTH`.
    """
    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    builder = _Builder(text, file)
    data, root = builder.document()
    return Source(file, text, data, tuple(sorted(builder.findings)), root)


def read_file(path: FilePath) -> Source:
    """Read a YAML file in UTF-8, like `read`; a file that cannot be opened or decoded is a `SourceError` at 1:1."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1).decode()  # bounded: the path may be a device
    except IsADirectoryError:
        _refuse("", str(path), (1, 1), "is a folder, not a file")
    except OSError as error:
        _refuse("", str(path), (1, 1), f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        _refuse("", str(path), (1, 1), f"is not UTF-8 (byte {byte:#04x} at position {error.start})")
    except ValueError as error:
        _refuse("", str(path), (1, 1), f"cannot be read: {error}")
    return read(text, str(path))


_Value = tuple[Any, _Place]


class _Builder:
    """Turns one stream of parser events into data and places, and collects what is wrong on the way."""

    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.findings: list[SourceProblem] = []
        self._events = _events(text, file)
        self._anchors: dict[str, _Value | None] = {}  # None while the anchored value is still being read
        self._values = 0

    def document(self) -> _Value:
        self._next()  # the start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None, _Place((1, 1))
        value = self._value(self._next(), 1)
        self._next()  # the end of the document
        if isinstance(event := self._next(), yaml.DocumentStartEvent):
            self._refuse(event, "a second document starts here; a file holds one")
        return value

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _value(self, event: yaml.Event, depth: int) -> _Value:
        self._count(event)
        return self._node(event, depth)

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            self._refuse(event, f"there are more than {MAX_VALUES} values")

    def _node(self, event: yaml.Event, depth: int) -> _Value:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if event.tag:
            self._find(event, f"tags are not supported: {_shown(event.tag.replace('tag:yaml.org,2002:', '!!'))}")
        if event.anchor:
            self._anchors[event.anchor] = None
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _scalar(self, event: yaml.ScalarEvent) -> _Value:
        text: str = event.value
        if _SURROGATE.search(text):  # PyYAML's own parser lets "\ud800" pass; libyaml refuses it
            self._refuse(event, "an escape stands for half a character; write the character itself")
        if event.style:  # quoted or a block; plain is "" or None, by the parser
            return text, _Place(_start(event))
        return self._plain(event, text), _Place(_start(event), plain=text)

    def _plain(self, event: yaml.Event, text: str) -> Any:
        match = _SCALAR.fullmatch(text)
        if match and len(text) > _MAX_DIGITS:
            self._find(event, f"a number of {len(text)} characters is too long; at most {_MAX_DIGITS} are read")
            return text
        return _resolved(match) if match else text

    def _collection(self, event: yaml.CollectionStartEvent, depth: int) -> _Value:
        self._check_depth(event, depth)
        place = _Place(_start(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(place, depth), place
        return self._mapping(place, depth), place

    def _sequence(self, place: _Place, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            item, place.inside[len(items)] = self._value(event, depth + 1)
            items.append(item)
        return items

    def _mapping(self, place: _Place, depth: int) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            self._node(event, depth + 1)
            key = self._key(event, place)
            value, child = self._value(self._next(), depth + 1)
            if key is not None:
                child.key = _start(event)
                entries[key], place.inside[key] = value, child
        return entries

    def _key(self, event: yaml.Event, place: _Place) -> str | None:
        """Return the text of a key, or None after reporting one that cannot be used; its value is then dropped."""
        if not isinstance(event, yaml.ScalarEvent):
            self._find(event, "a key has to be text")
        elif event.value == "<<" and not event.style:
            self._find(event, "merge keys (<<) are not supported; write the keys out")
        elif first := place.inside.get(event.value):
            line, _ = first.key or first.start
            self._find(event, f"duplicate key {_shown(event.value)} (first set on line {line})")
        else:
            return str(event.value)
        return None

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Value:
        name = str(event.anchor)
        if name not in self._anchors:
            self._refuse(event, f"no anchor stands before the alias {_shown(name)}")
        anchored = self._anchors[name]
        if anchored is None:
            self._refuse(event, f"the alias {_shown(name)} points at itself")
        data, place = anchored
        return self._copy(data, event, depth), replace(place)

    def _copy(self, data: Any, event: yaml.Event, depth: int) -> Any:
        """Copy aliased data, counting each value: a bomb is refused here, and no two places share a list."""
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
            self._refuse(event, f"this is nested deeper than {MAX_DEPTH} levels")

    def _find(self, event: yaml.Event, message: str) -> None:
        self.findings.append(SourceProblem(self.file, *_start(event), message))

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        self._find(event, message)
        raise _source_error(self.findings, self.text)


def _events(text: str, file: str) -> Iterator[yaml.Event]:
    try:
        yield from yaml.parse(text, Loader=_PARSER)
    except yaml.YAMLError as error:
        _refuse(text, file, *_explained(error, text))
    except (ValueError, OverflowError):  # PyYAML's own parser on "\UFFFFFFFF", without a position
        _refuse(text, file, (1, 1), "an escape such as \\U00110000 stands for no character")


def _explained(error: yaml.YAMLError, text: str) -> tuple[Position, str]:
    problem, opened = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    mark = problem or opened
    if mark is None:
        return (1, 1), _line(str(error))
    at = (mark.line + 1, mark.column + 1)
    if mark.index >= len(text):  # the parsers disagree on where a text ends: take the end of what can be seen
        at = _position(text, len(text.rstrip()))
    elif text[mark.index] == "\t":
        return at, "a tab cannot stand here; indent with spaces"
    elif "cannot start any token" in str(getattr(error, "problem", "")):
        return at, f"a value cannot begin with {text[mark.index]!r}; put it in quotes"
    elif getattr(error, "problem", "") == "mapping values are not allowed in this context":
        return at, "a colon cannot stand here; put a text that has one in quotes, or mend the indentation"
    context = getattr(error, "context", None) or ""
    if context and opened and opened.line + 1 != at[0]:
        context += f" that starts on line {opened.line + 1}"
    return at, ", ".join(filter(None, (context, getattr(error, "problem", None))))


def _check_characters(text: str, file: str) -> None:
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        _refuse("", file, (1, 1), f"is larger than {MAX_BYTES} bytes")
    if bad := NOT_TEXT.search(text):
        _refuse(text, file, _position(text, bad.start()), f"the character U+{ord(bad[0]):04X} is not allowed here")
    # Also a matter of time: libyaml compares each %TAG with all others.
    if bad := _DIRECTIVE.search(text):
        _refuse(text, file, _position(text, bad.end() - 1), "directives are not supported: no line can start with %")


def _refuse(text: str, file: str, position: Position, message: str) -> NoReturn:
    raise _source_error(
        [SourceProblem(file, *position, message)], text
    ) from None  # the parser's own error says no more


def _source_error(problems: Iterable[SourceProblem], text: str) -> SourceError:
    """The error, with the source as lines that are safe to print: an escape sequence must not reach the terminal."""
    return SourceError(problems, LINE_BREAK.split(NOT_TEXT.sub("\ufffd", text)))


def _resolved(match: re.Match[str]) -> bool | int | float | None:
    kind, text = match.lastgroup, match[match.lastgroup or 0]
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    if base := {"int": 10, "octal": 8, "hexadecimal": 16}.get(str(kind)):
        return int(text, base)
    return float(text.replace(".", "") if kind == "special" else text)


def _start(event: yaml.Event) -> Position:
    mark: Any = event.start_mark  # None only for events made by hand
    return mark.line + 1, mark.column + 1


def _position(text: str, index: int) -> Position:
    lines = LINE_BREAK.split(text[:index])
    return len(lines), len(lines[-1]) + 1


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:59] + "…")


def _line(message: str) -> str:
    return " ".join(LINE_BREAK.split(message))
