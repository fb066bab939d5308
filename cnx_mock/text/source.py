"""YAML text → plain data, with the line and column of every key and value.

Scalars follow the YAML 1.2 core schema, so that ``no``, ``1:30`` and ``2026-01-01`` are text; ``0777`` is text too.
Keys are always text.
"""

import errno
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import field
from itertools import islice
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from cnx_mock.dataclass import dataclass
from cnx_mock.errors import Path, Problem, SourceError, SourceProblem
from cnx_mock.text.control_characters import visible_line
from cnx_mock.text.files import decoded, read_regular
from cnx_mock.text.patterns import ANY
from cnx_mock.text.positions import NOT_TEXT, Position, error_at, one_line, position, quoted, source_error
from cnx_mock.text.scalars import better_spelling
from cnx_mock.text.suggestions import nearest

if TYPE_CHECKING:
    from cnx_mock.text.builder import Place

MAX_BYTES = 1 << 20
_TOO_LARGE = f"is larger than {MAX_BYTES} bytes"

_MOST_ENTRIES = 10_000
"""So many entries of a folder are looked at for a file that is probably meant."""
_DIRECTIVE = re.compile("(?:^|[\n\r\x85\u2028\u2029])%")


@dataclass(frozen=True, slots=True)
class Source:
    """A document that could be parsed: its data, and the problems that still make it an error."""

    file: str
    text: str = field(repr=False)
    data: Any
    problems: tuple[SourceProblem, ...]
    _root: "Place" = field(repr=False)

    def position(self, path: Path, at_key: bool = False) -> Position:
        """Return (line, column), from 1, of the value at `path` or of its key.

        If nothing is at `path`, return the position of the deepest value on the way to it.
        """
        place, rest = self._find(path)
        return place.key if at_key and place.key and not rest else place.start

    def error(self, problems: Iterable[Problem] = ()) -> SourceError:
        """Return the error to raise: with the problems found while reading, and with `problems` at their positions.

        Their messages name the key, and explain a value that is not what YAML makes it look like.
        """
        return source_error((*self.problems, *map(self._placed, problems)), self.text)

    def with_texts(self, patterns: Iterable[Path]) -> Any:
        """Return the data, in which numbers and booleans at these places are their own text: `1.10`, not 1.1.

        `ANY` in a pattern stands for every key or index. A list at such a place is a list of strings. null stays null.
        """
        data = self.data
        for pattern in patterns:
            data = _with_texts(data, self._root, pattern)
        return data

    def _placed(self, problem: Problem) -> SourceProblem:
        message = one_line(problem.named + self._trap(problem))
        return SourceProblem(self.file, *self.position(problem.path, problem.at_key), message)

    def _trap(self, problem: Problem) -> str:
        """Return a hint for a value of the wrong kind, such as `` ('no' is text here; write false)``, or ``""``.

        It explains unquoted text that older YAML read as a boolean, a number or a date.
        """
        place, rest = self._find(problem.path)
        plain = "" if rest or problem.at_key else place.plain
        better = better_spelling(plain, problem.message)
        return f" ({quoted(plain)} is text here; write {better})" if better else ""

    def _find(self, path: Path) -> "tuple[Place, Path]":
        """Return the deepest place on the way to `path`, and the rest of the way."""
        place = self._root
        for depth, part in enumerate(path):
            if part not in place.inside:
                return place, path[depth:]
            place = place.inside[part]
        return place, ()


def _with_texts(data: Any, place: "Place", pattern: Path) -> Any:
    if not pattern and not isinstance(data, list):
        return place.plain if isinstance(data, int | float) else data
    head, rest = (pattern[0], pattern[1:]) if pattern else (ANY, ())
    if isinstance(data, list) and head == ANY:
        return [_with_texts(each, place.inside[index], rest) for index, each in enumerate(data)]
    if isinstance(data, dict):
        return {
            key: _with_texts(each, place.inside[key], rest) if head in (ANY, key) else each
            for key, each in data.items()
        }
    return data


def read(text: str, file: str) -> Source:
    """Return one YAML document; `file` is the name that problems show. The data of a text without any value is None.

    Raises SourceError if the text cannot be read at all: wrong syntax, control characters, several documents,
    directives, or more than `MAX_BYTES`, `builder.MAX_VALUES` (aliases expanded) or `builder.MAX_DEPTH`.
    """
    from cnx_mock.text.builder import DocumentBuilder  # lazy: a server that reads no file loads no YAML parser
    from cnx_mock.text.parser import ParserError  # lazy: as above

    text = text.removeprefix("\ufeff")
    _check_characters(text, file)
    document = DocumentBuilder(text, file)
    try:
        data, root = document.document()
    except ParserError as error:
        with suppress(ParserError, RecursionError):
            # A parser reads ahead, and has limits of its own: libyaml 0.2.6 stops at 1,000 levels before it has shown
            # the first. What we do not allow is reported in our words: so the part that it could read is read again.
            DocumentBuilder(text, file, end=error.index).document()
        raise error_at(text, file, error.at, error.message) from None
    except RecursionError:  # no parser that we know is recursive; a later one may be
        raise error_at(text, file, (1, 1), "this is nested too deeply") from None
    return Source(file, text, data, tuple(sorted(document.problems)), root)


def read_file(path: FilePath) -> Source:
    """Return what `read` returns for a file. Raises SourceError, without a line if it cannot be read."""
    try:
        text = decoded(read_regular(path, MAX_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        raise _unreadable(path, f"no such file{_beside(path)}") from None
    except IsADirectoryError:
        raise _unreadable(path, "is a folder, not a file") from None
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise error_at("", visible_line(str(path)), (1, 1), _TOO_LARGE) from None
        raise _unreadable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        encoding = error.encoding[:6].upper()  # UTF-16, whichever byte order
        raise _unreadable(path, f"is not {encoding} (byte {byte:#04x} at position {error.start})") from None
    except ValueError:  # its words are Python's, and change from version to version
        raise _unreadable(path, "cannot be read: the name has a null character") from None
    return read(text, visible_line(str(path)))


def _beside(path: FilePath) -> str:
    """Return a hint at the YAML file of the same folder that is probably meant, or ""."""
    try:
        entries = list(islice(path.parent.iterdir(), _MOST_ENTRIES))
    except OSError:
        return ""
    files = {each.stem: each.name for each in entries if each.suffix in (".yaml", ".yml", ".json")}
    near = nearest(path.stem, files)
    return "" if near is None else f", did you mean '{visible_line(str(path.with_name(files[near])))}'?"


def _unreadable(path: FilePath, message: str) -> SourceError:
    """Return the error for a file as a whole."""
    return error_at("", visible_line(str(path)), (0, 0), message)


def _check_characters(text: str, file: str) -> None:
    """Raise SourceError for what no parser needs to see."""
    if len(text) > MAX_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BYTES:
        raise error_at("", file, (1, 1), _TOO_LARGE)
    if bad := NOT_TEXT.search(text):
        message = f"the character U+{ord(bad[0]):04X} is not allowed here"
        raise error_at(text, file, position(text, bad.start()), message)
    # Also a matter of time: libyaml compares each %TAG with all others.
    if bad := _DIRECTIVE.search(text):
        message = "directives are not supported: a line cannot begin with %"
        raise error_at(text, file, position(text, bad.end() - 1), message)
